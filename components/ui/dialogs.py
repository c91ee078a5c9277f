"""Dialogs that change one thing: they close once saved, and stay open with the reason otherwise."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.audit import history as audit
from components.ui import notices
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


def history(rows: Sequence[AuditRow], zone: ZoneInfo) -> None:
    """Draw a thing's history, collapsed."""
    with st.expander("History", icon=":material/history:"):
        if rows:
            audit.history(rows, zone)
        else:
            st.caption("No changes yet.")
