"""What every page has: header, error messages, notices, empty states."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import humanize
import streamlit as st

from components.ui import navigation
from components.ui.markdown import plain
from components.ui.streamlit_internals import STYLE, DeltaGenerator
from db.audit.queries import AuditRow
from services.core.errors import Conflict, DatabaseUnavailable, NotFound, ServiceError, UnstorableText

BadgeColor = Literal["gray", "green", "orange", "red", "yellow"]
"""The meaning of badge colors: neutral, good, watch, wrong, nearly."""

_DATABASE_AWAY = "The database is busy or cannot be reached. Nothing was saved; try again in a moment."
_UNSTORABLE = "The text contains an invisible character that can't be stored. Nothing was saved; type it again."


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
        st.warning(plain(str(exc)), icon=":material/search_off:")
        navigation.link(navigation.LIST, label="Back to the list", icon=":material/arrow_back:")
    except ServiceError as exc:
        st.error(plain(str(exc)), icon=":material/error:")
    except DatabaseUnavailable:
        st.error(_DATABASE_AWAY, icon=":material/cloud_off:")
    except UnstorableText:
        st.error(_UNSTORABLE, icon=":material/error:")


def outcome(act: Callable[[], str], place: str) -> Exception | None:
    """Run *act* in a callback and store its notice for *place* (see `said`); return the error, if any.

    *act* returns a sentence about what was done, or an empty string.
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
    except UnstorableText as exc:
        notices[place] = ("error", _UNSTORABLE, [])
        return exc
    return None


def said(place: str) -> list[AuditRow]:
    """Draw the pending notice of *place*, once; return the changes of a conflict."""
    notice = st.session_state.get("notices", {}).pop(place, None)
    if notice is None:
        return []
    kind, text, changes = notice
    if kind == "error":
        st.error(plain(text), icon=":material/error:")
    elif text:
        st.toast(plain(text), icon=":material/check_circle:")
    return list(changes)


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
