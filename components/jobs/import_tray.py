"""A file that somebody brings, in this tab: what it was read as, and that it is to be checked, which no click loses."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import streamlit as st

from components.ui import notices
from services.core.access import Actor
from services.core.errors import InvalidInput
from services.jobs.imports import Row
from services.text.tables.grids import Sheet

Made = TypeVar("Made")


class Latest(Generic[Made]):
    """What was made last, or refused with InvalidInput: made anew only for another key."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Made | InvalidInput] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what *make* makes, or raise what it refused with."""
        if key not in self._kept:
            try:
                self._kept = {key: make()}
            except InvalidInput as exc:
                self._kept = {key: exc}
        found = self._kept[key]
        if isinstance(found, InvalidInput):
            raise found
        return found


@dataclass
class Tray:
    """What one page of imports keeps in the tab between runs.

    A click ends the run under way at its next element. So what is `asked` is kept by the button's callback, until it
    was done. `reading` is a file and what it was read as last, for the choices to be drawn from when another reading of
    it fails.
    """

    owner: Hashable
    asked: Hashable | None = None
    reading: tuple[str, Sheet] | None = None
    sheet: Latest[Sheet] = field(default_factory=Latest)
    rows: Latest[list[Row]] = field(default_factory=Latest)

    def sheet_of(self, file_id: str) -> Sheet | None:
        """Return what a file was read as last."""
        return self.reading[1] if self.reading and self.reading[0] == file_id else None

    def ask(self, shown: Hashable) -> None:
        """Note in a callback that a check is requested of what the page has *shown*."""
        self.asked = shown

    def is_asked(self, shown: Hashable) -> bool:
        """Return whether a check is requested of what the page shows. Any other one is dropped, with a message."""
        if self.asked is not None and self.asked != shown:
            self._give_up()
        return self.asked is not None

    def do(self, check: Callable[[], Made]) -> Made:
        """Do what was asked. It is asked again when a click ends it, and not when it fails."""
        try:
            made = check()
        except Exception:
            self.asked = None
            raise
        self.asked = None
        return made

    def empty(self) -> None:
        """Forget the file."""
        self.sheet, self.rows, self.reading = Latest(), Latest(), None
        if self.asked is not None:
            self._give_up()

    def _give_up(self) -> None:
        self.asked = None
        notices.warning(
            "The check was interrupted by another click. Nothing was written; start it again.", icon="front_hand"
        )


def tray(page: str, actor: Actor) -> Tray:
    """Return the tray of *page* in this tab, a new one for another user or tenant."""
    owner = actor.user_id, actor.tenant_id
    found = st.session_state.get(f"{page}_tray")
    if not isinstance(found, Tray) or found.owner != owner:
        found = st.session_state[f"{page}_tray"] = Tray(owner)
    return found
