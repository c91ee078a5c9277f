"""The list of agents, and the dialogs that add, rename, activate and deactivate one."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from sqlmodel import Session

from components.ui import dialogs, named_lists
from components.ui.dialogs import Dialog
from components.ui.lists import Filter
from components.ui.markdown import plain
from components.ui.named_lists import ACTIVE, Wanted
from db.audit.queries import AuditRow
from services import agents
from services.agents import AgentDetail, AgentQuery, ListedAgent
from services.core.access import Permission
from services.text import labels

PLACE = "agents"
_BADGES = {"Active": "green", "Inactive": "gray"}


def toolbar() -> tuple[AgentQuery, Wanted]:
    """Draw search and filters; return the query."""
    wanted = named_lists.toolbar(PLACE, "Search agents...", [Filter("agents_status", "Status", ACTIVE, f"{PLACE}_")])
    return AgentQuery(wanted.text, wanted.active("agents_status")), wanted


def table(rows: Sequence[ListedAgent], *, with_tenant: bool, zone: ZoneInfo) -> None:
    """Draw a page of agents. A click on a name opens its dialog."""
    frame = pd.DataFrame(
        {
            "name": [row.name for row in rows],
            "status": [[ACTIVE[row.is_active]] for row in rows],
            "numbers": [named_lists.counted(row.numbers, agents.COUNT_LIMIT) for row in rows],
            "created": pd.to_datetime([row.created_at for row in rows], utc=True),
        }
    )
    if with_tenant:
        frame.insert(1, "tenant", [row.tenant for row in rows])
    ids = [row.id for row in rows]
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        key="agents_table",
        alt="Agents",
        column_config={
            "name": named_lists.name_column(PLACE, "agent_clicked", ids),
            "tenant": column.TextColumn("Tenant"),
            "status": column.MultiselectColumn(
                "Status", options=list(_BADGES), color=list(_BADGES.values()), width=110
            ),
            "numbers": named_lists.numbers_column(
                "agent_numbers_clicked", [named_lists.of_tenant(row, with_tenant) for row in rows], "agent"
            ),
            "created": column.DatetimeColumn(
                "Created", format="D MMM YYYY, HH:mm", timezone=str(zone), width=150, help=f"In your time zone, {zone}"
            ),
        },
    )


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
