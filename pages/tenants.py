"""Every tenant of the installation, for superadmins."""

import streamlit as st

from components.people import tenants as draw
from components.ui import notices
from components.ui import session as tab
from components.ui.dialogs import Dialog
from components.ui.listing.toolbar import opened
from components.ui.page import empty_state, errors_shown, header
from db.base.engine import open_session
from db.base.scope import Slice
from services.core.access import Permission
from services.people import tenants

actor, zone = tab.current_actor(), tab.reader_zone()
dialog = Dialog(actor, zone, tab.rechecked(open_session), draw.PLACE)


def work_in(tenant_id: int) -> None:
    with open_session() as session:
        tab.choose_tenant(session, tenant_id)


with header("Tenants", "The workspaces of this installation, each with its own numbers, users and settings."):
    if actor.may(Permission.TENANTS_WRITE) and st.button("Add tenant", type="primary", icon=":material/add:"):
        draw.add(dialog, None if actor.has_scope else work_in)
notices.show_kept(draw.PLACE)
with errors_shown(), open_session() as session:
    query, wanted = draw.toolbar()
    total = tenants.count(session, actor, query)
    table = st.container()
    part = wanted.pager(total, "tenant")
    with table:
        if total:
            draw.table(tenants.search(session, actor, query, part), zone)
        elif wanted.is_all:
            empty_state("No tenants yet. Add the first one.", "domain")
        else:
            with empty_state("No tenants match the search and filters.", "search_off"):
                wanted.clear_button()
    tenant_id = opened(draw.PLACE)
    if tenant_id is not None:
        found = tenants.get(session, actor, tenant_id)
        draw.edit(dialog, found, tenants.history(session, actor, tenant_id, Slice(size=10)), work_in)
