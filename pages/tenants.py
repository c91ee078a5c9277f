"""Every tenant of the installation, for superadmins."""

import streamlit as st

from components.page import errors_shown, header
from components.session import current_actor, reader_zone, rechecked
from components.tenants import Tenants
from db.engine import open_session
from services import tenants
from services.access import Permission

actor = current_actor()
draw = Tenants(actor, reader_zone(), rechecked(open_session))

with header("Tenants", "The workspaces of this installation, each with its own numbers, users and settings."):
    if actor.may(Permission.TENANTS_WRITE) and st.button("Add tenant", type="primary", icon=":material/add:"):
        draw.edit(None)
with errors_shown(), open_session() as session:
    draw.draw(tenants.search(session, actor))
