"""What every page has: its header, its errors in the reader's words, notices, empty states, and text as it is."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import humanize
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components import navigation
from db.audit import AuditRow
from services.errors import Conflict, DatabaseUnavailable, NotFound, ServiceError

BadgeColor = Literal["gray", "green", "orange", "red", "yellow"]
"""What a badge may say by its color: nothing, good, watch, wrong, nearly."""

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

_DATABASE_AWAY = "The database is busy or cannot be reached. Nothing was saved; try again in a moment."


def plain(text: str) -> str:
    """Return *text*, which somebody or something else wrote, so that Markdown shows it as it is, in one line.

    Nothing in it becomes a picture, a link, an icon, a formula or a heading, and what is copied is what was written.
    Whatever did not stand in our own code goes through it, wherever Streamlit reads Markdown: also in labels of
    buttons, tabs and fields, in helps, toasts and titles of dialogs. See docs/decisions.
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

    It says so to whoever reads, where `tests/test_markdown.py` cannot follow a text to where it is written.
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


def header(title: str, subtitle: str = "") -> DeltaGenerator:
    """Draw the top of a page; return the place at the right for its primary action."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width="stretch"):
            st.title(title, anchor=False)
            if subtitle:
                st.caption(subtitle)
        return st.container(width="content")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show what a service refused inside the block in its own words. Anything else is a bug, and passes."""
    try:
        yield
    except NotFound as exc:
        st.warning(plain(str(exc)), icon=":material/search_off:")
        st.page_link(navigation.LIST, label="Back to the list", icon=":material/arrow_back:")
    except ServiceError as exc:
        st.error(plain(str(exc)), icon=":material/error:")
    except DatabaseUnavailable:
        st.error(_DATABASE_AWAY, icon=":material/cloud_off:")


def outcome(act: Callable[[], str], place: str) -> Exception | None:
    """Run *act* in a callback and keep what to say at *place* (see `said`); return what refused it.

    *act* returns what was done, in a sentence, or nothing to say.
    """
    notices = st.session_state.setdefault("notices", {})
    try:
        notices[place] = ("success", act(), [])
    except ServiceError as exc:
        notices[place] = ("error", str(exc), exc.changes if isinstance(exc, Conflict) else [])
        return exc
    except DatabaseUnavailable as exc:
        notices[place] = ("error", _DATABASE_AWAY, [])
        return exc
    return None


def said(place: str) -> list[AuditRow]:
    """Draw what the last action at *place* had to say, once; return the changes of a conflict."""
    notice = st.session_state.get("notices", {}).pop(place, None)
    if notice is None:
        return []
    kind, text, changes = notice
    if kind == "error":
        st.error(plain(text), icon=":material/error:")
    elif text:
        st.toast(plain(text), icon=":material/check_circle:")
    return list(changes)


def toasts_below() -> None:
    """Let toasts come up at the lower right: at the upper right they lie on the primary action for four seconds."""
    st.html("<style>body > [data-testid=stToastContainer] { top: auto; bottom: 1rem; }</style>")


def empty_state(text: str, icon: str) -> DeltaGenerator:
    """Draw a calm box that says what to do next; return the place for the button that does it."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f":material/{icon}: {text}", text_alignment="center")
        action = st.container(horizontal_alignment="center")
        st.space("small")
    return action


def when(moment: datetime | None, zone: ZoneInfo) -> str:
    """Return how long ago *moment* was, in words; `—` for none."""
    return humanize.naturaltime(datetime.now(zone) - moment.astimezone(zone)) if moment else "—"


def exactly(moment: datetime | None, zone: ZoneInfo) -> str:
    """Return *moment* to the minute in *zone*, with the zone's name; `—` for none."""
    return moment.astimezone(zone).strftime("%d %b %Y, %H:%M %Z") if moment else "—"
