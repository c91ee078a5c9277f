"""Users of the installation and what they may do in a tenant.

Created, changed and deactivated, but never the last admin.
"""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

import db.people.tenants
import db.people.users
from db.audit.queries import AuditRow
from db.base.locks import Lock
from db.base.scope import Scope, Slice
from db.models import Membership, Role, User
from db.people.users import UserQuery, UserRow
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core import changes, validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound, found
from services.core.transactions import writing
from services.people import sign_in

SIGN_INS_SHOWN = 10
_SHARED = "This user belongs to other tenants too, so only a superadmin can manage the account."
_SUPERADMIN = "Only a superadmin can manage a superadmin."


@dataclass(frozen=True)
class NewUser:
    """A user after creation or reset, with the one-time password, which is shown once and not stored."""

    username: str
    one_time_password: str


@dataclass(frozen=True)
class UserDetail:
    """A user as the actor sees it, and why the actor may not manage the account, if so."""

    user: UserRow
    unmanaged: str


def count(session: Session, actor: Actor, query: UserQuery) -> int:
    """Return how many users match."""
    require(actor, Permission.USERS_READ)
    return db.people.users.count(session, actor.scope, query)


def search(session: Session, actor: Actor, query: UserQuery, part: Slice) -> list[UserRow]:
    """Return the *part* of the users of the chosen tenant, or of all of them, that match, by name."""
    require(actor, Permission.USERS_READ)
    return db.people.users.search(session, actor.scope, query, part)


def get(session: Session, actor: Actor, user_id: object) -> UserDetail:
    """Return one user; a superadmin sees the roles in every tenant. Raises NotFound for any not in scope."""
    require(actor, Permission.USERS_READ)
    scope = Scope(None) if actor.is_superadmin else actor.scope
    row = found(db.people.users.find_row(session, scope, validation.as_id(user_id)))
    return UserDetail(row, _why_not(session, actor, row.id, row.is_superadmin))


def history(session: Session, actor: Actor, user_id: int, part: Slice) -> list[AuditRow]:
    """Return the *part* of a user's history in the tenants in scope, newest first."""
    require(actor, Permission.USERS_READ)
    return audit.history(session, actor, "user", user_id, part)


def create(session: Session, actor: Actor, username: str, name: str, role: Role) -> NewUser:
    """Create a user with a role in the chosen tenant.

    Raises Forbidden, and InvalidInput for an invalid or taken name; `overridable` for a superadmin, who may `grant`
    that user a role instead.
    """
    require(actor, Permission.USERS_WRITE)
    tenant_id = require_tenant(actor)
    login, shown = validation.username(username), validation.name(name or username, "user")
    hashed, password = _one_time_password()
    with _writing(session, actor, Permission.USERS_WRITE):
        known = db.people.users.find(session, login)
        if known is not None and db.people.users.find_membership(session, known.id, tenant_id) is not None:
            raise _here_already(known)
        if known is not None:
            ask = (
                "Give this user a role here?"
                if actor.is_superadmin
                else "Ask a superadmin to give this user a role here."
            )
            raise InvalidInput(
                f"User {login} already exists in another tenant. {ask}",
                field="username",
                overridable=actor.is_superadmin,
            )
        user = _added(session, username=login, name=shown, password_hash=hashed)
        session.add(Membership(user_id=user.id, tenant_id=tenant_id, role=role))
        _record(session, actor, Action.USERS_CREATE, user, tenant_id, {}, {"role": str(role)})
    return NewUser(login, password)


def create_superadmin(session: Session, actor: Actor, username: str, name: str) -> NewUser:
    """Create a superadmin, who needs no tenant. Raises Forbidden, and InvalidInput as `create` does."""
    require(actor, Permission.SUPERADMINS_WRITE)
    login, shown = validation.username(username), validation.name(name or username, "user")
    hashed, password = _one_time_password()
    with _writing(session, actor, Permission.SUPERADMINS_WRITE):
        if db.people.users.find(session, login) is not None:
            raise InvalidInput(f"User {login} already exists. Make that user a superadmin instead.", field="username")
        user = _added(session, username=login, name=shown, password_hash=hashed, is_superadmin=True)
        _record(session, actor, Action.USERS_CREATE, user, None, {}, {"superadmin": True})
    return NewUser(login, password)


def grant(session: Session, actor: Actor, username: str, tenant_id: int, role: Role) -> None:
    """Give a user a role in another tenant. Superadmins only, since others do not see that user."""
    require(actor, Permission.TENANTS_READ_ALL)
    with _writing(session, actor, Permission.TENANTS_READ_ALL):
        user = found(db.people.users.find(session, sign_in.normal(username)))
        found(db.people.tenants.find(session, validation.as_id(tenant_id)))
        if user.id == actor.user_id:
            raise _own_role()
        if db.people.users.find_membership(session, user.id, tenant_id) is not None:
            raise _here_already(user)
        session.add(Membership(user_id=user.id, tenant_id=tenant_id, role=role))
        _record(session, actor, Action.USERS_CHANGE_ROLE, user, tenant_id, {"role": None}, {"role": str(role)})


def change_role(
    session: Session, actor: Actor, user_id: int, tenant_id: int, role: Role | None, *, version: int | None
) -> None:
    """Give a user another role in a tenant, or (None) take it out of the tenant.

    Admins act in their own tenant, superadmins in any. Raises Forbidden for one's own role, NotFound for a user
    outside the tenant, Conflict for the last admin.
    """
    require(actor, Permission.USERS_WRITE)
    if not actor.is_superadmin and tenant_id != require_tenant(actor):
        raise NotFound
    if user_id == actor.user_id:
        raise _own_role()
    with _writing(session, actor, Permission.USERS_WRITE):
        user = found(db.people.users.find_by_id(session, validation.as_id(user_id)))
        membership = found(db.people.users.find_membership(session, user_id, tenant_id))
        changes.expect_version(session, actor.scope, "user", user, version)
        before = membership.role
        if before is role:
            return
        if before is Role.ADMIN:
            _keep_an_admin(session, user_id, tenant_id)
        if role is None:
            session.delete(membership)
        else:
            membership.role = role
        after = {"role": role and str(role)}
        _record(session, actor, Action.USERS_CHANGE_ROLE, user, tenant_id, {"role": str(before)}, after)


def set_superadmin(session: Session, actor: Actor, user_id: int, superadmin: bool, *, version: int | None) -> None:
    """Make a user a superadmin, or leave it the roles in tenants alone. Raises Conflict for the last superadmin."""
    require(actor, Permission.SUPERADMINS_WRITE)
    if user_id == actor.user_id:
        raise _own_role()
    with _managing(session, actor, Permission.SUPERADMINS_WRITE, user_id, version) as user:
        if user.is_superadmin == superadmin:
            return
        if not superadmin:
            _keep_a_superadmin(session, user_id)
        user.is_superadmin = superadmin
        before, after = {"superadmin": not superadmin}, {"superadmin": superadmin}
        _record(session, actor, Action.USERS_CHANGE_SUPERADMIN, user, None, before, after)


def set_active(session: Session, actor: Actor, user_id: int, active: bool, *, version: int | None) -> None:
    """Let a user sign in, or shut the user out of every session at once."""
    require(actor, Permission.USERS_WRITE)
    if user_id == actor.user_id:
        raise Forbidden("You can't deactivate your own account. Ask another admin.")
    with _managing(session, actor, Permission.USERS_WRITE, user_id, version) as user:
        if user.is_active == active:
            return
        if not active:
            for tenant_id in db.people.users.tenants_of_admin(session, user_id):
                _keep_an_admin(session, user_id, tenant_id)
            if user.is_superadmin:
                _keep_a_superadmin(session, user_id)
        user.is_active = active
        action = Action.USERS_ACTIVATE if active else Action.USERS_DEACTIVATE
        _record(session, actor, action, user, actor.tenant_id, {"active": not active}, {"active": active})


def reset_password(session: Session, actor: Actor, user_id: int) -> NewUser:
    """Give a user a one-time password, end their sessions and reset failed attempts."""
    require(actor, Permission.USERS_WRITE)
    hashed, password = _one_time_password()
    with _managing(session, actor, Permission.USERS_WRITE, user_id) as user:
        user.password_hash = hashed
        user.must_change_password = True
        user.sessions_valid_from = sign_in.now()
        sign_in.forget_failures(session, user.username)
        _record(session, actor, Action.USERS_RESET_PASSWORD, user, actor.tenant_id, {}, {})
    return NewUser(user.username, password)


def end_sessions(session: Session, actor: Actor, user_id: int) -> None:
    """Sign a user out everywhere."""
    require(actor, Permission.USERS_WRITE)
    with _managing(session, actor, Permission.USERS_WRITE, user_id) as user:
        user.sessions_valid_from = sign_in.now()
        _record(session, actor, Action.USERS_SIGN_OUT_EVERYWHERE, user, actor.tenant_id, {}, {})


def change_own_password(session: Session, actor: Actor, old: str, new: str, again: str) -> None:
    """Change the actor's own password; other sessions end. The caller's continues with a new sign-in time.

    Raises InvalidInput, TooManyAttempts as signing in does, Conflict when it has changed in the meantime.
    """
    if new != again:
        raise InvalidInput("The new passwords don't match.", field="again")
    if new == old:
        raise InvalidInput("The new password must differ from the current one.", field="new")
    validation.password(new, actor.username, actor.name)
    now = sign_in.attempt(session, actor.username)  # failed attempts count here as for sign-in
    if not sign_in.matches(old, now.password_hash):
        raise InvalidInput("The current password is wrong.", field="old")
    hashed = sign_in.hash_password(new)
    with writing(session):
        user = db.people.users.get(session, actor.user_id)
        if user.password_hash != now.password_hash:
            raise Conflict("Your password has been changed in the meantime. Nothing was saved.")
        sign_in.forget_failures(session, actor.username)
        user.password_hash = hashed
        user.must_change_password = False
        user.sessions_valid_from = sign_in.now()
        _record(session, actor, Action.USERS_CHANGE_PASSWORD, user, None, {}, {})


def own_sign_ins(session: Session, actor: Actor) -> list[datetime]:
    """Return the actor's last SIGN_INS_SHOWN sign-ins, newest first."""
    return db.people.users.sign_ins(session, actor.user_id, SIGN_INS_SHOWN)


@contextmanager
def _writing(session: Session, actor: Actor, permission: Permission) -> Iterator[None]:
    """Change who may do what: one after the other, each by somebody who still may."""
    with writing(session, lock=Lock.PEOPLE):
        fresh = sign_in.reload_actor(session, actor, sign_in.now())
        if fresh is None or not fresh.may(permission):
            raise Forbidden("Your access has changed since this page was loaded. Nothing was saved.")
        yield


def _one_time_password() -> tuple[str, str]:
    """Return a password's hash, and the password. Takes a third of a second, so call it before writing."""
    password = secrets.token_urlsafe(12)
    return sign_in.hash_password(password), password


def _added(session: Session, **values: Any) -> User:
    user = User(must_change_password=True, **values)
    session.add(user)
    session.flush()
    return user


@contextmanager
def _managing(
    session: Session, actor: Actor, permission: Permission, user_id: int, version: int | None = None
) -> Iterator[User]:
    """Change a user whom the actor may manage: in the actor's tenant, and no superadmin unless the actor is one."""
    with _writing(session, actor, permission):
        user = found(db.people.users.find_by_id(session, validation.as_id(user_id)))
        if not actor.is_superadmin and require_tenant(actor) not in db.people.users.tenants_of(session, user_id):
            raise NotFound
        if refusal := _why_not(session, actor, user_id, user.is_superadmin):
            raise Forbidden(refusal)
        changes.expect_version(session, actor.scope, "user", user, version)
        yield user


def _why_not(session: Session, actor: Actor, user_id: int, is_superadmin: bool) -> str:
    if actor.is_superadmin:
        return ""
    if is_superadmin:
        return _SUPERADMIN
    return _SHARED if len(db.people.users.tenants_of(session, user_id)) > 1 else ""


def _keep_an_admin(session: Session, user_id: int, tenant_id: int) -> None:
    if db.people.users.other_admins(session, user_id, tenant_id) == 0:
        raise Conflict("This is the tenant's last admin. Add another admin first.")


def _keep_a_superadmin(session: Session, user_id: int) -> None:
    if db.people.users.other_superadmins(session, user_id) == 0:
        raise Conflict("This is the last superadmin. Add another superadmin first.")


def _own_role() -> Forbidden:
    return Forbidden("You can't change your own role. Ask another admin.")


def _here_already(user: User) -> InvalidInput:
    return InvalidInput(f"{user.name} ({user.username}) already has a role in this tenant.", field="username")


def _record(
    session: Session,
    actor: Actor,
    action: Action,
    user: User,
    tenant_id: int | None,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    user.version += 1 if action is not Action.USERS_CREATE else 0
    subject = Subject("user", user.id, user.name, tenant_id, user.version)
    audit.record(session, actor, action, subject, before=before, after=after)
