"""What every page has: header, error messages, empty states."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import humanize
import streamlit as st

from components.ui import navigation, notices
from components.ui.markdown import plain
from components.ui.streamlit_internals import STYLE, DeltaGenerator
from services.core.errors import NotFound

BadgeColor = Literal["gray", "green", "orange", "red", "yellow"]
"""The meaning of badge colors: neutral, good, watch, wrong, nearly."""


def header(title: str, subtitle: str = "") -> DeltaGenerator:
    """Draw a page's title; return the container for its primary action."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width="stretch"):
            st.title(title, anchor=False)
            if subtitle:
                st.caption(subtitle)
        return st.container(width="content")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show errors raised by services inside the block. Anything else is a bug and propagates."""
    try:
        yield
    except NotFound as exc:
        notices.warning(plain(str(exc)), icon="search_off")
        navigation.link(navigation.LIST, label="Back to the list", icon=":material/arrow_back:")
    except notices.EXPECTED as exc:
        notices.of(exc).show()


def style() -> None:
    """Draw what no theme can say: toasts come up below; the logo is no link; menu and page have gaps of their own."""
    st.html(STYLE)


def empty_state(text: str, icon: str) -> DeltaGenerator:
    """Draw an empty state that says what to do next; return the container for its button."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f":material/{icon}: {text}", text_alignment="center")
        action = st.container(horizontal_alignment="center")
        st.space("small")
    return action


def when(moment: datetime | None, zone: ZoneInfo) -> str:
    """Return how long ago *moment* was; `—` for none."""
    text = humanize.naturaltime(datetime.now(zone) - moment.astimezone(zone)) if moment else "—"
    return "just now" if text == "now" else text


def exactly(moment: datetime | None, zone: ZoneInfo) -> str:
    """Return *moment* to the minute in *zone*, with the zone's name; `—` for none."""
    return moment.astimezone(zone).strftime("%-d %b %Y, %H:%M %Z") if moment else "—"
