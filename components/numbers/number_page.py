"""A number's page: its header card, what is done to it as a whole, and its settings for who only reads."""

from collections.abc import Sequence

import streamlit as st

from components.numbers.number_editor import Editor
from components.ui.dialogs import confirmed
from components.ui.markdown import plain
from components.ui.page import exactly, when
from db.models import NumberStatus
from db.numbers.rows import CampaignUse, NumberRow
from services.connections.connections import provider_named
from services.orders import orders
from services.text import labels, numbering


def card(editor: Editor, *, with_tenant: bool, writes: bool) -> None:
    """Draw the number, its badges and summary line, and its activation buttons."""
    number, zone = editor.found, editor.zone
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


def actions(editor: Editor) -> None:
    """Draw the buttons that activate, deactivate or restore the number."""
    number = editor.found
    if number.status is NumberStatus.REMOVED:
        st.button("Restore to workspace", icon=":material/undo:", on_click=editor.put_back)
    elif number.status is NumberStatus.ACTIVE:
        if st.button("Deactivate", icon=":material/pause_circle:"):
            _confirm_deactivation(editor)
    elif number.status is NumberStatus.INACTIVE:
        st.button("Activate", icon=":material/play_circle:", type="primary", on_click=editor.activate)


def danger(editor: Editor, uses: Sequence[CampaignUse]) -> None:
    """Draw the removal of a BYOT number, apart from the rest; it asks for confirmation."""
    with st.container(border=True):
        st.markdown(":red[**Remove from workspace**]")
        st.caption(
            "Takes the number out of this workspace; its record and history are kept. Nothing changes at the provider."
        )
        if st.button(":red[Remove from workspace]", icon=":material/delete:"):
            _confirm_removal(editor, uses)


@st.dialog("Deactivate")
def _confirm_deactivation(editor: Editor) -> None:
    number = editor.found
    provider = provider_named(number.provider).name
    billing = plain(f"billing of {labels.money(number.monthly)} a month" if number.monthly else "billing")
    st.markdown(
        f"**{plain(numbering.display(number.e164))}** will be inactive here:\n"
        "- It cannot be added to campaigns, and pools that have it show it as inactive.\n"
        f"- Nothing changes at {plain(provider)}: calls still reach it, and its {billing} goes on.\n"
        "- You can activate it again at any time."
    )
    st.text_input("Reason (optional)", key="deactivate_reason", max_chars=300)

    def deactivate() -> None:
        editor.deactivate(st.session_state.get("deactivate_reason") or "")

    if confirmed("Deactivate number", on_click=deactivate, icon=":material/pause_circle:"):
        st.rerun()


@st.dialog("Remove from workspace")
def _confirm_removal(editor: Editor, uses: Sequence[CampaignUse]) -> None:
    st.markdown(f"**{plain(numbering.display(editor.found.e164))}** will be removed. Attached to it:")
    attached(uses, editor.found)
    st.caption("You can restore it later from its page, unless it has been added again.")
    if confirmed("Remove", on_click=editor.remove, red=True, icon=":material/delete:"):
        st.rerun()


def _countries_told(codes: Sequence[str]) -> str:
    return ", ".join(numbering.country(code) for code in codes) or "No restriction"
