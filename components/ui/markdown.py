"""Text as it is, wherever Streamlit reads Markdown."""

import re

_SEAM = ":color[]"
"""An element of Markdown without text or look, which no copied text holds.

Streamlit (1.67) looks for addresses, icons, emoji and arrows in what is left when escapes have been read, so that
an escape does not stop them; but it looks within one run of text, and never across this.
"""

_RISKY = re.compile(
    r"""
    (?P<arrow> (?<!\S)(?:<->|->|<-|--|>=|<=|~=)(?!\S))
    | (?P<colon> :(?=//|material[/_]|(?:100|1234|[0-9]*[A-Za-z_+-][\w+-]*)(?::|\Z)))  # an address, an icon, an emoji
    | (?P<address> www(?=\.)|@(?=[-\w]))
    | \A(?P<list>[0-9]+)(?=[.)](?:\s|\Z))
    | (?P<mark> [\\`*_\[\]{}<>~$&|] | :(?=\S|\Z) | \A[-=#] | \A\+(?=\s|\Z))
    """,
    re.VERBOSE | re.IGNORECASE,
)


def plain(text: str) -> str:
    """Escape foreign *text* so that Markdown shows it verbatim, in one line.

    Nothing in it becomes a picture, link, icon, formula or heading, and copying yields the original. Everything not
    written in our own code goes through it wherever Streamlit reads Markdown, including labels, help texts, toasts and
    dialog titles. See docs/decisions.
    """
    return _RISKY.sub(_harmless, re.sub(r"[ \t\r\n]+", " ", text).strip(" "))


def code(text: str) -> str:
    """Return *text*, which somebody or something else wrote, so that Markdown shows it in the font of code."""
    line = re.sub(r"\s+", " ", text).strip()
    if ":material/" in line:  # Streamlit rewrites it even there
        return plain(line)
    ticks = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    room = " " if "`" in line else ""
    return f"{ticks}{room}{line}{room}{ticks}"


def ours(markdown: str) -> str:
    """Return *markdown* as it is: written in our own code, with `plain` around whatever in it is not.

    It says so to whoever reads, where `tests/house/test_markdown.py` cannot follow a text to where it is written.
    """
    return markdown


def _harmless(found: re.Match[str]) -> str:
    text = found[0]
    if found["arrow"]:
        return _SEAM.join(f"\\{c}" if c in "<>~" else c for c in text)
    if found["colon"]:
        return f"\\:{_SEAM}"
    if found["address"]:
        return f"{text}{_SEAM}"
    return f"{text}\\" if found["list"] else f"\\{text}"
