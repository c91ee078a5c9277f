"""A page for `test_texts.py`: each text of `TEXTS` in each place where Streamlit reads Markdown."""

import random

import streamlit as st

from components.ui.markdown import code, plain

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
    mixed = [" ".join(chosen.sample(_TRICKS, 3)) for _ in range(12)]
    glued = ["".join(chosen.sample(_TRICKS, 3)) for _ in range(12)]
    noise = ["".join(chosen.choices("ab1 :/.@#*_[]()<>!&$|~`\\-+={}w", k=14)) for _ in range(30)]
    return [*_TRICKS, *mixed, *glued, *(text for text in noise if text.strip())]


TEXTS = _texts()
PLACES = ("markdown", "words", "code", "caption", "badge", "button", "checkbox", "metric", "error", "table")


def _draw(place: str, text: str, key: str) -> None:
    shown = plain(text)
    match place:
        case "markdown":
            st.markdown(shown)
        case "words":
            st.markdown(f"Before **{shown}** and  \n:small[:gray[{shown}]]")
        case "code":
            st.markdown(code(text))
        case "caption":
            st.caption(shown)
        case "badge":
            st.markdown(f":gray-badge[{shown}]")
        case "button":
            st.button(shown, key=key)
        case "checkbox":
            st.checkbox(shown, key=key)
        case "metric":
            st.metric("Value", shown, label_visibility="collapsed")
        case "error":
            st.error(shown)
        case "table":
            st.table({"told": [shown]}, border=False, hide_index=True, hide_header=True)


if __name__ == "__main__":
    for place in PLACES:
        for number, text in enumerate(TEXTS):
            with st.container(key=f"shown_{place}_{number}"):
                _draw(place, text, f"{place}_{number}")
