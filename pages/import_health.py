"""Campaign health brought in by file."""

import streamlit as st

from components.health_import import Importing
from components.page import errors_shown, header
from components.session import current_actor, rechecked
from db.engine import open_session
from services.access import Permission, require, require_tenant

actor = current_actor()

st.page_link("number_health.py", label="Number health", icon=":material/arrow_back:")
header("Import health", "How calls went, by campaign, number and day, from your dialer's export.")
with errors_shown():
    require(actor, Permission.HEALTH_WRITE)
    require_tenant(actor)
    Importing(actor, rechecked(open_session)).draw()
