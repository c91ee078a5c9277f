"""The wizard that adds a phone number to the chosen tenant."""

import streamlit as st

from components.numbers.add_number import Wizard
from components.ui import navigation, notices
from components.ui.page import errors_shown, header
from components.ui.session import current_actor, rechecked
from components.ui.wizard import belongs_to, is_added, reset, state
from db.base.engine import open_session
from services.core.access import Permission, require, require_tenant

actor = current_actor()
if st.session_state["entered_page"]:
    reset()
is_ours = belongs_to(actor.tenant_id)
step = state()["step"]

header("Number added" if is_added() else "Add phone number")
if step in ("source", "done"):
    navigation.link(navigation.LIST, label="Back to the list", icon=":material/arrow_back:")
if not is_ours:
    notices.info("This tab switched to another tenant, so your input was cleared. Start again.")
with errors_shown(), open_session() as session:
    require(actor, Permission.NUMBERS_ADD)
    require_tenant(actor)
    with st.container(width=900):
        Wizard(actor, rechecked(open_session)).draw(session)
