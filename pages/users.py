"""The users of the chosen tenant, and their roles in it."""

import streamlit as st

from components.page import errors_shown, header
from components.session import current_actor, reader_zone, rechecked
from components.users import People
from db.engine import open_session
from services import users
from services.access import Permission

actor = current_actor()
people = People(actor, reader_zone(), rechecked(open_session))

with header("Users", "Who can sign in, and what they may do in this tenant."):
    may_add = actor.may(Permission.USERS_WRITE) and not actor.all_tenants
    if may_add and st.button("Add user", type="primary", icon=":material/person_add:"):
        people.add()
with errors_shown(), open_session() as session:
    people.draw(users.search(session, actor))
