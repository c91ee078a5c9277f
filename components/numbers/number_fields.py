"""The inputs of a number, on its page and in the wizard."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from components.ui.markdown import plain
from db.agents import AgentRow
from db.connections import ConnectionRow
from providers.base import Provider
from services.connections.connections import provider_named
from services.text import numbering

NO_AGENT = 0
NO_RESTRICTION = "Empty means no restriction."


def provider_fields(found: type[Provider], prefix: str, *, persist: bool = False) -> None:
    """Draw an input for each field that *found* needs of a number; read them with `provider_values`."""
    for field in found.number_fields:
        st.text_input(
            plain(field.label if field.required else f"{field.label} (optional)"),
            key=f"{prefix}_{field.name}",
            help=field.help or None,
            placeholder=field.placeholder or None,
            persist_state="page" if persist else None,
        )


def provider_values(found: type[Provider], prefix: str) -> Mapping[str, str]:
    """Return the values of the inputs of `provider_fields`."""
    return {field.name: st.session_state.get(f"{prefix}_{field.name}") or "" for field in found.number_fields}


def agent_names(options: Sequence[AgentRow]) -> dict[int, str]:
    """Return the agents' names by id."""
    return {row.id: row.name for row in options}


def connection_names(options: Sequence[ConnectionRow]) -> dict[int, str]:
    """Return the connections by id, each with its provider."""
    return {row.id: f"{row.name} · {provider_named(row.provider).name}" for row in options}


def connection_choice(key: str, names: Mapping[int, str], **more: Any) -> int | None:
    """Draw the choice of a connection; return it. *more* is what else a selectbox takes."""
    chosen: int | None = st.selectbox(
        "Telephony connection",
        list(names),
        format_func=lambda value: names.get(value, "—"),
        key=key,
        index=None,
        placeholder="Choose a connection" if names else "No active connection",
        **more,
    )
    return chosen


def agent_choice(key: str, names: Mapping[int, str], *, collapsed: bool = False, persist: bool = False) -> None:
    """Draw the choice of an active agent, or none: read it with `chosen_agent`."""
    st.selectbox(
        "Inbound call agent",
        [NO_AGENT, *names],
        format_func=lambda value: names.get(value, "No agent (assign later)"),
        key=key,
        label_visibility="collapsed" if collapsed else "visible",
        persist_state="page" if persist else None,
    )


def chosen_agent(key: str) -> int | None:
    """Return the agent that was chosen in `agent_choice`."""
    return st.session_state.get(key) or None


def country_choice(title: str, key: str, *, collapsed: bool = False, persist: bool = False) -> None:
    """Draw the choice of allowed countries."""
    st.multiselect(
        plain(title),
        list(numbering.countries()),
        format_func=numbering.country,
        key=key,
        placeholder="No restriction",
        select_all=False,
        label_visibility="collapsed" if collapsed else "visible",
        persist_state="page" if persist else None,
    )


def configuration(agents: Sequence[AgentRow], label: str = "Optional") -> None:
    """Draw what the wizard asks about a new number; read it with `configured`. *label* stands in the empty input."""
    st.text_input("Label (name)", key="add_label", placeholder=label, persist_state="page")
    agent_choice("add_agent", agent_names(agents), persist=True)
    country_choice("Allowed inbound countries", "add_inbound", persist=True)
    country_choice("Allowed outbound countries", "add_outbound", persist=True)
    st.caption(NO_RESTRICTION)


def configured() -> dict[str, Any]:
    """Return the values of the inputs of `configuration`, by what a configuration calls them."""
    state = st.session_state
    return {
        "label": state.get("add_label") or "",
        "agent_id": chosen_agent("add_agent"),
        "allowed_inbound": state.get("add_inbound") or [],
        "allowed_outbound": state.get("add_outbound") or [],
    }
