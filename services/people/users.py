"""Users of the installation and what they may do in a tenant: created, changed, shut out; never the last admin."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

import db.base.engine
import db.people.tenants
import db.people.users
from db.base.scope import Scope, Slice
from db.models import Membership, Role, User
from db.people.users import Place, UserQuery, UserRow
from services.audit import audit
from services.audit.audit import Action, AuditRow, Subject
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.people import sign_in

__all__ = ["NewUser", "Place", "UserDetail", "UserQuery", "UserRow"]

SIGN_INS_SHOWN = 10
_SHARED = "This user belongs to other tenants too, so only a superadmin can manage the account."
_SUPERADMIN = "Only a superadmin can manage a superadmin."


@dataclass(frozen=True)
class NewUser:
    """A user who was just created or reset, and the password for the first sign-in: shown once, kept nowhere."""

    username: str
    one_time_password: str


@dataclass(frozen=True)
class UserDetail:
    """A user as an actor may see it, and why (if so) the actor may not manage the account."""

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
    found = db.people.users.find_row(session, scope, validation.as_id(user_id))
    if found is None:
        raise NotFound
    return UserDetail(found, _why_not(session, actor, found.id, found.is_superadmin))


def history(session: Session, actor: Actor, user_id: int, part: Slice) -> list[AuditRow]:
    """Return the *part* of what was done to a user in the tenants in scope, newest first."""
    require(actor, Permission.USERS_READ)
    return audit.history(session, actor, "user", user_id, part)


def create(session: Session, actor: Actor, username: str, name: str, role: Role) -> NewUser:
    """Create a user with a role in the chosen tenant.

    Raises Forbidden, and InvalidInput for a name that cannot be used or is taken; it is `overridable`
    for a superadmin, who may `grant` that user a role instead.
    """
    require(actor, Permission.USERS_WRITE)
    tenant_id = require_tenant(actor)
    login, shown = validation.username(username), validation.name(name or username, "user")
    session.rollback()
    user, password = _new(login, shown)
    _begin(session, actor, Permission.USERS_WRITE)
    known = db.people.users.find(session, login)
    if known is not None and db.people.users.find_membership(session, known.id, tenant_id) is not None:
        raise _here_already(known)
    if known is not None:
        ask = "Give this user a role here?"
        if not actor.is_superadmin:
            ask = "Ask a superadmin to give this user a role here."
        raise InvalidInput(
            f"User {login} already exists in another tenant. {ask}",
            field="username",
            overridable=actor.is_superadmin,
        )
    session.add(user)
    session.flush()
    session.add(Membership(user_id=user.id, tenant_id=tenant_id, role=role))
    _record(session, actor, Action.USERS_CREATE, user, tenant_id, {}, {"role": str(role)})
    session.commit()
    return NewUser(login, password)


def create_superadmin(session: Session, actor: Actor, username: str, name: str) -> NewUser:
    """Create a superadmin, who needs no tenant. Raises Forbidden, and InvalidInput as `create` does."""
    require(actor, Permission.SUPERADMINS_WRITE)
    login, shown = validation.username(username), validation.name(name or username, "user")
    session.rollback()
    user, password = _new(login, shown)
    _begin(session, actor, Permission.SUPERADMINS_WRITE)
    if db.people.users.find(session, login) is not None:
        raise InvalidInput(f"User {login} already exists. Make that user a superadmin instead.", field="username")
    user.is_superadmin = True
    session.add(user)
    session.flush()
    _record(session, actor, Action.USERS_CREATE, user, None, {}, {"superadmin": True})
    session.commit()
    return NewUser(login, password)


def grant(session: Session, actor: Actor, username: str, tenant_id: int, role: Role) -> None:
    """Give a user a role in one more tenant. Only a superadmin knows the users of others."""
    require(actor, Permission.TENANTS_READ_ALL)
    _begin(session, actor, Permission.TENANTS_READ_ALL)
    user = db.people.users.find(session, sign_in.normal(username))
    tenant = db.people.tenants.find(session, validation.as_id(tenant_id))
    if user is None or tenant is None:
        raise NotFound
    if user.id == actor.user_id:
        raise _own_role()
    if db.people.users.find_membership(session, user.id, tenant_id) is not None:
        raise _here_already(user)
    session.add(Membership(user_id=user.id, tenant_id=tenant_id, role=role))
    _record(session, actor, Action.USERS_CHANGE_ROLE, user, tenant_id, {"role": None}, {"role": str(role)})
    session.commit()


def change_role(session: Session, actor: Actor, user_id: int, tenant_id: int, role: Role | None) -> None:
    """Give a user another role in a tenant, or (None) take it out of the tenant.

    An admin does so in the own tenant, a superadmin in any. Raises Forbidden for the own role, NotFound
    for who is not in the tenant, Conflict for the last admin.
    """
    require(actor, Permission.USERS_WRITE)
    if not actor.is_superadmin and tenant_id != require_tenant(actor):
        raise NotFound
    if user_id == actor.user_id:
        raise _own_role()
    _begin(session, actor, Permission.USERS_WRITE)
    user, membership = _member(session, user_id, tenant_id)
    before = membership.role
    if before is role:
        session.rollback()
        return
    if before is Role.ADMIN:
        _keep_an_admin(session, user_id, tenant_id)
    if role is None:
        session.delete(membership)
    else:
        membership.role = role
    after = {"role": role and str(role)}
    _record(session, actor, Action.USERS_CHANGE_ROLE, user, tenant_id, {"role": str(before)}, after)
    session.commit()


def set_superadmin(session: Session, actor: Actor, user_id: int, superadmin: bool) -> None:
    """Make a user a superadmin, or leave it the roles in tenants alone. Raises Conflict for the last superadmin."""
    require(actor, Permission.SUPERADMINS_WRITE)
    if user_id == actor.user_id:
        raise _own_role()
    _begin(session, actor, Permission.SUPERADMINS_WRITE)
    user = _managed(session, actor, user_id)
    if user.is_superadmin == superadmin:
        session.rollback()
        return
    if not superadmin:
        _keep_a_superadmin(session, user_id)
    user.is_superadmin = superadmin
    before, after = {"superadmin": not superadmin}, {"superadmin": superadmin}
    _record(session, actor, Action.USERS_CHANGE_SUPERADMIN, user, None, before, after)
    session.commit()


def set_active(session: Session, actor: Actor, user_id: int, active: bool) -> None:
    """Let a user sign in, or shut the user out of every session at once."""
    require(actor, Permission.USERS_WRITE)
    if user_id == actor.user_id:
        raise Forbidden("You can't deactivate your own account. Ask another admin.")
    _begin(session, actor, Permission.USERS_WRITE)
    user = _managed(session, actor, user_id)
    if user.is_active == active:
        session.rollback()
        return
    if not active:
        for tenant_id in db.people.users.tenants_of_admin(session, user_id):
            _keep_an_admin(session, user_id, tenant_id)
        if user.is_superadmin:
            _keep_a_superadmin(session, user_id)
    user.is_active = active
    action = Action.USERS_ACTIVATE if active else Action.USERS_DEACTIVATE
    _record(session, actor, action, user, actor.tenant_id, {"active": not active}, {"active": active})
    session.commit()


def reset_password(session: Session, actor: Actor, user_id: int) -> NewUser:
    """Give a user a one-time password, end every session of theirs, and forget the wrong passwords."""
    require(actor, Permission.USERS_WRITE)
    session.rollback()
    password = secrets.token_urlsafe(12)
    hashed = sign_in.hash_password(password)
    _begin(session, actor, Permission.USERS_WRITE)
    user = _managed(session, actor, user_id)
    user.password_hash = hashed
    user.must_change_password = True
    user.sessions_valid_from = sign_in.now()
    sign_in.forget_failures(session, user.username)
    _record(session, actor, Action.USERS_RESET_PASSWORD, user, actor.tenant_id, {}, {})
    session.commit()
    return NewUser(user.username, password)


def end_sessions(session: Session, actor: Actor, user_id: int) -> None:
    """Sign a user out everywhere."""
    require(actor, Permission.USERS_WRITE)
    _begin(session, actor, Permission.USERS_WRITE)
    user = _managed(session, actor, user_id)
    user.sessions_valid_from = sign_in.now()
    _record(session, actor, Action.USERS_SIGN_OUT_EVERYWHERE, user, actor.tenant_id, {}, {})
    session.commit()


def change_own_password(session: Session, actor: Actor, old: str, new: str, again: str) -> None:
    """Change the actor's own password; other sessions end. The caller's goes on with a new sign-in time.

    Raises InvalidInput, TooManyAttempts as signing in does, Conflict when it was changed meanwhile.
    """
    if new != again:
        raise InvalidInput("The new passwords don't match.", field="again")
    if new == old:
        raise InvalidInput("The new password must differ from the current one.", field="new")
    validation.password(new, actor.username, actor.name)
    now = sign_in.attempt(session, actor.username)  # guesses are counted here as at signing in
    if not sign_in.matches(old, now.password_hash):
        raise InvalidInput("The current password is wrong.", field="old")
    hashed = sign_in.hash_password(new)
    db.base.engine.start_write(session)
    user = db.people.users.get(session, actor.user_id)
    if user.password_hash != now.password_hash:
        raise Conflict("Your password has been changed in the meantime. Nothing was saved.")
    sign_in.forget_failures(session, actor.username)
    user.password_hash = hashed
    user.must_change_password = False
    user.sessions_valid_from = sign_in.now()
    _record(session, actor, Action.USERS_CHANGE_PASSWORD, user, None, {}, {})
    session.commit()


def own_sign_ins(session: Session, actor: Actor) -> list[datetime]:
    """Return when the actor signed in, the last time first, at most SIGN_INS_SHOWN."""
    return db.people.users.sign_ins(session, actor.user_id, SIGN_INS_SHOWN)


def _begin(session: Session, actor: Actor, permission: Permission) -> None:
    """Begin a change of who may do what: one after the other, each by somebody who still may."""
    db.base.engine.start_write(session)
    db.people.users.take_turns(session)
    fresh = sign_in.reload_actor(session, actor, sign_in.now())
    if fresh is None or not fresh.may(permission):
        raise Forbidden("Your access has changed since this page was loaded. Nothing was saved.")


def _new(login: str, name: str) -> tuple[User, str]:
    """Return a user to be added, and the one-time password. It takes a third of a second: begin no write before."""
    password = secrets.token_urlsafe(12)
    hashed = sign_in.hash_password(password)
    return User(username=login, name=name, password_hash=hashed, must_change_password=True), password


def _managed(session: Session, actor: Actor, user_id: int) -> User:
    """Return a user whom the actor may manage: of the own tenant, and no superadmin but for superadmins."""
    user = db.people.users.find_by_id(session, validation.as_id(user_id))
    if user is None:
        raise NotFound
    if not actor.is_superadmin and require_tenant(actor) not in db.people.users.tenants_of(session, user_id):
        raise NotFound
    if refusal := _why_not(session, actor, user_id, user.is_superadmin):
        raise Forbidden(refusal)
    return user


def _why_not(session: Session, actor: Actor, user_id: int, is_superadmin: bool) -> str:
    if actor.is_superadmin:
        return ""
    if is_superadmin:
        return _SUPERADMIN
    return _SHARED if len(db.people.users.tenants_of(session, user_id)) > 1 else ""


def _member(session: Session, user_id: int, tenant_id: int) -> tuple[User, Membership]:
    user = db.people.users.find_by_id(session, validation.as_id(user_id))
    membership = db.people.users.find_membership(session, user_id, tenant_id)
    if user is None or membership is None:
        raise NotFound
    return user, membership


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
    audit.record(session, actor, action, Subject("user", user.id, user.name, tenant_id), before=before, after=after)
