"""The list of agents, and the dialogs that add, rename, activate and deactivate one."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.ui import dialogs
from components.ui.dialogs import Dialog
from components.ui.listing import table as listing_table
from components.ui.listing import toolbar as listing
from components.ui.listing.filters import Filter
from components.ui.listing.table import badges, link, text, time
from components.ui.listing.toolbar import ACTIVE, Wanted
from components.ui.markdown import plain
from db.audit.queries import AuditRow
from services import agents
from services.agents import AgentDetail, AgentQuery, ListedAgent
from services.core.access import Permission
from services.text import labels

PLACE = "agents"
_BADGES = {"Active": "green", "Inactive": "gray"}


def toolbar() -> tuple[AgentQuery, Wanted]:
    """Draw search and filters; return the query."""
    wanted = listing.toolbar(PLACE, "Search agents...", [Filter("agents_status", "Status", ACTIVE)])
    return AgentQuery(wanted.text, wanted.active("agents_status")), wanted


def table(rows: Sequence[ListedAgent], *, with_tenant: bool, zone: ZoneInfo) -> None:
    """Draw a page of agents. A click on a name opens its dialog."""
    columns = [
        link("name", "Name", lambda row: row.name, lambda row: listing.open_row(PLACE, row.id)),
        *([text("tenant", "Tenant", lambda row: row.tenant)] if with_tenant else []),
        badges("status", "Status", lambda row: [ACTIVE[row.is_active]], _BADGES),
        listing_table.numbers("agent", agents.COUNT_LIMIT, with_tenant=with_tenant),
        time("created", "Created", lambda row: row.created_at, zone),
    ]
    listing_table.table("Agents", rows, columns, key="agents_table", of=lambda row: row.id)


@st.dialog("Add agent", on_dismiss="rerun")
def add(dialog: Dialog) -> None:
    """Open the dialog that adds an agent."""
    with st.form("agent_add", border=False):
        name = st.text_input("Name", key="new_agent_name", max_chars=80, placeholder="Maya (sales)")
        sent = _submit("Add agent")
    if sent:
        dialog.do(lambda session: agents.add(session, dialog.actor, name), f"{name.strip()} was added.")


def edit(dialog: Dialog, found: AgentDetail, changes: Sequence[AuditRow]) -> None:
    """Open the dialog of one agent."""
    dialog.show(found.version)
    st.dialog(plain(found.name), on_dismiss="rerun")(_edit)(dialog, found, changes)


def _edit(dialog: Dialog, found: AgentDetail, changes: Sequence[AuditRow]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(ACTIVE[found.is_active], color="green" if found.is_active else "gray")
        st.caption(_answers(found), width="content")
    if not dialog.actor.may(Permission.AGENTS_WRITE):
        dialogs.history(changes, dialog.zone)
        return

    def newest(session: Session) -> int:
        return agents.get(session, dialog.actor, found.id).version

    with st.form("agent_edit", border=False):
        name = st.text_input("Name", value=found.name, key=f"agent_{found.id}_{found.version}_name", max_chars=80)
        sent = _submit("Save")
    if sent:
        dialog.do(
            lambda session: agents.rename(session, dialog.actor, found.id, name, version=dialog.version),
            "Saved.",
            newest,
        )
    dialogs.history(changes, dialog.zone)
    st.divider()
    if not found.is_active:
        if st.button("Activate", icon=":material/play_circle:", key="agent_activate"):
            dialog.do(
                lambda session: agents.activate(session, dialog.actor, found.id, version=dialog.version),
                f"{found.name} is active.",
                newest,
            )
        return
    with st.popover("Deactivate", icon=":material/pause_circle:"):
        keep = "Those numbers keep it until you change them." if found.numbers else ""
        st.markdown(f"{_answers(found)}. {keep}")
        st.caption("It can no longer be chosen for numbers. You can activate it again.")
        if st.button("Deactivate agent", key="agent_deactivate"):
            dialog.do(
                lambda session: agents.deactivate(session, dialog.actor, found.id, version=dialog.version),
                f"{found.name} is inactive.",
                newest,
            )


def _answers(found: AgentDetail) -> str:
    return f"Takes the calls of {labels.amount(found.numbers, 'number')}" if found.numbers else "Not used by any number"


def _submit(label: str) -> bool:
    with st.container(horizontal=True, horizontal_alignment="right"):
        return st.form_submit_button(label, type="primary")
