"""Edits one number: the input, the version it was shown at, and what each save does."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.numbers import number_page as draw
from components.ui import notices
from db.numbers.rows import NumberRow
from services import agents
from services.connections import connections
from services.connections.connections import provider_named
from services.core.access import Actor
from services.core.errors import Conflict
from services.numbers import numbers
from services.text import numbering

Opener = Callable[[], AbstractContextManager[Session]]
Act = Callable[[Session, int], int]

# Which widgets a changed field shows itself in.
_WIDGETS = {
    "label": ("label", ["number_label"]),
    "agent": ("agent", ["number_agent"]),
    "allowed_inbound": ("inbound", ["number_inbound"]),
    "allowed_outbound": ("outbound", ["number_outbound"]),
    "connection": ("configuration", ["number_connection"]),
    "tags": ("tags_and_notes", ["number_tags"]),
    "notes": ("tags_and_notes", ["number_notes"]),
}
_PROVIDER_FIELD = "provider_field"


@dataclass(frozen=True)
class Editor:
    """Edits *number* as *actor*. *opener* opens the session in which a save happens."""

    actor: Actor
    number: NumberRow
    zone: ZoneInfo
    opener: Opener

    def prepare(self) -> None:
        """Put the number's values into the widgets when the page is entered; keep later input."""
        state = st.session_state
        if state.get("entered_page") or state.get("number_edited") != self.number.id:
            state["number_edited"] = self.number.id
            state["number_version"] = self.number.version
            state.update(self._values())
        else:  # widgets lose their values while they are not drawn
            for key, value in self._values().items():
                state.setdefault(key, value)

    def sections(self, session: Session) -> None:
        """Draw every section with its own save."""
        number, zone = self.number, self.zone
        options = connections.choices(session, self.actor)
        draw.label(number, self._saver("label", self._save_label), zone)
        draw.agent(agents.choices(session, self.actor), number, self._saver("agent", self._save_agent), zone)
        draw.countries(
            "Allowed inbound countries", "number_inbound", "inbound", self._saver("inbound", self._save_inbound), zone
        )
        draw.countries(
            "Allowed outbound countries",
            "number_outbound",
            "outbound",
            self._saver("outbound", self._save_outbound),
            zone,
        )
        providers = {connection.id: connection.provider for connection in options}

        def save_configuration(session: Session, version: int) -> int:
            chosen = st.session_state["number_connection"]
            fields = draw.provider_values(provider_named(providers.get(chosen, number.provider)), "new_provider_field")
            same = providers.get(chosen) == number.provider
            values = number.provider_fields if same else fields
            return numbers.set_connection(session, self.actor, number.id, chosen, values, version=version)

        draw.configuration(number, options, self._saver("configuration", save_configuration), zone)
        draw.provider_fields(number, self._saver("provider_fields", self._save_provider_fields), zone)
        draw.tags_and_notes(
            numbers.tags(session, self.actor), self._saver("tags_and_notes", self._save_tags_and_notes), zone
        )

    def act(self, place: str, act: Act, done: str) -> None:
        """Run *act* on the number as shown; store the notice for *place*."""

        def run() -> str:
            with self.opener() as session:
                st.session_state["number_version"] = act(session, st.session_state["number_version"])
            return done

        if isinstance(notices.outcome(run, place), Conflict):
            self._catch_up(place)

    def activate(self) -> None:
        """Activate the number."""
        self.act("status", lambda s, v: numbers.activate(s, self.actor, self.number.id, version=v), "Activated.")

    def deactivate(self, reason: str) -> None:
        """Deactivate the number."""

        def act(session: Session, version: int) -> int:
            return numbers.deactivate(session, self.actor, self.number.id, reason, version=version)

        self.act("status", act, "Deactivated.")

    def remove(self) -> None:
        """Remove the number from the workspace."""
        done = f"{numbering.display(self.number.e164)} was removed from the workspace."
        self.act("status", lambda s, v: numbers.remove(s, self.actor, self.number.id, version=v), done)

    def put_back(self) -> None:
        """Undo a removal."""
        done = "The number was restored. It is inactive and in no campaign."
        self.act("status", lambda s, v: numbers.put_back(s, self.actor, self.number.id, version=v), done)

    def _saver(self, place: str, act: Act) -> Callable[[], None]:
        return lambda: self.act(place, act, "Saved.")

    def _save_label(self, session: Session, version: int) -> int:
        return numbers.rename(
            session, self.actor, self.number.id, st.session_state["number_label"] or "", version=version
        )

    def _save_agent(self, session: Session, version: int) -> int:
        chosen = draw.chosen_agent("number_agent")
        return numbers.assign_agent(session, self.actor, self.number.id, chosen, version=version)

    def _save_inbound(self, session: Session, version: int) -> int:
        chosen = st.session_state["number_inbound"]
        return numbers.restrict_inbound(session, self.actor, self.number.id, chosen, version=version)

    def _save_outbound(self, session: Session, version: int) -> int:
        chosen = st.session_state["number_outbound"]
        return numbers.restrict_outbound(session, self.actor, self.number.id, chosen, version=version)

    def _save_provider_fields(self, session: Session, version: int) -> int:
        values = draw.provider_values(provider_named(self.number.provider), _PROVIDER_FIELD)
        return numbers.set_provider_fields(session, self.actor, self.number.id, values, version=version)

    def _save_tags_and_notes(self, session: Session, version: int) -> int:
        state = st.session_state
        return numbers.set_tags_and_notes(
            session, self.actor, self.number.id, state["number_tags"], state["number_notes"] or "", version=version
        )

    def _values(self) -> dict[str, Any]:
        number = self.number
        fields = {
            f"{_PROVIDER_FIELD}_{field.name}": number.provider_fields.get(field.name, "")
            for field in provider_named(number.provider).number_fields
        }
        return {
            "number_label": number.label,
            "number_agent": number.agent_id or draw.NO_AGENT,
            "number_inbound": list(number.allowed_inbound),
            "number_outbound": list(number.allowed_outbound),
            "number_connection": number.connection_id,
            "number_tags": list(number.tags),
            "number_notes": number.notes,
            **fields,
        }

    def _catch_up(self, place: str) -> None:
        """After a conflict, show the other's values in sections that were not being saved."""
        state = st.session_state
        with self.opener() as session:
            fresh = numbers.get(session, self.actor, self.number.id)
        changed = {name for row in notices.changes(place) for name in row.before}
        values = Editor(self.actor, fresh, self.zone, self.opener)._values()
        fields = [key for key in values if key.startswith(_PROVIDER_FIELD)]
        for name, (section, keys) in {**_WIDGETS, "provider_fields": ("provider_fields", fields)}.items():
            if name in changed and section != place:
                state.update({key: values[key] for key in keys})
        state["number_version"] = fresh.version
