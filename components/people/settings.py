"""The settings of a tenant, section by section: what was typed, what it was shown at, and what each save does."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st
from sqlmodel import Session

from components.numbers.number_page import section
from components.ui import notices
from components.ui.markdown import plain
from services.core.access import Actor
from services.core.errors import Conflict
from services.health.thresholds import MEANINGS, Meaning, Thresholds
from services.people import tenant_settings
from services.people.tenant_settings import TenantSettings

_ZONE = "time_zone"
_CAPS = ("cap_warning", "cap")
_HEALTH = tuple(name for name in MEANINGS if name not in _CAPS)
_SECTIONS = {"settings_zone": (_ZONE,), "settings_health": _HEALTH, "settings_caps": _CAPS}
_DEFAULTS = Thresholds()
_WHOLE = {name for name in MEANINGS if isinstance(getattr(_DEFAULTS, name), int)}


@dataclass(frozen=True)
class Editor:
    """Edits *found*, the settings of a tenant, as *actor*. *opener* opens the session in which a save happens."""

    actor: Actor
    found: TenantSettings
    zone: ZoneInfo
    opener: Callable[[], AbstractContextManager[Session]]

    def prepare(self) -> None:
        """Put the settings into the widgets when the page is entered; keep later input."""
        state = st.session_state
        if state.get("entered_page") or state.get("settings_of") != self.found.tenant_id:
            state["settings_of"] = self.found.tenant_id
            state["settings_version"] = self.found.version
            state.update(_values(self.found))
        else:  # widgets lose their values while they are not drawn
            for key, value in _values(self.found).items():
                state.setdefault(key, value)

    def sections(self) -> None:
        """Draw every section with its own save."""
        with st.form("settings_zone"):
            section("Time zone", "settings_zone", self.zone)
            zones = sorted(available_timezones() | {self.found.time_zone})
            st.selectbox("Time zone", zones, key=_key(_ZONE), label_visibility="collapsed")
            st.caption(_clock(self.found.time_zone))
            st.form_submit_button("Save", on_click=self._saver("settings_zone", self._save_zone))
        self._thresholds("Number health", "settings_health")
        self._thresholds("Daily caps", "settings_caps")

    def _thresholds(self, title: str, place: str) -> None:
        names = _SECTIONS[place]
        with st.form(place):
            section(title, place, self.zone)
            for name in names:
                _threshold(name)
            with st.container(horizontal=True):
                st.form_submit_button("Save", on_click=self._saver(place, lambda s, v: self._save_limits(s, v, names)))
                st.form_submit_button(
                    "Reset to defaults",
                    icon=":material/restart_alt:",
                    help="Fills in the defaults. Save to keep them.",
                    on_click=lambda: st.session_state.update(_widget_values(_DEFAULTS, names)),
                )

    def _save_zone(self, session: Session, version: int) -> int:
        chosen = st.session_state[_key(_ZONE)] or ""
        return tenant_settings.set_time_zone(session, self.actor, chosen, version=version)

    def _save_limits(self, session: Session, version: int, names: Sequence[str]) -> int:
        limits = replace(self.found.limits, **{name: _typed(name) for name in names})
        return tenant_settings.set_limits(session, self.actor, limits, version=version)

    def _saver(self, place: str, act: Callable[[Session, int], int]) -> Callable[[], None]:
        def run() -> str:
            with self.opener() as session:
                st.session_state["settings_version"] = act(session, st.session_state["settings_version"])
            return "Saved."

        def save() -> None:
            if isinstance(notices.outcome(run, place), Conflict):
                self._catch_up(place)

        return save

    def _catch_up(self, place: str) -> None:
        """After a conflict, show the other's values in sections that were not being saved."""
        with self.opener() as session:
            fresh = tenant_settings.get(session, self.actor)
        saved_keys = {_key(name) for name in _SECTIONS[place]}
        values = {key: value for key, value in _values(fresh).items() if key not in saved_keys}
        st.session_state.update(values, settings_version=fresh.version)


def read_only(found: TenantSettings) -> None:
    """Draw the settings for a reader who may not change them."""
    with st.container(border=True):
        _line("Time zone", found.time_zone, _clock(found.time_zone))
        for name, meaning in MEANINGS.items():
            _line(meaning.label, meaning.text(getattr(found.limits, name)), meaning.sentence)


def _line(name: str, value: str, sentence: str) -> None:
    with st.container(gap=None):
        st.markdown(f"{plain(name)}: **{plain(value)}**")
        st.caption(sentence)


def _threshold(name: str) -> None:
    meaning = MEANINGS[name]
    whole = name in _WHOLE
    entry, told = st.columns([0.42, 0.58])
    # Without bounds of its own: what is out of range is to be refused in words when it is saved.
    entry.number_input(
        plain(f"{meaning.label} ({meaning.unit})"),
        value=None,
        step=1 if whole else 1.0,
        format="%d" if whole else "%g",
        key=_key(name),
    )
    told.caption(f"{meaning.sentence} {plain(_range(name, meaning))}")


def _range(name: str, meaning: Meaning) -> str:
    least, most = meaning.number(meaning.least), meaning.text(meaning.most)
    return f"From {least} to {most}; the default is {meaning.number(getattr(_DEFAULTS, name))}."


def _clock(zone: str) -> str:
    now = datetime.now(ZoneInfo(zone))
    return f"It is {now:%H:%M} there now. Call days and daily caps start at midnight there."


def _key(name: str) -> str:
    return f"settings_{name}"


def _values(found: TenantSettings) -> dict[str, Any]:
    return {_key(_ZONE): found.time_zone, **_widget_values(found.limits, list(MEANINGS))}


def _widget_values(limits: Thresholds, names: Sequence[str]) -> dict[str, Any]:
    """Return the values of the widgets: shares in percent."""
    values = asdict(limits)
    return {_key(name): round(values[name] * 100, 4) if MEANINGS[name].is_share else values[name] for name in names}


def _typed(name: str) -> Any:
    value = st.session_state[_key(name)]
    return round(value / 100, 6) if MEANINGS[name].is_share and value is not None else value
