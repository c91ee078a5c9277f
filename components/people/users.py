"""The list of users, and the dialogs that add one, change its roles, and shut it out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.ui import dialogs, notices
from components.ui import session as tab
from components.ui.dialogs import Dialog
from components.ui.listing import toolbar as listing
from components.ui.listing.filters import Filter
from components.ui.listing.table import Column, badges, link, text
from components.ui.listing.toolbar import Wanted
from components.ui.markdown import plain
from components.ui.page import BadgeColor, exactly, when
from db.audit.queries import AuditRow
from db.base.scope import Slice
from db.models import Role
from db.people.users import UserQuery, UserRow
from services.core.errors import InvalidInput
from services.people import users
from services.people.users import NewUser, UserDetail
from services.text import labels

PLACE = "users"
_ACTIVE = {True: "Active", False: "Deactivated"}
_SUPERADMIN = "superadmin"
_CHOICES: list[Role] = list(Role)
_ROLES: dict[Any, str] = {**labels.ROLE, _SUPERADMIN: "Superadmin"}
_BADGES: dict[str, BadgeColor] = {"Active": "green", "Deactivated": "red", "One-time password": "orange"}


def toolbar() -> tuple[UserQuery, Wanted]:
    """Draw a one-time password, search and filters; return the query."""
    _one_time_password()
    offered = [
        Filter("users_role", "Role", _ROLES),
        Filter("users_status", "Status", _ACTIVE),
    ]
    wanted = listing.toolbar(PLACE, "Search users...", offered)
    chosen = wanted.chosen["users_role"]
    roles = tuple(role for role in chosen if role != _SUPERADMIN)
    return UserQuery(wanted.text, roles, _SUPERADMIN in chosen, wanted.active("users_status")), wanted


def columns(with_tenant: bool, zone: ZoneInfo) -> list[Column[UserRow]]:
    """Return the columns of users, with the tenants of their roles where several are looked at."""

    def seen(row: UserRow) -> str:
        return when(row.last_sign_in_at, zone) if row.last_sign_in_at else "Never"

    return [
        link("name", "Name", lambda row: row.name, lambda row: listing.open_row(PLACE, row.id)),
        text("username", "User name", lambda row: row.username),
        text("role", "Roles" if with_tenant else "Role", lambda row: _roles(row, with_tenant=with_tenant), wide=True),
        badges("status", "Status", _status, _BADGES),
        text("seen", "Last sign-in", seen, hover=lambda row: exactly(row.last_sign_in_at, zone)),
    ]


def _one_time_password() -> None:
    """Draw the password of a user who was just created or reset, until it is hidden or the page is left."""
    state = st.session_state
    if state.get("entered_page"):
        state.pop("new_user", None)
    created: NewUser | None = state.get("new_user")
    if created is None:
        return
    with st.container(border=True):
        st.markdown(f":material/key: One-time password for **{plain(created.username)}**. It is shown only once.")
        st.code(created.one_time_password, language=None, width=260)
        st.caption("It must be changed at first sign-in.")
        st.button("Hide", on_click=lambda: state.pop("new_user", None))


@st.dialog("Add user", on_dismiss="rerun")
def add(dialog: Dialog) -> None:
    """Open the dialog that adds a user to the chosen tenant; a superadmin may give a known one a role there."""
    state = st.session_state
    with st.form("user_add", border=False):
        username, name = _names()
        role = st.selectbox("Role", _CHOICES, index=1, format_func=_role_name, key="new_user_role")
        sent = dialogs.submit("Add user")
    if sent:

        def put(session: Session) -> None:
            state["user_known"] = None
            try:
                state["new_user"] = users.create(session, dialog.actor, username, name, role)
            except InvalidInput as exc:
                state["user_known"] = username if exc.overridable else None
                raise

        dialog.do(put, f"{username.strip()} was added.")
    known, tenant_id = state.get("user_known"), dialog.actor.tenant_id
    if known and known == username and tenant_id:
        text = f"{known.strip()} is now {_role_name(role).lower()} in this tenant."
        if st.button("Give this role", icon=":material/person_add:", key="user_grant"):
            dialog.do(lambda session: users.grant(session, dialog.actor, known, tenant_id, role), text)


@st.dialog("Add superadmin", on_dismiss="rerun")
def add_superadmin(dialog: Dialog) -> None:
    """Open the dialog that adds a user who may do everything, in every tenant."""
    st.caption("A superadmin has full access to every tenant.")
    with st.form("superadmin_add", border=False):
        username, name = _names()
        sent = dialogs.submit("Add superadmin")
    if sent:

        def put(session: Session) -> None:
            st.session_state["new_user"] = users.create_superadmin(session, dialog.actor, username, name)

        dialog.do(put, f"{username.strip()} was added.")


def edit(session: Session, dialog: Dialog, user_id: int) -> None:
    """Open the dialog of one user."""
    actor = dialog.actor
    found = users.get(session, actor, user_id)
    tenants = {key: name for key, name in tab.tenants(session, actor) if actor.is_superadmin or key == actor.tenant_id}
    changes = users.history(session, actor, user_id, Slice(size=10))
    st.dialog(plain(found.user.name), on_dismiss="rerun")(_edit)(dialog, found, tenants, changes)


def _edit(dialog: Dialog, found: UserDetail, tenants: Mapping[int, str], changes: Sequence[AuditRow]) -> None:
    user = found.user
    with st.container(horizontal=True, vertical_alignment="center"):
        if user.is_superadmin:
            st.badge("Superadmin", color="violet")
        for status in _status(user):
            st.badge(status, color=_BADGES[status])
        seen = f"signed in {when(user.last_sign_in_at, dialog.zone)}" if user.last_sign_in_at else "never signed in"
        text = f"{plain(user.username)} · {seen}"
        st.caption(
            text, width="content", help=exactly(user.last_sign_in_at, dialog.zone) if user.last_sign_in_at else None
        )
    if user.id == dialog.actor.user_id:
        notices.info("This is you. Ask another admin to change your role; your password is under `Your account`.")
        dialogs.history(changes, dialog.zone)
        return
    tenant_id = _role(dialog, user, tenants)
    if found.unmanaged:
        st.caption(f":material/info: {plain(found.unmanaged)}")
    else:
        _account(dialog, user)
    dialogs.history(changes, dialog.zone)
    st.divider()
    with st.container(horizontal=True):
        _take_out(dialog, user, tenant_id)
        if not found.unmanaged:
            _shut_out(dialog, user)
        if dialog.actor.is_superadmin:
            _superadmin(dialog, user)


def _role(dialog: Dialog, user: UserRow, tenants: Mapping[int, str]) -> int | None:
    """Draw the choice of a role in a tenant; return the tenant."""
    if not tenants:
        return None
    has = {place.tenant_id: place.role for place in user.places}
    likely = (dialog.actor.tenant_id, *has, *tenants)
    tenant_id = next(key for key in likely if key is not None and key in tenants)
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
                users.change_role(session, dialog.actor, user.id, tenant_id, role, version=user.version)
            else:
                users.grant(session, dialog.actor, user.username, tenant_id, role)

        dialog.do(save, f"{user.name} is {_role_name(role).lower()} in {tenants[tenant_id]}.")
    return tenant_id


def _account(dialog: Dialog, user: UserRow) -> None:
    def reset(session: Session) -> None:
        st.session_state["new_user"] = users.reset_password(session, dialog.actor, user.id)

    with st.container(horizontal=True):
        _confirmed(
            dialog,
            "Reset password",
            "key",
            "The current password stops working and all sessions end. You get a one-time password to hand over.",
            reset,
            f"{user.name} now has a one-time password.",
        )
        _confirmed(
            dialog,
            "Sign out everywhere",
            "devices_off",
            "Ends all of this user's sessions, in every browser.",
            lambda session: users.end_sessions(session, dialog.actor, user.id),
            f"{user.name} was signed out everywhere.",
        )


def _take_out(dialog: Dialog, user: UserRow, tenant_id: int | None) -> None:
    place = next((place for place in user.places if place.tenant_id == tenant_id), None)
    if place is not None:
        _confirmed(
            dialog,
            f"Remove from {plain(place.tenant)}",
            "person_remove",
            f"**{plain(user.name)}** loses access to this tenant. Their past changes stay on record.",
            lambda session: users.change_role(
                session, dialog.actor, user.id, place.tenant_id, None, version=user.version
            ),
            f"{user.name} was removed from {place.tenant}.",
            red=True,
        )


def _shut_out(dialog: Dialog, user: UserRow) -> None:
    def act(session: Session) -> None:
        users.set_active(session, dialog.actor, user.id, not user.is_active, version=user.version)

    if user.is_active:
        out = f"**{plain(user.name)}** is signed out everywhere and cannot sign in. You can activate the account again."
        _confirmed(dialog, "Deactivate", "block", out, act, f"{user.name} was deactivated.", red=True)
    else:
        back = "The user can sign in again, with the same roles."
        _confirmed(dialog, "Activate", "play_circle", back, act, f"{user.name} can sign in again.")


def _superadmin(dialog: Dialog, user: UserRow) -> None:
    def act(session: Session) -> None:
        users.set_superadmin(session, dialog.actor, user.id, not user.is_superadmin, version=user.version)

    if user.is_superadmin:
        less, done = "Only the roles in tenants remain.", f"{user.name} is no longer a superadmin."
        _confirmed(dialog, "Remove superadmin", "remove_moderator", less, act, done, red=True)
    else:
        more = f"**{plain(user.name)}** gets full access to every tenant."
        _confirmed(dialog, "Make superadmin", "add_moderator", more, act, f"{user.name} is now a superadmin.")


def _confirmed(
    dialog: Dialog, label: str, icon: str, told: str, act: Callable[[Session], object], done: str, *, red: bool = False
) -> None:
    """Draw a button that says what it does before it does it."""
    with st.popover(f":red[{label}]" if red else label, icon=f":material/{icon}:"), st.container(width=320):
        st.markdown(told)
        if st.button(f"Yes, {label[0].lower()}{label[1:]}", type="primary", key=f"yes_{label}"):
            dialog.do(act, done)


def _names() -> tuple[str, str]:
    username = st.text_input("User name", key="new_user_username", placeholder="jane.doe", max_chars=64)
    name = st.text_input("Name", key="new_user_name", placeholder="Jane Doe", max_chars=80)
    return username or "", name or ""


def _status(row: UserRow) -> list[str]:
    return [_ACTIVE[row.is_active], *(["One-time password"] if row.must_change_password else [])]


def _roles(row: UserRow, *, with_tenant: bool) -> str:
    roles = [f"{p.tenant}: {_role_name(p.role)}" if with_tenant else _role_name(p.role) for p in row.places]
    return ", ".join([*(["Superadmin"] if row.is_superadmin else []), *roles]) or "—"


def _role_name(role: Role) -> str:
    return labels.ROLE[role]
