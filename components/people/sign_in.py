"""The sign-in page, and the user's corner of the sidebar."""

from collections.abc import Callable

import streamlit as st

from components.ui import navigation, notices
from components.ui.markdown import plain
from services.core import settings
from services.core.access import Actor
from services.core.errors import NotFound
from services.people import sign_in
from services.setup import demo
from services.text import labels

EVERYWHERE = "Ends your sessions in every browser and on every device, including this one."


def form(check: Callable[[], None]) -> None:
    """Draw the sign-in form; *check* runs when it is sent, with the values in `typed()`."""
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle:
        st.title(":material/call: Numberdesk", anchor=False)
        st.caption("The console for your platform's phone numbers.")
        with st.form("sign_in"):
            st.text_input("User name", key="sign_in_username", autocomplete="username")
            st.text_input("Password", type="password", key="sign_in_password", autocomplete="current-password")
            st.form_submit_button("Sign in", type="primary", width="stretch", on_click=check)
        notice = st.session_state.get("sign_in_notice")
        if notice:
            notices.error(plain(notice))
        if settings.current().shows_demo:
            names = ", ".join(f"`{name}`" for name in demo.USERS)
            notices.info(
                f"**Demo workspace.** Sign in as {names}; the password is `{demo.PASSWORD}` for all.",
                icon="science",
            )


def typed() -> tuple[str, str]:
    """Return the user name and password that were sent."""
    return st.session_state.get("sign_in_username") or "", st.session_state.get("sign_in_password") or ""


def tenant_selector(actor: Actor, tenants: list[tuple[int, str]], choose: Callable[[int | None], None]) -> None:
    """Draw the choice of a tenant among *tenants* (id and name); *choose* runs with the new choice."""
    names = dict(tenants)
    if not names:
        return
    if actor.is_superadmin:
        names = {sign_in.ALL_TENANTS: "All tenants", **names}
    if len(names) == 1:
        st.caption("Tenant")
        st.markdown(f"**{plain(next(iter(names.values())))}**")
        return
    chosen = sign_in.ALL_TENANTS if actor.all_tenants else actor.tenant_id
    st.session_state["tenant_selector"] = chosen
    st.selectbox(
        "Tenant",
        list(names),
        format_func=lambda tenant_id: names.get(tenant_id, "—"),
        key="tenant_selector",
        placeholder="Select a tenant",
        index=None if chosen is None else 0,  # what was chosen can be changed and not taken away
        on_change=lambda: choose(st.session_state["tenant_selector"]),
    )


def why_out(actor: Actor, reason: str, seen: Callable[[], None], sign_out: Callable[[], None]) -> None:
    """Draw why the reader was put out of a tenant (*reason*, until *seen* runs), or has none to work in."""
    nowhere = not actor.is_superadmin and not actor.workspaces
    if nowhere and not reason:
        names = " and ".join(name for _, name in actor.suspended)
        suspended = f"{names} {'is' if len(actor.suspended) == 1 else 'are'} suspended, so nobody can work there."
        alone = "You don't have access to any tenant yet. Ask a tenant's admin or a superadmin "
        reason = suspended if names else f"{alone}and tell them your user name: {actor.username}"
    if reason:
        with st.container(horizontal=True, vertical_alignment="center"):
            notices.warning(plain(reason), icon="domain_disabled")
            if nowhere:
                st.button("Sign out", icon=":material/logout:", key="out_sign_out", on_click=sign_out)
            else:
                st.button("OK", key="out_seen", on_click=seen)


def no_tenant(actor: Actor, elsewhere: bool, tenants: list[tuple[int, str]]) -> None:
    """Draw what to do where no tenant is chosen. Raises NotFound when it is *elsewhere*, in one not the reader's."""
    if tenants and elsewhere:
        raise NotFound
    if tenants:
        notices.info("Select a tenant to view and manage phone numbers.", icon="domain")
    elif actor.is_superadmin:
        with st.container(border=True, width=560):
            st.markdown(":material/domain_add: **Create the first tenant**")
            st.caption(
                "Numbers, connections, agents, campaigns and people all belong to a tenant, such as a customer "
                "or a team. Create one, then add its telephony connections and its first admin."
            )
            if st.button("Create the first tenant", type="primary", icon=":material/add:"):
                navigation.go_to(navigation.TENANTS)


def user_corner(actor: Actor, sign_out: Callable[[], None], sign_out_everywhere: Callable[[], None]) -> None:
    """Draw who is signed in, and the ways out."""
    role = "Superadmin" if actor.is_superadmin else labels.ROLE[actor.role] if actor.role else "No tenant selected"
    with st.popover(plain(actor.name), icon=":material/account_circle:", width="stretch"):
        st.markdown(f"**{plain(actor.name)}**  \n{plain(actor.username)} · {role}")
        st.button("Sign out", icon=":material/logout:", on_click=sign_out, width="stretch")
        st.button(
            "Sign out everywhere",
            icon=":material/devices_off:",
            help=EVERYWHERE,
            on_click=sign_out_everywhere,
            width="stretch",
        )
