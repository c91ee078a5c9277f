"""The settings of a tenant, section by section: what was typed, what it was shown at, and what each save does."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st
from sqlmodel import Session

from components.ui.markdown import plain
from components.ui.sections import Sections
from services.health.thresholds import MEANINGS, Meaning, Thresholds
from services.people import tenant_settings
from services.people.tenant_settings import TenantSettings

_ZONE = "time_zone"
_CAPS = ("cap_warning", "cap")
_HEALTH = tuple(name for name in MEANINGS if name not in _CAPS)
_SECTIONS = {"settings_zone": (_ZONE,), "settings_health": _HEALTH, "settings_caps": _CAPS}
_DEFAULTS = Thresholds()
_WHOLE = {name for name in MEANINGS if isinstance(getattr(_DEFAULTS, name), int)}


def _key(name: str) -> str:
    return f"settings_{name}"


class Editor(Sections[TenantSettings]):
    """Edits *found*, the settings of a tenant, as *actor*."""

    noun = "settings"
    keys: ClassVar[Mapping[str, tuple[str, ...]]] = {
        place: tuple(_key(name) for name in names) for place, names in _SECTIONS.items()
    }

    def values(self, found: TenantSettings) -> dict[str, Any]:
        """Return the values of all inputs, by key."""
        return {_key(_ZONE): found.time_zone, **_widget_values(found.limits, list(MEANINGS))}

    def reread(self, session: Session) -> TenantSettings:
        """Read the settings once more."""
        return tenant_settings.get(session, self.actor)

    def sections(self) -> None:
        """Draw every section with its own save."""
        with self.form("Time zone", "settings_zone", self._save_zone):
            zones = sorted(available_timezones() | {self.found.time_zone})
            st.selectbox("Time zone", zones, key=_key(_ZONE), label_visibility="collapsed")
            st.caption(_clock(self.found.time_zone))
        self._thresholds("Number health", "settings_health")
        self._thresholds("Daily caps", "settings_caps")

    def _thresholds(self, title: str, place: str) -> None:
        names = _SECTIONS[place]
        with st.form(place):
            self.head(title, place)
            for name in names:
                _threshold(name)
            with st.container(horizontal=True):
                st.form_submit_button("Save", on_click=self.saver(place, lambda s, v: self._save_limits(s, v, names)))
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


def _widget_values(limits: Thresholds, names: Sequence[str]) -> dict[str, Any]:
    """Return the values of the widgets: shares in percent."""
    values = asdict(limits)
    return {_key(name): round(values[name] * 100, 4) if MEANINGS[name].is_share else values[name] for name in names}


def _typed(name: str) -> Any:
    value = st.session_state[_key(name)]
    return round(value / 100, 6) if MEANINGS[name].is_share and value is not None else value
