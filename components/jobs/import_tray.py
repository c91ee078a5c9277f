"""An import by file in this tab: the parsed file, the request and its result, which no click loses."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TypeVar

import streamlit as st

from components.ui import notices
from components.ui.markdown import plain
from components.ui.page import errors_shown
from services.core.access import Actor
from services.core.errors import DatabaseUnavailable, InvalidInput, ServiceError
from services.text.files import Sheet

Made = TypeVar("Made")
Drawing = Callable[[], None]


class Act(StrEnum):
    """What can be asked of a file."""

    CHECK = "check"
    ALL = "import"
    GOOD_ONLY = "import of the good rows"


@dataclass
class Told:
    """What came of an act on what the page had `shown`, as something to draw.

    What was `written` is drawn until another act or file; a refusal to write, which `waits`, until it was seen.
    """

    shown: Hashable
    draw: Drawing
    waits: bool = False
    written: bool = False
    seen: bool = False


@dataclass
class Tray:
    """What one page of imports keeps in the tab between runs.

    A click ends the run under way at its next element, or at its next look into the session state. So what was asked
    is kept by the button's callback, and what came of it is put here, which is neither. `offered` is a file and what it
    was read as last, for the choices to be drawn from when another reading of it fails.
    """

    owner: Hashable
    asked: tuple[Act, Hashable] | None = None
    told: Told | None = None
    offered: tuple[str, Sheet] | None = None
    _kept: dict[str, tuple[Hashable, object]] = field(default_factory=dict)

    def once(self, slot: str, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what *make* makes, or refuses with InvalidInput, anew only for another *key*; one for each *slot*."""
        known, result = self._kept.get(slot, (None, None))
        if slot not in self._kept or known != key:
            try:
                result = make()
            except InvalidInput as exc:
                result = exc
            self._kept[slot] = key, result
        if isinstance(result, InvalidInput):
            raise result
        return result  # type: ignore[return-value]

    def sheet_of(self, file_id: str) -> Sheet | None:
        """Return what a file was read as last."""
        return self.offered[1] if self.offered and self.offered[0] == file_id else None

    @property
    def read_as(self) -> Hashable:
        """Which file was read last, and how."""
        file_id, sheet = self.offered or ("", None)
        return (file_id, sheet.sheet, sheet.header, sheet.encoding) if sheet else None

    def key(self, slot: str) -> Hashable:
        """Return the key of what `once` has made; None before."""
        return self._kept[slot][0] if slot in self._kept else None

    def ask(self, act: Act, shown: Hashable) -> None:
        """Note in a callback that *act* is wanted of what the page has *shown*."""
        self.asked = act, shown
        self.told = None

    def wanted(self, shown: Hashable) -> Act | None:
        """Return what was asked of what the page shows. What was asked of something else is not done, and said so."""
        if self.asked is None:
            return None
        act, of = self.asked
        if of == shown:
            return act
        self.asked = None
        self.told = Told(None, lambda: _given_up(act), waits=True)
        return None

    def do(
        self,
        act: Callable[[], Drawing],
        shown: Hashable,
        *,
        writes: bool = False,
        refused: Callable[[Exception], None] | None = None,
    ) -> None:
        """Do *act*, and keep what there is to draw of it, or of what *refused* it. What *writes* must not draw itself.

        What only checks is asked again when a click ends it.
        """
        if writes:
            self.asked = None
        try:
            self.told = Told(shown, act(), waits=writes, written=writes)
        except (ServiceError, DatabaseUnavailable) as exc:
            self.told = Told(shown, partial(refused or _raise, exc), waits=writes)
        except Exception:
            self.asked = None
            raise
        self.asked = None

    def tell(self, shown: Hashable) -> None:
        """Draw what came of the last act, unless it is about something else than the page shows now."""
        told = self.told
        if told and (told.written or told.shown == shown or (told.waits and not told.seen)):
            with errors_shown():
                told.draw()
            told.seen = True

    def leave(self) -> None:
        """Forget what came of an act that was seen, as at coming back to the page or with another file."""
        if self.told and self.told.seen:
            self.told = None

    def empty(self) -> None:
        """Forget the file."""
        self._kept.clear()
        self.offered = None
        if self.asked:
            act, _ = self.asked
            self.asked, self.told = None, Told(None, lambda: _given_up(act), waits=True)
        elif self.told and self.told.seen and not self.told.written:
            self.told = None


def tray(page: str, actor: Actor) -> Tray:
    """Return the tray of *page* in this tab, a new one for another user or tenant."""
    owner = actor.user_id, actor.tenant_id
    found = st.session_state.get(f"{page}_tray")
    if not isinstance(found, Tray) or found.owner != owner:
        found = st.session_state[f"{page}_tray"] = Tray(owner)
    if st.session_state.get("entered_page"):
        found.leave()
    return found


def _given_up(act: Act) -> None:
    notices.warning(
        f"The {plain(act)} was interrupted by another click. Nothing was written; start it again.",
        icon="front_hand",
    )


def _raise(exc: Exception) -> None:
    raise exc
