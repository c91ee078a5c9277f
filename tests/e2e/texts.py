"""A page for `test_texts.py`: each text of `TEXTS` in each place where Streamlit reads Markdown."""

import random

import streamlit as st

from components.markdown import plain

_TRICKS = [
    "![x](http://foreign.test/p.png)",
    "[x](http://foreign.test/p)",
    "http://foreign.test/p",
    "HTTPS://foreign.test",
    "www.foreign.test",
    "a.b@foreign.test",
    "mailto:a@foreign.test",
    "<http://foreign.test>",
    "<img src=http://foreign.test/p>",
    "[x]: http://foreign.test",
    "[^1]",
    ":material/delete:",
    ":material_delete:",
    ":red[loud]",
    ":red",
    ":smile:",
    ":+1:",
    ":100:",
    ":streamlit:",
    "::: note",
    "::leaf[x]{a=b}",
    "&lt;b&gt; &copy;",
    "$x^2$ and $$y$$",
    "`code`",
    "```",
    "~~~",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "2)",
    "> quote",
    "---",
    "===",
    "| a | b |",
    "**bold** _it_ ~gone~ ***",
    "a_b_c",
    "\\",
    "\\*",
    "-> <- <-> -- >= <= ~=",
    "[ ] task",
    "10:30:45 +1 415 555 2671 #3 2.5",
    "C:\\Users\\new",
    "two\n\n# lines",
    "    indented",
    "a:b",
    "Größe: 5 %",
]


def _texts() -> list[str]:
    chosen = random.Random(7)
    mixed = [" ".join(chosen.sample(_TRICKS, 3)) for _ in range(40)]
    glued = ["".join(chosen.sample(_TRICKS, 3)) for _ in range(40)]
    noise = ["".join(chosen.choices("ab1 :/.@#*_[]()<>!&$|~`\\-+={}w", k=14)) for _ in range(80)]
    return [*_TRICKS, *mixed, *glued, *(text for text in noise if text.strip())]


TEXTS = _texts()
PLACES = ("markdown", "words", "caption", "badge", "button", "checkbox", "expander", "error", "table", "toast")


def draw() -> None:
    """Draw all of it, each text in a container that has its place in the list as key."""
    for place, text in enumerate(TEXTS):
        shown = plain(text)
        with st.container(key=f"markdown_{place}"):
            st.markdown(shown)
        with st.container(key=f"words_{place}"):
            st.markdown(f"Before **{shown}** and  \n:small[:gray[{shown}]]")
    for place, text in enumerate(TEXTS[:60]):
        shown = plain(text)
        with st.container(key=f"caption_{place}"):
            st.caption(shown)
        with st.container(key=f"badge_{place}"):
            st.markdown(f":gray-badge[{shown}]")
        with st.container(key=f"button_{place}"):
            st.button(shown, key=f"press_{place}")
        with st.container(key=f"checkbox_{place}"):
            st.checkbox(shown, key=f"tick_{place}")
        with st.container(key=f"expander_{place}"):
            st.expander(shown)
        with st.container(key=f"error_{place}"):
            st.error(shown)
        with st.container(key=f"table_{place}"):
            st.table({"told": [shown]}, border=False, hide_index=True, hide_header=True)


if __name__ == "__main__":
    draw()
