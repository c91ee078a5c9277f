"""Edits one number, section by section, and as a whole."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import streamlit as st
from sqlmodel import Session

from components.numbers import number_fields as draw
from components.ui.markdown import plain
from components.ui.sections import Sections
from db.connections import ConnectionRow
from db.numbers.rows import NumberRow
from services import agents
from services.connections import connections
from services.connections.connections import provider_named
from services.numbers import numbers
from services.text import numbering

_COUNTRIES = (
    ("inbound", "Allowed inbound countries", numbers.restrict_inbound),
    ("outbound", "Allowed outbound countries", numbers.restrict_outbound),
)
_FIELD, _NEW_FIELD = "provider_field", "new_provider_field"


class Editor(Sections[NumberRow]):
    """Edits the number *found* as *actor*."""

    noun = "number"
    keys: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "label": ("number_label",),
        "agent": ("number_agent",),
        "inbound": ("number_inbound",),
        "outbound": ("number_outbound",),
        "configuration": ("number_connection",),
        "provider_fields": (_FIELD,),
        "tags_and_notes": ("number_tags", "number_notes"),
    }

    def values(self, found: NumberRow) -> dict[str, Any]:
        """Return the values of all inputs, by key."""
        return {
            "number_label": found.label,
            "number_agent": found.agent_id or draw.NO_AGENT,
            "number_inbound": list(found.allowed_inbound),
            "number_outbound": list(found.allowed_outbound),
            "number_connection": found.connection_id,
            "number_tags": list(found.tags),
            "number_notes": found.notes,
            **{
                f"{_FIELD}_{field.name}": found.provider_fields.get(field.name, "")
                for field in provider_named(found.provider).number_fields
            },
        }

    def reread(self, session: Session) -> NumberRow:
        """Read the number once more."""
        return numbers.get(session, self.actor, self.found.id)

    def sections(self, session: Session) -> None:
        """Draw every section with its own save."""
        actor, number, state = self.actor, self.found, st.session_state

        def rename(session: Session, version: int) -> int:
            return numbers.rename(session, actor, number.id, state["number_label"] or "", version=version)

        with self.form("Label", "label", rename, in_row=True):
            st.text_input("Label", key="number_label", label_visibility="collapsed", placeholder="No label")

        def assign(session: Session, version: int) -> int:
            return numbers.assign_agent(session, actor, number.id, draw.chosen_agent("number_agent"), version=version)

        names = draw.agent_names(agents.choices(session, actor))
        if number.agent_id is not None:
            names.setdefault(number.agent_id, f"{number.agent} (inactive)")
        with self.form("Inbound call agent", "agent", assign, in_row=True):
            draw.agent_choice("number_agent", names, collapsed=True)

        for place, title, restrict in _COUNTRIES:
            save = partial(self._restrict, restrict, f"number_{place}")
            with self.form(title, place, save, in_row=True, caption=draw.NO_RESTRICTION):
                draw.country_choice(title, f"number_{place}", collapsed=True)

        self._configuration(connections.choices(session, actor))

        provider = provider_named(number.provider)

        def set_fields(session: Session, version: int) -> int:
            values = draw.provider_values(provider, _FIELD)
            return numbers.set_provider_fields(session, actor, number.id, values, version=version)

        if provider.number_fields:
            with self.form(f"{provider.name} fields", "provider_fields", set_fields):
                draw.provider_fields(provider, _FIELD)

        def note(session: Session, version: int) -> int:
            tags, notes = state["number_tags"], state["number_notes"] or ""
            return numbers.set_tags_and_notes(session, actor, number.id, tags, notes, version=version)

        with self.form("Tags and notes", "tags_and_notes", note):
            known = sorted({*numbers.tags(session, actor), *state.get("number_tags", [])}, key=str.casefold)
            st.multiselect(
                "Tags", known, key="number_tags", accept_new_options=True, placeholder="Choose tags, or type a new one"
            )
            st.text_area("Notes", key="number_notes", height=110, placeholder="Anything the next operator should know")

    def _restrict(self, restrict: Callable[..., int], key: str, session: Session, version: int) -> int:
        return restrict(session, self.actor, self.found.id, st.session_state[key], version=version)

    def _configuration(self, options: Sequence[ConnectionRow]) -> None:
        """Draw the connection, and what its provider needs when it is another one."""
        number = self.found
        providers = {connection.id: connection.provider for connection in options}

        def connect(session: Session, version: int) -> int:
            chosen = st.session_state["number_connection"]
            provider = providers.get(chosen)
            values = number.provider_fields
            if provider not in (None, number.provider):
                values = dict(draw.provider_values(provider_named(provider), _NEW_FIELD))
            return numbers.set_connection(session, self.actor, number.id, chosen, values, version=version)

        with st.container(border=True):
            self.head("Configuration", "configuration")
            if number.is_managed:
                st.markdown(f"Telephony connection: **{plain(number.connection or '—')}**")
                st.caption("Purchased through this connection, so it cannot be changed.")
                return
            names = draw.connection_names(options)
            if number.connection_id is not None:
                names.setdefault(number.connection_id, f"{number.connection} (inactive)")
            chosen = draw.connection_choice("number_connection", names)
            provider = providers.get(chosen or 0, number.provider)
            if provider != number.provider:
                draw.provider_fields(provider_named(provider), _NEW_FIELD)
            st.button("Save", key="save_configuration", on_click=self.saver("configuration", connect))

    def activate(self) -> None:
        """Activate the number."""
        self._whole(numbers.activate, "Activated.")

    def deactivate(self, reason: str) -> None:
        """Deactivate the number."""
        self._whole(numbers.deactivate, "Deactivated.", reason)

    def remove(self) -> None:
        """Remove the number from the workspace."""
        self._whole(numbers.remove, f"{numbering.display(self.found.e164)} was removed from the workspace.")

    def put_back(self) -> None:
        """Undo a removal."""
        self._whole(numbers.put_back, "The number was restored. It is inactive and in no campaign.")

    def _whole(self, verb: Callable[..., int], done: str, *values: str) -> None:
        self.act("status", lambda s, v: verb(s, self.actor, self.found.id, *values, version=v), done)
