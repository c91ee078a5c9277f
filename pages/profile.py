"""The own account: change the password."""

import streamlit as st

from components import session, sign_in
from components.page import header, outcome
from db.engine import open_session
from services import users, words

actor = session.current_actor()


def change() -> str:
    with open_session() as database:
        users.change_own_password(database, actor, *sign_in.passwords())
    session.renew()
    return "Your password is changed. Your other sessions have ended."


header("Your account", f"{actor.name} · {actor.username}")
for workspace in actor.workspaces:
    st.markdown(f"- **{workspace.name}**: {words.ROLE[workspace.role].lower()}")
with st.container(width=460):
    sign_in.password_form(lambda: outcome(change, "password"), first=actor.must_change_password)
