"""The telephony connections of the chosen tenant, or of all of them."""

import streamlit as st

from components.connections import connections as draw
from components.ui import notices
from components.ui.dialogs import Dialog
from components.ui.listing.toolbar import opened
from components.ui.page import empty_state, errors_shown, header
from components.ui.session import current_actor, reader_zone, rechecked
from db.base.engine import open_session
from db.base.scope import Slice
from services.audit import audit
from services.connections import connections
from services.core.access import Permission

actor, zone = current_actor(), reader_zone()
dialog = Dialog(actor, zone, rechecked(open_session), draw.PLACE)
may_add = actor.may(Permission.CONNECTIONS_WRITE) and not actor.all_tenants


def add_button(key: str) -> None:
    if st.button("Add connection", type="primary", icon=":material/add:", key=key):
        draw.add(dialog)


with header("Telephony connections", "Your accounts with the providers of your numbers."):
    if may_add:
        add_button("add")
notices.show_kept(draw.PLACE)
with errors_shown(), open_session() as session:
    query, wanted = draw.toolbar()
    total = connections.count(session, actor, query)
    table = st.container()
    part = wanted.pager(total, "connection")
    with table:
        if total:
            draw.table(connections.search(session, actor, query, part), with_tenant=actor.all_tenants, zone=zone)
        elif wanted.is_all:
            with empty_state("No telephony connections yet. Add one to buy or register numbers.", "cable"):
                if may_add:
                    add_button("add_first")
        else:
            with empty_state("No connections match the search and filters.", "search_off"):
                wanted.clear_button()
    connection_id = opened(draw.PLACE)
    if connection_id is not None:
        found = connections.get(session, actor, connection_id)
        changes = audit.history(session, actor, "connection", found.id, Slice(size=10))
        draw.edit(dialog, found, connections.uses(session, actor, found.id), changes)
