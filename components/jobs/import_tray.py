"""An import by file in this tab: the parsed file, the request and its result, which no click loses."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Generic, NoReturn, TypeVar

import streamlit as st

from components.ui import notices
from components.ui.markdown import plain
from components.ui.page import errors_shown
from services.core.access import Actor
from services.core.errors import DatabaseUnavailable, InvalidInput, ServiceError
from services.jobs.imports import Row
from services.text.files import Sheet

Made = TypeVar("Made")
Drawing = Callable[[], None]


class Act(StrEnum):
    """What can be asked of a file."""

    CHECK = "check"
    ALL = "import"
    GOOD_ONLY = "import of the good rows"


@dataclass
class Result:
    """What came of an act on what the page had `shown`, as something to draw.

    What was `written` is drawn until another act or file; a refusal to write, which `waits`, until it was seen.
    """

    shown: Hashable
    draw: Drawing
    waits: bool = False
    written: bool = False
    seen: bool = False


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

    A click ends the run under way at its next element, or at its next look into the session state. So the request
    is kept by the button's callback, and its result is put here, which is neither. `reading` is a file and what it
    was read as last, for the choices to be drawn from when another reading of it fails.
    """

    owner: Hashable
    request: tuple[Act, Hashable] | None = None
    result: Result | None = None
    reading: tuple[str, Sheet] | None = None
    sheet: Latest[Sheet] = field(default_factory=Latest)
    rows: Latest[list[Row]] = field(default_factory=Latest)

    def sheet_of(self, file_id: str) -> Sheet | None:
        """Return what a file was read as last."""
        return self.reading[1] if self.reading and self.reading[0] == file_id else None

    def ask(self, act: Act, shown: Hashable) -> None:
        """Note in a callback that *act* is requested of what the page has *shown*."""
        self.request, self.result = (act, shown), None

    def act_on(self, shown: Hashable) -> Act | None:
        """Return what was requested of what the page shows. A request for something else is dropped, with a message."""
        if self.request and self.request[1] != shown:
            self._give_up()
        return self.request[0] if self.request else None

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
            self.request = None
        try:
            self.result = Result(shown, act(), waits=writes, written=writes)
        except (ServiceError, DatabaseUnavailable) as exc:
            self.result = Result(shown, partial(refused or _raise, exc), waits=writes)
        except Exception:  # a bug shows once, not in every run from here on
            self.request = None
            raise
        self.request = None

    def draw_result(self, shown: Hashable) -> None:
        """Draw what came of the last act, unless it is about something else than the page shows now."""
        result = self.result
        if result and (result.written or result.shown == shown or (result.waits and not result.seen)):
            with errors_shown():
                result.draw()
            result.seen = True

    def leave(self) -> None:
        """Forget what came of an act that was seen, as at coming back to the page or with another file."""
        if self.result and self.result.seen:
            self.result = None

    def empty(self) -> None:
        """Forget the file."""
        self.sheet, self.rows, self.reading = Latest(), Latest(), None
        if self.request:
            self._give_up()
        elif self.result and not self.result.written:
            self.leave()

    def _give_up(self) -> None:
        """Drop the request; the page says so."""
        assert self.request
        act, _ = self.request
        self.request, self.result = None, Result(None, partial(_draw_given_up, act), waits=True)


def tray(page: str, actor: Actor) -> Tray:
    """Return the tray of *page* in this tab, a new one for another user or tenant."""
    owner = actor.user_id, actor.tenant_id
    found = st.session_state.get(f"{page}_tray")
    if not isinstance(found, Tray) or found.owner != owner:
        found = st.session_state[f"{page}_tray"] = Tray(owner)
    if st.session_state.get("entered_page"):
        found.leave()
    return found


def _draw_given_up(act: Act) -> None:
    notices.warning(
        f"The {plain(act)} was interrupted by another click. Nothing was written; start it again.",
        icon="front_hand",
    )


def _raise(exc: Exception) -> NoReturn:
    raise exc
