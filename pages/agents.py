"""The agents of the chosen tenant, or of all of them."""

import streamlit as st

from components import agents as draw
from components.ui import notices
from components.ui.dialogs import Dialog
from components.ui.listing.toolbar import opened
from components.ui.page import empty_state, errors_shown, header
from components.ui.session import current_actor, reader_zone, rechecked
from db.base.engine import open_session
from db.base.scope import Slice
from services import agents
from services.audit import audit
from services.core.access import Permission

actor, zone = current_actor(), reader_zone()
dialog = Dialog(actor, zone, rechecked(open_session), draw.PLACE)
may_add = actor.may(Permission.AGENTS_WRITE) and not actor.all_tenants


def add_button(key: str) -> None:
    if st.button("Add agent", type="primary", icon=":material/add:", key=key):
        draw.add(dialog)


with header("Agents", "People or bots that answer inbound calls."):
    if may_add:
        add_button("add")
notices.show_kept(draw.PLACE)
with errors_shown(), open_session() as session:
    query, wanted = draw.toolbar()
    total = agents.count(session, actor, query)
    table = st.container()
    part = wanted.pager(total, "agent")
    with table:
        if total:
            draw.table(agents.search(session, actor, query, part), with_tenant=actor.all_tenants, zone=zone)
        elif wanted.is_all:
            with empty_state("No agents yet. Add one, then assign it to numbers.", "support_agent"):
                if may_add:
                    add_button("add_first")
        else:
            with empty_state("No agents match the search and filters.", "search_off"):
                wanted.clear_button()
    agent_id = opened(draw.PLACE)
    if agent_id is not None:
        found = agents.get(session, actor, agent_id)
        draw.edit(dialog, found, audit.history(session, actor, "agent", found.id, Slice(size=10)))
