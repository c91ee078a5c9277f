"""Users of the installation and what they may do in a tenant: created, changed, shut out; never the last admin."""

import secrets
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

import db.engine
import db.tenants
import db.users
from db.models import Membership, Role, User
from db.users import UserRow
from services import audit, checks, sign_in
from services.access import Actor, Permission, require, require_tenant
from services.audit import Action, Subject
from services.errors import Conflict, Forbidden, InvalidInput, NotFound

__all__ = ["NewUser", "UserRow"]

SHORTEST_PASSWORD = 12


@dataclass(frozen=True)
class NewUser:
    """A user who was just created or reset, and the password for the first sign-in: shown once, kept nowhere."""

    username: str
    one_time_password: str


def search(session: Session, actor: Actor) -> list[UserRow]:
    """Return the users of the chosen tenant, or of every tenant, by name."""
    require(actor, Permission.USERS_READ)
    return db.users.search(session, actor.scope)


def create(session: Session, actor: Actor, username: str, name: str, role: Role) -> NewUser:
    """Create a user with a role in the chosen tenant; a user who exists already gets the role there.

    Raises Forbidden, InvalidInput (a name that cannot be used, a user who is in the tenant already).
    """
    require(actor, Permission.USERS_WRITE)
    tenant_id = require_tenant(actor)
    login = checks.username(username)
    shown = checks.name(name or username, "user")
    db.engine.start_write(session)
    if db.users.find(session, login) is not None:
        raise InvalidInput(
            f"There is a user {login} already. A superadmin can give a user of another tenant a role here.",
            field="username",
        )
    password = secrets.token_urlsafe(12)
    user = User(username=login, name=shown, password_hash=sign_in.hash_password(password), must_change_password=True)
    session.add(user)
    try:
        session.flush()
    except IntegrityError as exc:
        session.rollback()
        raise InvalidInput(f"There is a user {login} already.", field="username") from exc
    session.add(Membership(user_id=user.id or 0, tenant_id=tenant_id, role=role))
    _record(session, actor, Action.USERS_CREATE, user, tenant_id, {}, {"role": str(role)})
    session.commit()
    return NewUser(login, password)


def grant(session: Session, actor: Actor, username: str, role: Role) -> None:
    """Give a user of another tenant a role in the chosen one. Only a superadmin knows the others."""
    require(actor, Permission.TENANTS_READ_ALL)
    tenant_id = require_tenant(actor)
    db.engine.start_write(session)
    user = db.users.find(session, sign_in.normal(username))
    if user is None:
        raise NotFound("There is no such user.")
    if db.users.find_membership(session, user.id or 0, tenant_id) is not None:
        raise InvalidInput(f"{user.name} is in this tenant already.", field="username")
    session.add(Membership(user_id=user.id or 0, tenant_id=tenant_id, role=role))
    _record(session, actor, Action.USERS_CHANGE_ROLE, user, tenant_id, {"role": None}, {"role": str(role)})
    session.commit()


def change_role(session: Session, actor: Actor, user_id: int, role: Role | None) -> None:
    """Give a user another role in the chosen tenant, or (None) take it out of the tenant.

    Raises Forbidden for the own role, Conflict for the last admin.
    """
    require(actor, Permission.USERS_WRITE)
    tenant_id = require_tenant(actor)
    if user_id == actor.user_id:
        raise Forbidden("Nobody changes the own role. Ask another admin.")
    db.engine.start_write(session)
    db.users.lock_memberships(session, tenant_id)
    user, membership = _member(session, user_id, tenant_id)
    if membership.role is role:
        session.rollback()
        return
    if membership.role is Role.ADMIN:
        _keep_an_admin(session, user_id, tenant_id)
    before = str(membership.role)
    if role is None:
        session.delete(membership)
    else:
        membership.role = role
    _record(session, actor, Action.USERS_CHANGE_ROLE, user, tenant_id, {"role": before}, {"role": role and str(role)})
    session.commit()


def set_active(session: Session, actor: Actor, user_id: int, active: bool) -> None:
    """Let a user sign in, or shut the user out of every session at once."""
    require(actor, Permission.USERS_WRITE)
    if user_id == actor.user_id:
        raise Forbidden("Nobody deactivates the own account. Ask another admin.")
    db.engine.start_write(session)
    user = _managed(session, actor, user_id)
    if user.is_active == active:
        session.rollback()
        return
    if not active:
        for tenant_id in db.users.tenants_of_admin(session, user_id):
            db.users.lock_memberships(session, tenant_id)
            _keep_an_admin(session, user_id, tenant_id)
        if user.is_superadmin and db.users.other_superadmins(session, user_id) == 0:
            raise Conflict("This is the last superadmin. Make another one first.")
    user.is_active = active
    action = Action.USERS_ACTIVATE if active else Action.USERS_DEACTIVATE
    _record(session, actor, action, user, actor.tenant_id, {"active": not active}, {"active": active})
    session.commit()


def reset_password(session: Session, actor: Actor, user_id: int) -> NewUser:
    """Give a user a one-time password and end every session of theirs."""
    require(actor, Permission.USERS_WRITE)
    db.engine.start_write(session)
    user = _managed(session, actor, user_id)
    password = secrets.token_urlsafe(12)
    user.password_hash = sign_in.hash_password(password)
    user.must_change_password = True
    user.sessions_valid_from = sign_in.now()
    _record(session, actor, Action.USERS_RESET_PASSWORD, user, actor.tenant_id, {}, {})
    session.commit()
    return NewUser(user.username, password)


def end_sessions(session: Session, actor: Actor, user_id: int) -> None:
    """Sign a user out everywhere."""
    require(actor, Permission.USERS_WRITE)
    db.engine.start_write(session)
    user = _managed(session, actor, user_id)
    user.sessions_valid_from = sign_in.now()
    _record(session, actor, Action.USERS_SIGN_OUT_EVERYWHERE, user, actor.tenant_id, {}, {})
    session.commit()


def change_own_password(session: Session, actor: Actor, old: str, new: str, again: str) -> None:
    """Change the actor's own password; other sessions end. The caller's goes on with a new sign-in time."""
    if new != again:
        raise InvalidInput("The two new passwords differ.", field="again")
    if len(new) < SHORTEST_PASSWORD:
        raise InvalidInput(f"A password has at least {SHORTEST_PASSWORD} characters.", field="new")
    if new == old:
        raise InvalidInput("The new password is the old one.", field="new")
    db.engine.start_write(session)
    user = db.users.get(session, actor.user_id)
    if not sign_in.matches(old, user.password_hash):
        raise InvalidInput("The old password is wrong.", field="old")
    user.password_hash = sign_in.hash_password(new)
    user.must_change_password = False
    user.sessions_valid_from = sign_in.now()
    _record(session, actor, Action.USERS_CHANGE_PASSWORD, user, None, {}, {})
    session.commit()


def _managed(session: Session, actor: Actor, user_id: int) -> User:
    """Return a user whom the actor may manage: of the own tenant, and no superadmin but for superadmins."""
    user = db.users.find_by_id(session, checks.as_id(user_id))
    if user is None:
        raise NotFound
    if actor.is_superadmin:
        return user
    tenants = db.users.tenants_of(session, user_id)
    if tenants != [require_tenant(actor)]:
        if require_tenant(actor) not in tenants:
            raise NotFound
        raise Forbidden("This user works in other tenants too: a superadmin manages the account.")
    if user.is_superadmin:
        raise Forbidden("Only a superadmin manages a superadmin.")
    return user


def _member(session: Session, user_id: int, tenant_id: int) -> tuple[User, Membership]:
    user = db.users.find_by_id(session, checks.as_id(user_id))
    membership = db.users.find_membership(session, user_id, tenant_id)
    if user is None or membership is None:
        raise NotFound
    return user, membership


def _keep_an_admin(session: Session, user_id: int, tenant_id: int) -> None:
    if db.users.other_admins(session, user_id, tenant_id) == 0:
        raise Conflict("This is the last admin of the tenant. Make another one first.")


def _record(
    session: Session,
    actor: Actor,
    action: Action,
    user: User,
    tenant_id: int | None,
    before: dict[str, object],
    after: dict[str, object],
) -> None:
    audit.record(session, actor, action, Subject("user", user.id, user.name, tenant_id), before=before, after=after)
