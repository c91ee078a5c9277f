"""The campaigns of the chosen tenant, or of all of them."""

import streamlit as st

from components.campaigns import campaigns as draw
from components.ui import notices
from components.ui.dialogs import Dialog
from components.ui.page import empty_state, errors_shown, header
from components.ui.session import current_actor, reader_zone, rechecked
from db.base.engine import open_session
from services import campaigns
from services.core.access import Permission

actor, zone = current_actor(), reader_zone()
dialog = Dialog(actor, zone, rechecked(open_session), draw.PLACE)
may_add = actor.may(Permission.CAMPAIGNS_WRITE) and not actor.all_tenants


def add_button(key: str) -> None:
    if st.button("Add campaign", type="primary", icon=":material/add:", key=key):
        draw.add(dialog)


draw.go_to_added()
with header("Campaigns", "Outbound campaigns and the numbers they call from."):
    if may_add:
        add_button("add")
notices.show_kept(draw.PLACE)
with errors_shown(), open_session() as session:
    query, wanted = draw.toolbar()
    total = campaigns.count(session, actor, query)
    table = st.container()
    part = wanted.pager(total, "campaign")
    with table:
        if total:
            draw.table(campaigns.search(session, actor, query, part), wanted, with_tenant=actor.all_tenants, zone=zone)
        elif wanted.is_all:
            with empty_state("No campaigns yet. A campaign calls from a pool of your numbers.", "campaign"):
                if may_add:
                    add_button("add_first")
        else:
            with empty_state("No campaigns match the search and filters.", "search_off"):
                wanted.clear_button()
