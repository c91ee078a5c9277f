"""The list of agents, and the dialogs that add, rename, activate and deactivate one."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.jobs.previews import preview
from components.numbers import number_fields
from components.ui import dialogs
from components.ui.dialogs import Dialog
from components.ui.listing import toolbar as listing
from components.ui.listing.filters import Filter
from components.ui.listing.table import Column, badges, link, numbers, text, time
from components.ui.listing.toolbar import ACTIVE, Wanted
from components.ui.markdown import plain
from db.agents import AgentDetail, AgentQuery
from db.audit.queries import AuditRow
from db.base.scope import Slice
from db.numbers.matching import NumberQuery
from services import agents
from services.audit import audit
from services.core.access import Permission
from services.numbers import bulk
from services.numbers.bulk import Chosen
from services.text import labels

PLACE = "agents"
_BADGES = {"Active": "green", "Inactive": "gray"}


def toolbar() -> tuple[AgentQuery, Wanted]:
    """Draw search and filters; return the query."""
    wanted = listing.toolbar(PLACE, "Search agents...", [Filter("agents_status", "Status", ACTIVE)])
    return AgentQuery(wanted.text, wanted.active("agents_status")), wanted


def columns(with_tenant: bool, zone: ZoneInfo) -> list[Column[AgentDetail]]:
    """Return the columns of agents. A click on a name opens its dialog."""
    return [
        link("name", "Name", lambda row: row.name, lambda row: listing.open_row(PLACE, row.id)),
        *([text("tenant", "Tenant", lambda row: row.tenant)] if with_tenant else []),
        badges("status", "Status", lambda row: [ACTIVE[row.is_active]], _BADGES),
        numbers("agent", with_tenant=with_tenant),
        time("created", "Created", lambda row: row.created_at, zone),
    ]


@st.dialog("Add agent", on_dismiss="rerun")
def add(dialog: Dialog) -> None:
    """Open the dialog that adds an agent."""
    with st.form("agent_add", border=False):
        name = st.text_input("Name", key="new_agent_name", max_chars=80, placeholder="Maya (sales)")
        sent = dialogs.submit("Add agent")
    if sent:
        dialog.do(lambda session: agents.add(session, dialog.actor, name), f"{name.strip()} was added.")


def edit(session: Session, dialog: Dialog, agent_id: int) -> None:
    """Open the dialog of one agent."""
    found = agents.get(session, dialog.actor, agent_id)
    changes = audit.history(session, dialog.actor, "agent", found.id, Slice(size=10))
    dialog.show(found.version)
    st.dialog(plain(found.name), on_dismiss="rerun")(_edit)(dialog, found, changes)


def _edit(dialog: Dialog, found: AgentDetail, changes: Sequence[AuditRow]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(ACTIVE[found.is_active], color="green" if found.is_active else "gray")
        st.caption(_answers(found), width="content")
    if not dialog.actor.may(Permission.AGENTS_WRITE):
        dialogs.history(changes, dialog.zone)
        return

    with st.form("agent_edit", border=False):
        name = st.text_input("Name", value=found.name, key=f"agent_{found.id}_{found.version}_name", max_chars=80)
        sent = dialogs.submit("Save")
    if sent:
        dialog.change(agents.rename, found.id, name, done="Saved.", get=agents.get)
    dialogs.history(changes, dialog.zone)
    st.divider()

    def say_what_follows() -> None:
        keep = "Those numbers keep it until you change them." if found.numbers else ""
        st.markdown(f"{_answers(found)}. {keep}")
        st.caption("It can no longer be chosen for numbers. You can activate it again.")

    dialog.switch("agent", found, agents.set_active, agents.get, say_what_follows)
    if found.numbers and dialog.actor.may(Permission.NUMBERS_WRITE) and not dialog.actor.all_tenants:
        _replace(dialog, found)


def _replace(dialog: Dialog, found: AgentDetail) -> None:
    """Draw the way to give all numbers of an agent to another one."""
    with st.popover("Replace on all numbers", icon=":material/swap_horiz:"):
        with dialog.opener() as session:
            others = [row for row in agents.choices(session, dialog.actor) if row.id != found.id]
        number_fields.agent_choice("agent_instead", number_fields.agent_names(others))
        st.caption(f"The preview shows each of the {labels.amount(found.numbers, 'number')}.")
        if st.button("Preview", key="agent_replace"):
            chosen = Chosen(query=NumberQuery(agents=(found.id,)))
            agent_id = number_fields.chosen_agent("agent_instead")

            def draft(session: Session) -> int:
                return bulk.draft("assign_agent", session, dialog.actor, chosen, agent_id=agent_id)

            preview(dialog.opener, dialog.place, draft)


def _answers(found: AgentDetail) -> str:
    return f"Takes the calls of {labels.amount(found.numbers, 'number')}" if found.numbers else "Not used by any number"
