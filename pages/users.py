"""The users of the chosen tenant, or of the installation, and their roles."""

import streamlit as st

from components.people import users as draw
from components.ui import notices
from components.ui import session as tab
from components.ui.dialogs import Dialog
from components.ui.listing.toolbar import opened
from components.ui.page import empty_state, errors_shown, header
from db.base.engine import open_session
from db.base.scope import Slice
from services.core.access import Permission
from services.people import users

actor, zone = tab.current_actor(), tab.reader_zone()
dialog = Dialog(actor, zone, tab.rechecked(open_session), draw.PLACE)

with header("Users", "Who can sign in and what they can do."):
    if actor.all_tenants and actor.may(Permission.SUPERADMINS_WRITE):
        if st.button("Add superadmin", type="primary", icon=":material/add_moderator:"):
            draw.add_superadmin(dialog)
    elif actor.may(Permission.USERS_WRITE) and st.button("Add user", type="primary", icon=":material/person_add:"):
        draw.add(dialog)
notices.show_kept(draw.PLACE)
draw.one_time_password()
with errors_shown(), open_session() as session:
    query, wanted = draw.toolbar()
    total = users.count(session, actor, query)
    table = st.container()
    part = wanted.pager(total, "user")
    with table:
        if total:
            draw.table(users.search(session, actor, query, part), with_tenant=actor.all_tenants, zone=zone)
        elif wanted.is_all:
            empty_state("No users yet. Add the first admin of this tenant.", "group")
        else:
            with empty_state("No users match the search and filters.", "search_off"):
                wanted.clear_button()
    user_id = opened(draw.PLACE)
    if user_id is not None:
        found = users.get(session, actor, user_id)
        mine = {key: name for key, name in tab.tenants(session, actor) if actor.is_superadmin or key == actor.tenant_id}
        draw.edit(dialog, found, mine, users.history(session, actor, user_id, Slice(size=10)))
