"""What the reader is told: now, or once the page is drawn again after a click."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from components.ui.markdown import plain
from db.audit.queries import AuditRow
from services.core.errors import Conflict, DatabaseUnavailable, ServiceError, UnstorableText

EXPECTED = (ServiceError, DatabaseUnavailable, UnstorableText)
"""The errors that the reader is told about. Anything else is a bug."""


@dataclass(frozen=True)
class Notice:
    """A notice to draw in a later run. *text* is no Markdown; *changes* are those that a conflict was about."""

    kind: Literal["error", "success"]
    text: str
    icon: str = "error"
    changes: tuple[AuditRow, ...] = ()

    def show(self) -> None:
        """Draw it here, but a success at the edge of the page, where it goes away."""
        text = plain(self.text)
        if self.kind == "error":
            error(text, icon=self.icon)
        else:
            st.toast(text, icon=":material/check_circle:")


def error(text: str, *, icon: str = "error") -> None:
    """Say here and now, in Markdown, what went wrong. *icon* is the name of a Material symbol, as below."""
    st.error(text, icon=f":material/{icon}:")


def warning(text: str, *, icon: str = "warning") -> None:
    """Say what needs attention."""
    st.warning(text, icon=f":material/{icon}:")


def info(text: str, *, icon: str = "info") -> None:
    """Say what is good to know."""
    st.info(text, icon=f":material/{icon}:")


def success(text: str, *, icon: str = "check_circle") -> None:
    """Say what is as it should be."""
    st.success(text, icon=f":material/{icon}:")


def of(exc: Exception) -> Notice:
    """Return what is said of an error that is EXPECTED."""
    if isinstance(exc, DatabaseUnavailable):
        text = "The database is busy or cannot be reached. Nothing was saved; try again in a moment."
        return Notice("error", text, icon="cloud_off")
    if isinstance(exc, UnstorableText):
        text = "The text contains an invisible character that can't be stored. Nothing was saved; type it again."
        return Notice("error", text)
    return Notice("error", str(exc), changes=tuple(exc.changes) if isinstance(exc, Conflict) else ())


def outcome(act: Callable[[], str], place: str) -> Exception | None:
    """Run *act* in a callback and keep its notice for *place* (see `show_kept`); return the error, if any.

    *act* returns a sentence about what was done, or an empty string.
    """
    try:
        done = act()
    except EXPECTED as exc:
        _all()[place] = of(exc)
        return exc
    if done:
        _all()[place] = Notice("success", done)
    else:
        drop(place)
    return None


def changes(place: str) -> tuple[AuditRow, ...]:
    """Return the changes of the conflict whose notice waits for *place*."""
    return _all()[place].changes


def show_kept(place: str) -> tuple[AuditRow, ...]:
    """Draw the notice that waits for *place*, once; return the changes of a conflict."""
    notice = _all().pop(place, None)
    if notice is None:
        return ()
    notice.show()
    return notice.changes


def drop(place: str) -> None:
    """Take away the notice that waits for *place*."""
    _all().pop(place, None)


def drop_errors() -> bool:
    """Take away every error that waits; return whether there was any."""
    errors = [place for place, notice in _all().items() if notice.kind == "error"]
    for place in errors:
        drop(place)
    return bool(errors)


def _all() -> dict[str, Notice]:
    found: dict[str, Notice] = st.session_state.setdefault("notices", {})
    return found
