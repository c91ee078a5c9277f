"""The frame around every page: navigation, sign-in, the choice of a tenant, and then the page."""

from pathlib import Path
from typing import Literal

import streamlit as st

from components.people import sign_in
from components.ui import navigation, notices, session
from components.ui.markdown import plain
from components.ui.page import errors_shown, style
from db.base.engine import open_session
from services.core.access import Permission
from services.people import sign_in as signing_in

PICTURES = Path(__file__).parents[1] / "components" / "ui"
# An icon of Material as the page's would be fetched from Google by every reader's browser.
st.set_page_config(page_title="Numberdesk", page_icon=str(PICTURES / "icon.svg"), layout="wide")
st.logo(str(PICTURES / "logo.svg"), size="large")


def check() -> None:
    with st.spinner("Signing in…"):
        session.check_sign_in(open_session, *sign_in.typed())


def choose(tenant_id: int | None) -> None:
    with errors_shown(), open_session() as database:
        session.choose_tenant(database, tenant_id)


def sign_out_everywhere() -> None:
    def act() -> str:
        with open_session() as database:
            signing_in.sign_out_everywhere(database, session.current_actor())
        return ""

    if notices.outcome(act, "frame") is None:
        session.sign_out()


actor, loaded = None, False
with errors_shown(), open_session() as database:
    actor = session.load(database)
    loaded = True


def shown(permission: Permission) -> Literal["visible", "hidden"]:
    return "visible" if actor and actor.may(permission) else "hidden"


users, tenants = shown(Permission.USERS_READ), shown(Permission.TENANTS_READ_ALL)
sections = {
    "Connectivity": [
        st.Page("numbers.py", title="Phone numbers", icon=":material/call:", default=True),
        st.Page("add_number.py", title="Add number", url_path="add-number", visibility="hidden"),
        st.Page("import_numbers.py", title="Import numbers", url_path="import-numbers", visibility="hidden"),
        st.Page("number.py", title="Phone number", url_path="number", visibility="hidden"),
        st.Page("edit_number.py", title="Edit phone number", url_path="edit-number", visibility="hidden"),
        st.Page("jobs.py", title="Jobs", url_path="jobs", icon=":material/checklist:"),
        st.Page("connections.py", title="Telephony connections", url_path="connections", icon=":material/cable:"),
        st.Page(
            "reconcile.py",
            title="Reconcile",
            url_path="reconcile",
            icon=":material/compare_arrows:",
            visibility=shown(Permission.NUMBERS_RECONCILE),
        ),
    ],
    "Calling": [
        st.Page("agents.py", title="Agents", url_path="agents", icon=":material/support_agent:"),
        st.Page("campaigns.py", title="Campaigns", url_path="campaigns", icon=":material/campaign:"),
        st.Page("campaign.py", title="Campaign", url_path="campaign", visibility="hidden"),
    ],
    "Insights": [
        st.Page("number_health.py", title="Number health", url_path="number-health", icon=":material/monitor_heart:"),
        st.Page("activity.py", title="Activity", url_path="activity", icon=":material/history:"),
        st.Page("tenant_audit.py", title="Tenant audit", url_path="tenant-audit", icon=":material/fact_check:"),
        st.Page("import_health.py", title="Import health", url_path="import-health", visibility="hidden"),
    ],
    "Administration": [
        st.Page("users.py", title="Users", url_path="users", icon=":material/group:", visibility=users),
        st.Page("tenants.py", title="Tenants", url_path="tenants", icon=":material/domain:", visibility=tenants),
        st.Page("settings.py", title="Settings", url_path="settings", icon=":material/tune:"),
        st.Page("profile.py", title="Your account", url_path="profile", icon=":material/account_circle:"),
    ],
}
page = st.navigation(sections, position="hidden")
session.say_tenant()
session.write_cookie()
style()
if not loaded:  # nobody knows yet whether the sign-in holds
    st.button("Try again", icon=":material/refresh:")
    st.stop()
if actor is None:
    sign_in.form(check)
    st.stop()
if actor.must_change_password and page.url_path != "profile":
    navigation.go_to(navigation.PROFILE)
if session.tenant_was_chosen():
    navigation.leave(page.url_path)
with st.sidebar:
    if not actor.must_change_password:
        navigation.menu(sections)
        with errors_shown(), open_session() as database:
            sign_in.tenant_selector(actor, session.tenants(database, actor), choose)
    sign_in.user_corner(actor, session.sign_out, sign_out_everywhere)
notices.show_kept("frame")
lacks_tenant = not actor.has_scope and page.url_path not in ("profile", "tenants")
if lacks_tenant:
    st.title(plain(page.title), anchor=False)
if not actor.must_change_password:
    sign_in.why_out(actor, session.why_out(), session.forget_why_out, session.sign_out)
if lacks_tenant:
    with errors_shown(), open_session() as database:
        sign_in.no_tenant(actor, session.is_elsewhere(), session.tenants(database, actor))
    st.stop()
session.enter(page.url_path)
page.run()
