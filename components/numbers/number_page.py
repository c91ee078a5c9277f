"""A number's page: its header card, and the sections that are saved one by one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

import streamlit as st

from components.audit import history
from components.ui import notices
from components.ui.markdown import plain
from components.ui.page import exactly, when
from components.ui.streamlit_internals import DeltaGenerator
from db.agents import AgentRow
from db.connections import ConnectionRow
from db.models import NumberStatus
from db.numbers.rows import CampaignUse, NumberRow
from providers.base import Provider
from services.connections.connections import provider_named
from services.orders import orders
from services.text import labels, numbering

NO_AGENT = 0
NO_RESTRICTION = "Empty means no restriction."
Save = Callable[[], None]


def card(editor: "NumberActions", zone: ZoneInfo, *, with_tenant: bool, writes: bool) -> None:
    """Draw the number, its badges and summary line, and its activation buttons."""
    number = editor.number
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                st.title(f":material/call: `{numbering.display(number.e164)}`", anchor=False, width="content")
                st.badge(
                    labels.STATUS[number.status], color="green" if number.status is NumberStatus.ACTIVE else "gray"
                )
                st.badge(labels.MANAGED[number.is_managed], color="blue" if number.is_managed else "gray")
            with st.container(horizontal=True, width="content"):
                if writes:
                    actions(editor)
        parts = [
            number.label or "No label",
            provider_named(number.provider).name,
            numbering.country(number.country),
            labels.TYPE[number.number_type],
        ]
        if with_tenant:
            parts.append(number.tenant)
        st.markdown(" · ".join(plain(part) for part in parts))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.code(number.e164, language=None, width=200)
            text = f"Added {when(number.created_at, zone)}"
            if number.released_at:
                text += f" · {labels.STATUS[number.status]} {when(number.released_at, zone)}"
            if number.buy_back_until and orders.may_be_bought_back(number):
                text += f" · can be bought back until {exactly(number.buy_back_until, zone)}"
            if number.monthly:
                text += f" · {plain(labels.money(number.monthly))} a month"
            hover = f"Added {exactly(number.created_at, zone)}, last changed {exactly(number.updated_at, zone)}"
            st.caption(text, help=hover)


def section(title: str, place: str, zone: ZoneInfo) -> None:
    """Draw a section's title and the notice of its last save."""
    st.markdown(f"**{plain(title)}**")
    changes = notices.show_kept(place)
    if changes:
        st.markdown("Changed by someone else:")
        history.history(changes, zone)
        st.caption("Your input is still here. Save again to keep it.")


def label(number: NumberRow, save: Save, zone: ZoneInfo) -> None:
    """Draw the section `Label`."""
    with st.form("label", border=True):
        section("Label", "label", zone)
        with _row():
            st.text_input("Label", key="number_label", label_visibility="collapsed", placeholder="No label")
            _save(save)


def agent(offered: Sequence[AgentRow], number: NumberRow, save: Save, zone: ZoneInfo) -> None:
    """Draw the section `Inbound call agent`."""
    names = agent_names(offered)
    if number.agent_id is not None and number.agent_id not in names:
        names[number.agent_id] = f"{number.agent} (inactive)"
    with st.form("agent", border=True):
        section("Inbound call agent", "agent", zone)
        with _row():
            agent_choice("number_agent", names, collapsed=True)
            _save(save)


def countries(title: str, key: str, place: str, save: Save, zone: ZoneInfo) -> None:
    """Draw a section of allowed countries."""
    with st.form(place, border=True):
        section(title, place, zone)
        with _row():
            country_choice(title, key, collapsed=True)
            _save(save)
        st.caption(NO_RESTRICTION)


def configuration(number: NumberRow, offered: Sequence[ConnectionRow], save: Save, zone: ZoneInfo) -> None:
    """Draw the section `Configuration`: the connection, and what its provider needs when it is another one."""
    with st.container(border=True):
        section("Configuration", "configuration", zone)
        if number.is_managed:
            st.markdown(f"Telephony connection: **{plain(number.connection or '—')}**")
            st.caption("Purchased through this connection, so it cannot be changed.")
        else:
            names = connection_names(offered)
            if number.connection_id is not None and number.connection_id not in names:
                names[number.connection_id] = f"{number.connection} (inactive)"
            chosen = st.selectbox(
                "Telephony connection",
                list(names),
                format_func=lambda value: names.get(value, "—"),
                key="number_connection",
                index=None,
                placeholder="Choose a connection",
            )
            other = next((c for c in offered if c.id == chosen and c.provider != number.provider), None)
            if other is not None:
                provider_fields_of(provider_named(other.provider), "new_provider_field")
            st.button("Save", key="save_configuration", on_click=save)


def provider_fields(number: NumberRow, save: Save, zone: ZoneInfo) -> None:
    """Draw the fields that the number's provider needs, where it has any."""
    found = provider_named(number.provider)
    if not found.number_fields:
        return
    with st.form("provider_fields", border=True):
        section(f"{found.name} fields", "provider_fields", zone)
        provider_fields_of(found, "provider_field")
        _save(save)


def tags_and_notes(offered: Sequence[str], save: Save, zone: ZoneInfo) -> None:
    """Draw the section of tags and notes."""
    with st.form("tags_and_notes", border=True):
        section("Tags and notes", "tags_and_notes", zone)
        known = sorted({*offered, *st.session_state.get("number_tags", [])}, key=str.casefold)
        st.multiselect(
            "Tags", known, key="number_tags", accept_new_options=True, placeholder="Choose tags, or type a new one"
        )
        st.text_area("Notes", key="number_notes", height=110, placeholder="Anything the next operator should know")
        _save(save)


def read_only(number: NumberRow) -> None:
    """Draw the settings read-only: for viewers, or for a number that is gone."""
    fields = {
        "Label": number.label,
        "Inbound call agent": number.agent or "Unassigned",
        "Allowed inbound countries": _countries_told(number.allowed_inbound),
        "Allowed outbound countries": _countries_told(number.allowed_outbound),
        "Telephony connection": number.connection,
        **{
            field.label: number.provider_fields.get(field.name)
            for field in provider_named(number.provider).number_fields
        },
        "Tags": ", ".join(number.tags),
        "Notes": number.notes,
    }
    with st.container(border=True):
        for name, value in fields.items():
            with st.container(gap=None):
                st.caption(plain(name))
                st.markdown(plain(value) if value else "—")


def attached(uses: Sequence[CampaignUse], number: NumberRow) -> None:
    """Draw what the number is attached to."""
    lines = [
        f"- Campaign **{plain(use.name)}**: "
        + " and ".join([*(["its primary number"] if use.is_primary else []), *(["in its pool"] if use.in_pool else [])])
        for use in uses
    ]
    if number.agent:
        lines.append(f"- Inbound call agent **{plain(number.agent)}**")
    st.markdown("\n".join(lines) or "Nothing.")


def provider_fields_of(found: type[Provider], prefix: str, *, persist: bool = False) -> None:
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
    """Return the values of the inputs of `provider_fields_of`."""
    return {field.name: st.session_state.get(f"{prefix}_{field.name}") or "" for field in found.number_fields}


def agent_names(offered: Sequence[AgentRow]) -> dict[int, str]:
    """Return the agents' names by id."""
    return {row.id: row.name for row in offered}


def connection_names(offered: Sequence[ConnectionRow]) -> dict[int, str]:
    """Return the connections by id, each with its provider."""
    return {row.id: f"{row.name} · {provider_named(row.provider).name}" for row in offered}


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
        title,
        list(numbering.countries()),
        format_func=numbering.country,
        key=key,
        placeholder="No restriction",
        select_all=False,
        label_visibility="collapsed" if collapsed else "visible",
        persist_state="page" if persist else None,
    )


def _countries_told(codes: Sequence[str]) -> str:
    return ", ".join(numbering.country(code) for code in codes) or "No restriction"


def _row() -> DeltaGenerator:
    return st.container(horizontal=True, vertical_alignment="bottom")


def _save(save: Save) -> None:
    st.form_submit_button("Save", on_click=save)


class NumberActions(Protocol):
    """Actions on a number as a whole; see `Editor`."""

    @property
    def number(self) -> NumberRow: ...

    def activate(self) -> None: ...
    def deactivate(self, reason: str) -> None: ...
    def remove(self) -> None: ...
    def put_back(self) -> None: ...


def actions(editor: NumberActions) -> None:
    """Draw the buttons that activate, deactivate or restore the number."""
    number = editor.number
    if number.status is NumberStatus.REMOVED:
        st.button("Restore to workspace", icon=":material/undo:", on_click=editor.put_back)
    elif number.status is NumberStatus.ACTIVE:
        if st.button("Deactivate", icon=":material/pause_circle:"):
            _confirm_deactivation(editor)
    elif number.status is NumberStatus.INACTIVE:
        st.button("Activate", icon=":material/play_circle:", type="primary", on_click=editor.activate)


def danger(editor: NumberActions, uses: Sequence[CampaignUse]) -> None:
    """Draw the removal of a BYOT number, apart from the rest; it asks for confirmation."""
    with st.container(border=True):
        st.markdown(":red[**Remove from workspace**]")
        st.caption(
            "Takes the number out of this workspace; its record and history are kept. Nothing changes at the provider."
        )
        if st.button(":red[Remove from workspace]", icon=":material/delete:"):
            _confirm_removal(editor, uses)


@st.dialog("Deactivate")
def _confirm_deactivation(editor: NumberActions) -> None:
    number = editor.number
    provider = provider_named(number.provider).name
    billing = plain(f"billing of {labels.money(number.monthly)} a month" if number.monthly else "billing")
    st.markdown(
        f"**{plain(numbering.display(number.e164))}** will be inactive here:\n"
        "- It cannot be added to campaigns, and pools that have it show it as inactive.\n"
        f"- Nothing changes at {plain(provider)}: calls still reach it, and its {billing} goes on.\n"
        "- You can activate it again at any time."
    )
    st.text_input("Reason (optional)", key="deactivate_reason", max_chars=300)
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel"):
            st.rerun()
        if st.button(
            "Deactivate number",
            type="primary",
            icon=":material/pause_circle:",
            on_click=lambda: editor.deactivate(st.session_state.get("deactivate_reason") or ""),
        ):
            st.rerun()


@st.dialog("Remove from workspace")
def _confirm_removal(editor: NumberActions, uses: Sequence[CampaignUse]) -> None:
    st.markdown(f"**{plain(numbering.display(editor.number.e164))}** will be removed. Attached to it:")
    attached(uses, editor.number)
    st.caption("You can restore it later from its page, unless it has been added again.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel"):
            st.rerun()
        if st.button(":red[Remove]", icon=":material/delete:"):
            editor.remove()
            st.rerun()
