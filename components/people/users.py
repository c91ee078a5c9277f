"""The list of users, and the dialogs that add one, change its roles, and shut it out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.ui import dialogs
from components.ui.dialogs import Desk
from components.ui.listing import toolbar as listing
from components.ui.listing.filters import Filter
from components.ui.listing.table import badges, link, text
from components.ui.listing.table import table as draw
from components.ui.listing.toolbar import Wanted
from components.ui.markdown import plain
from components.ui.page import BadgeColor, exactly, when
from db.audit.queries import AuditRow
from db.models import Role
from services.core.errors import InvalidInput
from services.people import users
from services.people.users import NewUser, UserDetail, UserQuery, UserRow
from services.text import labels

PLACE = "users"
_ACTIVE = {True: "Active", False: "Deactivated"}
_SUPERADMIN = "superadmin"
_CHOICES: list[Role] = list(Role)
_ROLES: dict[Any, str] = {**labels.ROLE, _SUPERADMIN: "Superadmin"}
_BADGES: dict[str, BadgeColor] = {"Active": "green", "Deactivated": "red", "One-time password": "orange"}


def toolbar() -> tuple[UserQuery, Wanted]:
    """Draw search and filters; return what is wanted."""
    offered = [
        Filter("users_role", "Role", _ROLES),
        Filter("users_status", "Status", _ACTIVE),
    ]
    wanted = listing.toolbar(PLACE, "Search users...", offered)
    chosen = wanted.chosen["users_role"]
    roles = tuple(role for role in chosen if role != _SUPERADMIN)
    return UserQuery(wanted.text, roles, _SUPERADMIN in chosen, wanted.active("users_status")), wanted


def table(rows: Sequence[UserRow], *, with_tenant: bool, zone: ZoneInfo) -> None:
    """Draw a page of users, with the tenants of their roles where several are looked at."""

    def seen(row: UserRow) -> str:
        return when(row.last_sign_in_at, zone) if row.last_sign_in_at else "Never"

    columns = [
        link("name", "Name", lambda row: row.name, lambda row: listing.open_row(PLACE, row.id)),
        text("username", "User name", lambda row: row.username),
        text("role", "Roles" if with_tenant else "Role", lambda row: _roles(row, with_tenant=with_tenant), wide=True),
        badges("status", "Status", _status, _BADGES),
        text("seen", "Last sign-in", seen, hover=lambda row: exactly(row.last_sign_in_at, zone)),
    ]
    draw("Users", rows, columns, key="users_table", of=lambda row: row.id)


def one_time_password() -> None:
    """Draw the password of a user who was just created or reset, until it is hidden or the page is left."""
    state = st.session_state
    if state.get("entered_page"):
        state.pop("new_user", None)
    made: NewUser | None = state.get("new_user")
    if made is None:
        return
    with st.container(border=True):
        st.markdown(f":material/key: One-time password of **{plain(made.username)}**. It is shown here once.")
        st.code(made.one_time_password, language=None, width=260)
        st.caption("It must be changed at the first sign-in.")
        st.button("Done, hide it", on_click=lambda: state.pop("new_user", None))


@st.dialog("Add user", on_dismiss="rerun")
def add(desk: Desk) -> None:
    """Open the dialog that adds a user to the chosen tenant; a superadmin may give a known one a role there."""
    state = st.session_state
    with st.form("user_add", border=False):
        username, name = _names()
        role = st.selectbox("Role", _CHOICES, index=1, format_func=_role_name, key="new_user_role")
        sent = _submit("Add user")
    if sent:

        def put(session: Session) -> None:
            state["user_known"] = None
            try:
                state["new_user"] = users.create(session, desk.actor, username, name, role)
            except InvalidInput as exc:
                state["user_known"] = username if exc.overridable else None
                raise

        desk.do(put, f"{username.strip()} was added.")
    known, tenant_id = state.get("user_known"), desk.actor.tenant_id
    if known and known == username and tenant_id:
        told = f"{known.strip()} is {_role_name(role).lower()} here."
        if st.button("Give this role", icon=":material/person_add:", key="user_grant"):
            desk.do(lambda session: users.grant(session, desk.actor, known, tenant_id, role), told)


@st.dialog("Add superadmin", on_dismiss="rerun")
def add_superadmin(desk: Desk) -> None:
    """Open the dialog that adds a user who may do everything, in every tenant."""
    st.caption("A superadmin may do everything, in every tenant.")
    with st.form("superadmin_add", border=False):
        username, name = _names()
        sent = _submit("Add superadmin")
    if sent:

        def put(session: Session) -> None:
            st.session_state["new_user"] = users.create_superadmin(session, desk.actor, username, name)

        desk.do(put, f"{username.strip()} was added.")


def edit(desk: Desk, found: UserDetail, tenants: Mapping[int, str], changes: Sequence[AuditRow]) -> None:
    """Open the dialog of one user. *tenants* are those in which the actor may change the role."""
    st.dialog(plain(found.user.name), on_dismiss="rerun")(_edit)(desk, found, tenants, changes)


def _edit(desk: Desk, found: UserDetail, tenants: Mapping[int, str], changes: Sequence[AuditRow]) -> None:
    user = found.user
    with st.container(horizontal=True, vertical_alignment="center"):
        if user.is_superadmin:
            st.badge("Superadmin", color="violet")
        for status in _status(user):
            st.badge(status, color=_BADGES[status])
        seen = f"signed in {when(user.last_sign_in_at, desk.zone)}" if user.last_sign_in_at else "never signed in"
        told = f"{plain(user.username)} · {seen}"
        st.caption(
            told, width="content", help=exactly(user.last_sign_in_at, desk.zone) if user.last_sign_in_at else None
        )
    if user.id == desk.actor.user_id:
        st.info("This is you. Another admin changes your role; your password is under `Your account`.")
        dialogs.history(changes, desk.zone)
        return
    tenant_id = _role(desk, user, tenants)
    if found.unmanaged:
        st.caption(f":material/info: {plain(found.unmanaged)}")
    else:
        _account(desk, user)
    dialogs.history(changes, desk.zone)
    st.divider()
    with st.container(horizontal=True):
        _take_out(desk, user, tenant_id)
        if not found.unmanaged:
            _shut_out(desk, user)
        if desk.actor.is_superadmin:
            _superadmin(desk, user)


def _role(desk: Desk, user: UserRow, tenants: Mapping[int, str]) -> int | None:
    """Draw the choice of a role in a tenant; return the tenant."""
    if not tenants:
        return None
    has = {place.tenant_id: place.role for place in user.places}
    likely = (desk.actor.tenant_id or 0, *has, *tenants)
    tenant_id = next(key for key in likely if key in tenants)
    if len(tenants) > 1:
        places = [f"- **{plain(place.tenant)}**: {_role_name(place.role)}" for place in user.places]
        st.markdown("\n".join(places) or "No role in any tenant.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(tenants) > 1:
            place = list(tenants).index(tenant_id)
            tenant_id = st.selectbox("Tenant", list(tenants), place, tenants.__getitem__, key=f"user_{user.id}_tenant")
        now = _CHOICES.index(has.get(tenant_id, Role.VIEWER))
        role = st.selectbox("Role", _CHOICES, now, _role_name, key=f"user_{user.id}_{tenant_id}_role")
        sent = st.button("Save role")
    if sent:

        def save(session: Session) -> None:
            if tenant_id in has:
                users.change_role(session, desk.actor, user.id, tenant_id, role)
            else:
                users.grant(session, desk.actor, user.username, tenant_id, role)

        desk.do(save, f"{user.name} is {_role_name(role).lower()} in {tenants[tenant_id]}.")
    return tenant_id


def _account(desk: Desk, user: UserRow) -> None:
    def reset(session: Session) -> None:
        st.session_state["new_user"] = users.reset_password(session, desk.actor, user.id)

    with st.container(horizontal=True):
        _confirmed(
            desk,
            "Reset password",
            "key",
            "The password of now stops working, every session ends, and a one-time password is shown to you.",
            reset,
            f"{user.name} has a one-time password.",
        )
        _confirmed(
            desk,
            "Sign out everywhere",
            "devices_off",
            "Ends every session of this user, in every browser.",
            lambda session: users.end_sessions(session, desk.actor, user.id),
            f"{user.name} is signed out everywhere.",
        )


def _take_out(desk: Desk, user: UserRow, tenant_id: int | None) -> None:
    place = next((place for place in user.places if place.tenant_id == tenant_id), None)
    if place is not None:
        _confirmed(
            desk,
            f"Take out of {plain(place.tenant)}",
            "person_remove",
            f"**{plain(user.name)}** can no longer work in this tenant. What was done there stays.",
            lambda session: users.change_role(session, desk.actor, user.id, place.tenant_id, None),
            f"{user.name} is out of {place.tenant}.",
            red=True,
        )


def _shut_out(desk: Desk, user: UserRow) -> None:
    if not user.is_active:
        _confirmed(
            desk,
            "Activate",
            "play_circle",
            "The user can sign in again, with the roles as they were.",
            lambda session: users.set_active(session, desk.actor, user.id, True),
            f"{user.name} can sign in again.",
        )
        return
    _confirmed(
        desk,
        "Deactivate",
        "block",
        f"**{plain(user.name)}** is out of every session at once and cannot sign in. You can activate it again.",
        lambda session: users.set_active(session, desk.actor, user.id, False),
        f"{user.name} is deactivated.",
        red=True,
    )


def _superadmin(desk: Desk, user: UserRow) -> None:
    if user.is_superadmin:
        _confirmed(
            desk,
            "Take superadmin away",
            "remove_moderator",
            "Only the roles in tenants are left.",
            lambda session: users.set_superadmin(session, desk.actor, user.id, False),
            f"{user.name} is no longer a superadmin.",
            red=True,
        )
        return
    _confirmed(
        desk,
        "Make superadmin",
        "add_moderator",
        f"**{plain(user.name)}** may then do everything, in every tenant, also to you.",
        lambda session: users.set_superadmin(session, desk.actor, user.id, True),
        f"{user.name} is a superadmin.",
    )


def _confirmed(
    desk: Desk, label: str, icon: str, told: str, act: Callable[[Session], object], done: str, *, red: bool = False
) -> None:
    """Draw a button that says what it does before it does it."""
    with st.popover(f":red[{label}]" if red else label, icon=f":material/{icon}:"), st.container(width=320):
        st.markdown(told)
        if st.button(f"Yes, {label[0].lower()}{label[1:]}", type="primary", key=f"yes_{label}"):
            desk.do(act, done)


def _names() -> tuple[str, str]:
    username = st.text_input("User name", key="new_user_username", placeholder="jane.doe", max_chars=64)
    name = st.text_input("Name", key="new_user_name", placeholder="Jane Doe", max_chars=80)
    return username or "", name or ""


def _submit(label: str) -> bool:
    with st.container(horizontal=True, horizontal_alignment="right"):
        return st.form_submit_button(label, type="primary")


def _status(row: UserRow) -> list[str]:
    return [_ACTIVE[row.is_active], *(["One-time password"] if row.must_change_password else [])]


def _roles(row: UserRow, *, with_tenant: bool) -> str:
    roles = [f"{p.tenant}: {_role_name(p.role)}" if with_tenant else _role_name(p.role) for p in row.places]
    return ", ".join([*(["Superadmin"] if row.is_superadmin else []), *roles]) or "—"


def _role_name(role: Role) -> str:
    return labels.ROLE[role]
