"""The user's account: roles, last sign-ins and password."""

import streamlit as st

from components.people import profile as draw
from components.ui import navigation, notices, session
from components.ui.markdown import plain
from components.ui.page import errors_shown, header
from db.base.engine import open_session
from services.people import sign_in, users

actor, zone = session.current_actor(), session.reader_zone()
first = actor.must_change_password


def change() -> str:
    with open_session() as database:
        users.change_own_password(database, actor, *draw.passwords())
    session.renew()
    return "Your password was changed. " + ("Welcome." if first else "Your other sessions have ended.")


def sign_out_everywhere() -> None:
    with errors_shown(), open_session() as database:
        sign_in.sign_out_everywhere(database, actor)
    session.sign_out()


header("Your account", f"{plain(actor.name)} · {plain(actor.username)}")
left, right = st.columns(2, gap="large")
with left:
    if draw.password_form(first=first) and notices.outcome(change, "frame") is None:
        navigation.go_to(navigation.LIST if first else navigation.PROFILE)
    notices.show_kept("frame")
if not first:
    with right, errors_shown(), open_session() as database:
        draw.roles(actor)
        draw.sign_ins(users.own_sign_ins(database, actor), zone, sign_out_everywhere)
