"""A page of sections that are saved one by one, each at the version of the thing that was shown."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.audit import history
from components.ui import notices
from components.ui.markdown import plain
from services.core.access import Actor
from services.core.errors import Conflict

Opener = Callable[[], AbstractContextManager[Session]]
Save = Callable[[Session, int], int]
"""Saves at a version and returns the new one."""


class HasVersion(Protocol):
    """What is edited: one thing, at one version."""

    @property
    def id(self) -> int: ...
    @property
    def version(self) -> int: ...


Found = TypeVar("Found", bound=HasVersion)


@dataclass(frozen=True)
class Sections(ABC, Generic[Found]):
    """Edits *found* as *actor*. *opener* opens the session in which a save happens."""

    actor: Actor
    found: Found
    zone: ZoneInfo
    opener: Opener
    noun: ClassVar[str]
    """What is edited; begins the names under which the page keeps its state."""
    keys: ClassVar[Mapping[str, tuple[str, ...]]]
    """How the keys of the inputs in each section begin."""

    @abstractmethod
    def values(self, found: Found) -> dict[str, Any]:
        """Return the values of all inputs, by key."""

    @abstractmethod
    def reread(self, session: Session) -> Found:
        """Read what is edited once more."""

    def prepare(self) -> None:
        """Put the values into the inputs when the page is entered; keep later input."""
        state, values = st.session_state, self.values(self.found)
        if state.get("entered_page") or state.get(f"{self.noun}_edited") != self.found.id:
            state[f"{self.noun}_edited"] = self.found.id
            state[f"{self.noun}_version"] = self.found.version
            state.update(values)
        else:  # inputs lose their values while they are not drawn
            for key, value in values.items():
                state.setdefault(key, value)
        if state[f"{self.noun}_version"] == self.found.version:
            state[f"{self.noun}_shown"] = values

    @contextmanager
    def form(self, title: str, place: str, save: Save, *, in_row: bool = False, caption: str = "") -> Iterator[None]:
        """Draw a section around inputs, with a button that saves it."""
        with st.form(place, border=True):
            self.head(title, place)
            with st.container(horizontal=in_row, vertical_alignment="bottom" if in_row else "top"):
                yield
                st.form_submit_button("Save", on_click=self.saver(place, save))
            if caption:
                st.caption(plain(caption))

    def head(self, title: str, place: str) -> None:
        """Draw a section's title and the notice of its last save."""
        st.markdown(f"**{plain(title)}**")
        changes = notices.show_kept(place)
        if changes:
            st.markdown("Changed by someone else:")
            history.history(changes, self.zone)
            st.caption("Your input is still here. Save again to keep it.")

    def saver(self, place: str, save: Save) -> Callable[[], None]:
        """Return what a click on the button of a section does."""
        return lambda: self.act(place, save, "Saved.")

    def act(self, place: str, act: Save, done: str) -> None:
        """Run *act* on the thing as it was shown; keep the notice for *place*."""

        def run() -> str:
            with self.opener() as session:
                st.session_state[f"{self.noun}_version"] = act(session, st.session_state[f"{self.noun}_version"])
            return done

        if isinstance(notices.outcome(run, place), Conflict):
            self._catch_up(place)

    def _catch_up(self, place: str) -> None:
        """After a conflict, show what others changed in the sections that were not being saved."""
        state = st.session_state
        with self.opener() as session:
            fresh = self.reread(session)
        values, shown = self.values(fresh), state[f"{self.noun}_shown"]
        mine = self.keys.get(place, ())
        state.update({k: v for k, v in values.items() if v != shown.get(k) and not k.startswith(mine)})
        state[f"{self.noun}_version"] = fresh.version
