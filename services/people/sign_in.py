"""Signing in and out: throttled attempts, and the user behind a cookie, loaded again on every run."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import bcrypt
import humanize
from sqlmodel import Session

import db.base.engine
import db.people.tenants
import db.people.users
from db.jobs.queries import SCHEDULE
from db.models import SignInThrottle
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core.access import Actor, Permission, Workspace, require
from services.core.errors import InvalidInput, ServiceError
from services.core.transactions import reading, writing

FREE_FAILURES = 5
"""Failed sign-ins in a row before a pause; each further one doubles it, up to LONGEST_PAUSE."""

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
FORGET_AFTER = timedelta(hours=24)
ALL_TENANTS = 0
"""The choice of every tenant, for a superadmin."""

PATIENCE = 2.0
"""Seconds to wait for a locked database when signing in or choosing a tenant."""

_BCRYPT_BYTES = 72
_DIGESTED = "sha256:"
# Checked when the user does not exist, so that the response takes equally long.
_NOBODY = "$2b$12$C6UzMDM.H6dfI/f/IKcEeO4k9s5QbHkN1rAopG4uWOfEsuYqBvtvu"


class TooManyAttempts(ServiceError):
    """Too many wrong passwords under one user name."""


@dataclass(frozen=True)
class Candidate:
    """A sign-in attempt and the stored hash that the password must match."""

    username: str
    name: str
    password_hash: str


def normal(username: str) -> str:
    """Return a user name as it is stored: trimmed, in lower case, at most 64 characters."""
    return username.strip().casefold()[:64]


def hash_password(password: str) -> str:
    """Return the hash of *password* as it is stored. Takes a third of a second, so never call it while writing.

    bcrypt reads 72 bytes, so longer passwords are digested first and their hashes marked.
    """
    _outside_of_transactions()
    typed = password.strip()
    if len(typed.encode()) < _BCRYPT_BYTES:
        return bcrypt.hashpw(typed.encode(), bcrypt.gensalt()).decode()
    return _DIGESTED + bcrypt.hashpw(_digest(typed).encode(), bcrypt.gensalt()).decode()


def to_check(password: str, stored: str) -> tuple[str, str]:
    """Return the text and the bcrypt hash that must match when *password* is the one behind a *stored* hash."""
    typed = password.strip()
    if stored.startswith(_DIGESTED):
        return _digest(typed), stored.removeprefix(_DIGESTED)
    # Long ones were cut before they were digested. What no browser sends matches nothing.
    return typed.encode(errors="replace")[:_BCRYPT_BYTES].decode(errors="ignore"), stored


def matches(password: str, stored: str) -> bool:
    """Return whether *password* matches a *stored* hash. Takes a third of a second."""
    _outside_of_transactions()
    typed, hashed = to_check(password, stored)
    return bcrypt.checkpw(typed.encode(), hashed.encode())


def _digest(typed: str) -> str:
    return base64.b64encode(hashlib.sha256(typed.encode(errors="replace")).digest()).decode()


def _outside_of_transactions() -> None:
    """End those that read, since hashing takes a third of a second."""
    if db.base.engine.is_writing():
        raise RuntimeError("a password is hashed while the database is locked for writing")
    db.base.engine.end_reading()


def now() -> datetime:
    """Return the time from which new sign-ins are valid."""
    return datetime.now(UTC)


def attempt(session: Session, username: str) -> Candidate:
    """Count an attempt as failed before checking the password; return what it must match.

    Known and unknown names are treated alike. Raises TooManyAttempts during a pause, InvalidInput for an impossible
    name, DatabaseUnavailable when the database stays locked for PATIENCE.
    """
    username, now = normal(username), datetime.now(UTC)
    if not username.isprintable():
        raise InvalidInput("A user name can't contain invisible characters. Type it again.", field="username")
    with writing(session, patience=PATIENCE):
        db.people.users.forget_throttles(session, now - FORGET_AFTER)
        throttle = db.people.users.find_throttle(session, username)
        if throttle is None:
            throttle = SignInThrottle(username=username)
            session.add(throttle)
        if throttle.locked_until and throttle.locked_until > now:
            wait = humanize.precisedelta(throttle.locked_until - now, minimum_unit="seconds", format="%d")
            raise TooManyAttempts(f"Too many wrong passwords for this user name. Try again in {wait}.")
        throttle.failures += 1
        throttle.last_failure_at = now
        if throttle.failures >= FREE_FAILURES:
            throttle.locked_until = now + min(
                LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(10, throttle.failures - FREE_FAILURES)
            )
    with reading(session):  # checking the password comes next and takes a while
        user = db.people.users.find(session, username)
    if user is None or not user.is_active:
        return Candidate(username, username, _NOBODY)
    return Candidate(username, user.name, user.password_hash)


def succeeded(session: Session, username: str) -> None:
    """Record a successful sign-in. The tenant has to be chosen again."""
    with writing(session, patience=PATIENCE):
        forget_failures(session, username)
        user = db.people.users.find(session, normal(username))
        if user is not None:
            user.last_sign_in_at = datetime.now(UTC)
            user.last_tenant_id = None
            actor = Actor(user.id, user.username, user.name)
            audit.record(session, actor, Action.USERS_SIGN_IN, Subject("user", user.id, user.name, None))


def forget_failures(session: Session, username: str) -> None:
    """Reset the failed attempts of a user name, in the transaction of *session*."""
    throttle = db.people.users.find_throttle(session, normal(username))
    if throttle is not None:
        session.delete(throttle)


def load_actor(
    session: Session, username: str, signed_in_at: datetime, chosen: int | None, *, first: bool = False
) -> Actor | None:
    """Return the user as the database has it now, in the tenant that was *chosen* (ALL_TENANTS for all).

    None when there is no such active user or the sign-in is no longer valid. Without a choice, a user of a single
    tenant works there, and the *first* run of a tab uses the last choice made in any tab. An invalid choice selects no
    tenant, never a different one.
    """
    rows = db.people.users.memberships(session, username, chosen)
    if not rows or not rows[0].is_active or signed_in_at < rows[0].sessions_valid_from:
        return None
    user = rows[0]
    workspaces = tuple(
        Workspace(row.tenant_id, row.tenant or "", row.role, row.time_zone or "UTC")
        for row in rows
        if row.tenant_id is not None and row.role is not None and row.suspended_at is None
    )
    roles = {workspace.id: workspace.role for workspace in workspaces}

    def may_choose(tenant_id: int) -> bool:
        if tenant_id in roles or not user.is_superadmin:
            return tenant_id in roles
        return tenant_id == ALL_TENANTS or any(row.tenant_id == tenant_id and not row.suspended_at for row in rows)

    only = workspaces[0].id if len(workspaces) == 1 and not user.is_superadmin else None
    last = user.last_tenant_id if first else None
    choices = (last, only) if chosen is None else (chosen,)
    tenant_id = next((choice for choice in choices if choice is not None and may_choose(choice)), None)
    return Actor(
        user_id=user.user_id,
        username=user.username,
        name=user.name,
        is_superadmin=user.is_superadmin,
        tenant_id=tenant_id or None,
        role=roles.get(tenant_id) if tenant_id else None,
        all_tenants=tenant_id == ALL_TENANTS,
        must_change_password=user.must_change_password,
        workspaces=workspaces,
        suspended=tuple((row.tenant_id, row.tenant or "") for row in rows if row.tenant_id and row.suspended_at),
    )


def on_schedule(session: Session, user_id: int, tenant_id: int, permission: Permission) -> Actor:
    """Return who does what the clock starts: the user who once asked for it, with one *permission* in one tenant."""
    user = db.people.users.get(session, user_id)
    return Actor(user.id, user.username, SCHEDULE, tenant_id=tenant_id, granted=frozenset({permission}))


def reload_actor(session: Session, actor: Actor, signed_in_at: datetime) -> Actor | None:
    """Reload *actor* in its current tenant; None as for `load_actor`."""
    return load_actor(session, actor.username, signed_in_at, ALL_TENANTS if actor.all_tenants else actor.tenant_id)


def why_out(before: Actor, now: Actor) -> str:
    """Return why a user lost access to the tenant worked in *before*; empty when the user left by choice."""
    if before.user_id != now.user_id:
        return ""
    if before.is_superadmin and not now.is_superadmin:
        return "You are no longer a superadmin."
    left = before.tenant_id if before.tenant_id != now.tenant_id else None
    suspended = dict(now.suspended)
    if left in suspended:
        return f"{suspended[left]} was suspended. Its data is kept, and a superadmin can resume it."
    lost = [workspace.name for workspace in before.workspaces if workspace.id == left]
    if lost and left not in {workspace.id for workspace in now.workspaces}:
        return f"You no longer have access to {lost[0]}. Ask one of its admins if you need it."
    return ""


def choose_tenant(session: Session, actor: Actor, tenant_id: int | None) -> None:
    """Remember the actor's tenant for the next tab or reload. Grants no access."""
    with writing(session, patience=PATIENCE):
        user = db.people.users.find(session, actor.username)
        if user is not None:
            user.last_tenant_id = tenant_id


def all_workspaces(session: Session, actor: Actor) -> list[tuple[int, str, str]]:
    """Return id, name and time zone of every tenant, for a superadmin to choose from."""
    require(actor, Permission.TENANTS_READ_ALL)
    return db.people.tenants.active(session)


def sign_out_everywhere(session: Session, actor: Actor) -> None:
    """End every session of the actor, including this one."""
    with writing(session):
        user = db.people.users.find(session, actor.username)
        if user is not None:
            user.sessions_valid_from = datetime.now(UTC)
            audit.record(session, actor, Action.USERS_SIGN_OUT_EVERYWHERE, Subject("user", user.id, user.name, None))
