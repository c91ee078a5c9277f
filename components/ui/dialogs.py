"""Dialogs that change one thing: they close once saved, and stay open with the reason otherwise."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.audit import history as audit
from components.ui import notices
from components.ui.markdown import plain
from db.audit.queries import AuditRow
from services.core.access import Actor
from services.core.errors import Conflict


@dataclass(frozen=True)
class Dialog:
    """A dialog of one *place*, in which *actor* makes changes in sessions from *opener*."""

    actor: Actor
    zone: ZoneInfo
    opener: Callable[[], AbstractContextManager[Session]]
    place: str

    def show(self, version: int) -> None:
        """Remember the *version* that is displayed. Call it where the dialog is opened, not inside."""
        st.session_state[f"{self.place}_version"] = version

    @property
    def version(self) -> int:
        """The version to change: the one displayed, or the newer one after a conflict."""
        version: int = st.session_state[f"{self.place}_version"]
        return version

    def do(self, act: Callable[[Session], object], done: str, newest: Callable[[Session], int] | None = None) -> None:
        """Run *act* and close the dialog; when refused, show why and keep it open.

        *newest* returns the version after a conflict, so that saving again keeps the input.
        """

        def run() -> str:
            with self.opener() as session:
                act(session)
            return done

        refused = notices.outcome(run, self.place)
        if refused is None:
            st.rerun()
        changes = notices.show_kept(self.place)
        if isinstance(refused, Conflict) and newest is not None:
            self._catch_up(changes, newest)

    def change(
        self, verb: Callable[..., object], row_id: int, *values: object, done: str, get: Callable[..., Any]
    ) -> None:
        """Have *verb* change a row from the version displayed, as `do` does; *get* reads it after a conflict."""
        self.do(
            lambda session: verb(session, self.actor, row_id, *values, version=self.version),
            done,
            lambda session: get(session, self.actor, row_id).version,
        )

    def switch(
        self,
        noun: str,
        found: Any,
        verb: Callable[..., object],
        get: Callable[..., Any],
        say_what_follows: Callable[[], None],
    ) -> None:
        """Draw the button by which *verb* activates what is *found*, or deactivates it once it says what follows."""
        if not found.is_active:
            if st.button("Activate", icon=":material/play_circle:", key=f"{noun}_activate"):
                self.change(verb, found.id, True, done=f"{found.name} is active.", get=get)
            return
        with st.popover("Deactivate", icon=":material/pause_circle:"):
            say_what_follows()
            if st.button(plain(f"Deactivate {noun}"), key=f"{noun}_deactivate"):
                self.change(verb, found.id, False, done=f"{found.name} is inactive.", get=get)

    def _catch_up(self, changes: Sequence[AuditRow], newest: Callable[[Session], int]) -> None:
        def look() -> str:
            with self.opener() as session:
                self.show(newest(session))
            return ""

        if notices.outcome(look, self.place) is not None:
            notices.show_kept(self.place)
            return
        if changes:
            st.markdown("Changed by someone else:")
            audit.history(changes, self.zone)
        st.caption("Your input is still here. Save again to keep it.")


def submit(label: str) -> bool:
    """Draw the button at the end of a form; return whether it was clicked."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        return st.form_submit_button(label, type="primary")


def confirmed(
    label: str,
    *,
    on_click: Callable[[], None] | None = None,
    red: bool = False,
    disabled: bool = False,
    icon: str | None = None,
    close: str = "Cancel",
    key: str | None = None,
) -> bool:
    """Draw the buttons at the end of a dialog: one that closes it, and one that acts; return whether that was clicked.

    What is *red* takes something away.
    """
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(close):
            st.rerun()
        return st.button(
            f":red[{label}]" if red else label,
            type="secondary" if red else "primary",
            icon=icon,
            key=key,
            on_click=on_click,
            disabled=disabled,
        )


def history(rows: Sequence[AuditRow], zone: ZoneInfo) -> None:
    """Draw a thing's history, collapsed."""
    with st.expander("History", icon=":material/history:"):
        if rows:
            audit.history(rows, zone)
        else:
            st.caption("No changes yet.")
