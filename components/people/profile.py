"""The user's own account: password form, roles and last sign-ins."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from components.people.sign_in import EVERYWHERE
from components.ui.markdown import plain
from components.ui.page import exactly, when
from services.core import validation
from services.core.access import Actor
from services.text import labels


def password_form(*, first: bool) -> bool:
    """Draw the password form; return whether it was submitted. *first* follows a one-time password."""
    with st.form("own_password", clear_on_submit=False):
        if first:
            st.markdown("**Choose your own password.** The one-time password works only once.")
        st.text_input("Current password", type="password", key="password_old", autocomplete="current-password")
        st.text_input(
            "New password",
            type="password",
            key="password_new",
            autocomplete="new-password",
            help=f"At least {validation.SHORTEST_PASSWORD} characters, not easy to guess.",
        )
        st.text_input("Repeat new password", type="password", key="password_again", autocomplete="new-password")
        return st.form_submit_button("Change password", type="primary")


def passwords() -> tuple[str, str, str]:
    """Return the submitted passwords: current, new, and new repeated."""
    state = st.session_state
    return state["password_old"] or "", state["password_new"] or "", state["password_again"] or ""


def roles(actor: Actor) -> None:
    """Draw the user's roles."""
    st.subheader("Roles", anchor=False)
    if actor.is_superadmin:
        st.markdown("- Superadmin, in every tenant")
    for workspace in actor.workspaces:
        st.markdown(f"- **{plain(workspace.name)}**: {labels.ROLE[workspace.role].lower()}")
    for _, name in actor.suspended:
        st.markdown(f"- **{plain(name)}**: suspended")


def sign_ins(moments: Sequence[datetime], zone: ZoneInfo, sign_out_everywhere: Callable[[], None]) -> None:
    """Draw the last sign-ins and the button that signs out everywhere."""
    st.subheader("Last sign-ins", anchor=False)
    for moment in moments:
        st.markdown(f"- {exactly(moment, zone)} · {when(moment, zone)}")
    if not moments:
        st.caption("None yet.")
    st.caption("Don't recognize one? Sign out everywhere and change your password.")
    st.button(
        "Sign out everywhere",
        icon=":material/devices_off:",
        key="own_sign_out_everywhere",
        help=EVERYWHERE,
        on_click=sign_out_everywhere,
    )
