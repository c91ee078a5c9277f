"""Queries over users, their memberships, and failed sign-ins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db.models import Membership, Role, SignInThrottle, Tenant, User
from db.scope import Scope


@dataclass(frozen=True)
class MembershipRow:
    """A user in one tenant; for a user without any, the tenant fields are None."""

    user_id: int
    username: str
    name: str
    is_superadmin: bool
    is_active: bool
    sessions_valid_from: datetime
    last_tenant_id: int | None
    must_change_password: bool
    tenant_id: int | None
    tenant: str | None
    time_zone: str | None
    suspended_at: datetime | None
    role: Role | None


def memberships(session: Session, username: str, chosen: int | None) -> list[MembershipRow]:
    """Return the user with a row for each of its tenants, by name; no row when there is no such user.

    A superadmin has a row, without a role, for the *chosen* tenant too, or else for the last one.
    """
    looked_at = sa.and_(User.is_superadmin, Tenant.id == sa.func.coalesce(chosen, User.last_tenant_id))
    rows = session.execute(
        sa.select(
            User.id,
            User.username,
            User.name,
            User.is_superadmin,
            User.is_active,
            User.sessions_valid_from,
            User.last_tenant_id,
            User.must_change_password,
            Tenant.id,
            Tenant.name,
            Tenant.time_zone,
            Tenant.suspended_at,
            Membership.role,
        )
        .outerjoin(Membership, Membership.user_id == User.id)
        .outerjoin(Tenant, sa.or_(Tenant.id == Membership.tenant_id, looked_at))
        .where(User.username == username)
        .order_by(Tenant.name)
    )
    return [MembershipRow(*row) for row in rows]


def find(session: Session, username: str) -> User | None:
    """Return the row of a user."""
    return session.scalar(sa.select(User).where(User.username == username))


def find_throttle(session: Session, username: str) -> SignInThrottle | None:
    """Return the failed sign-ins under *username*, locked for a change where the database can."""
    return session.scalar(sa.select(SignInThrottle).where(SignInThrottle.username == username).with_for_update())


def forget_throttles(session: Session, before: datetime) -> None:
    """Drop failed sign-ins whose last one was *before*."""
    session.execute(sa.delete(SignInThrottle).where(SignInThrottle.last_failure_at < before))


def get(session: Session, user_id: int) -> User:
    """Return the row of a user that a foreign key names."""
    return session.get_one(User, user_id)


@dataclass(frozen=True)
class UserRow:
    """A user in one tenant."""

    id: int
    username: str
    name: str
    role: Role
    tenant_id: int
    tenant: str
    is_active: bool
    is_superadmin: bool
    must_change_password: bool
    last_sign_in_at: datetime | None


def search(session: Session, scope: Scope) -> list[UserRow]:
    """Return the users of the tenants in *scope*, by name."""
    rows = session.execute(
        sa.select(
            User.id,
            User.username,
            User.name,
            Membership.role,
            Tenant.id,
            Tenant.name,
            User.is_active,
            User.is_superadmin,
            User.must_change_password,
            User.last_sign_in_at,
        )
        .join(Membership, Membership.user_id == User.id)
        .join(Tenant, Tenant.id == Membership.tenant_id)
        .where(scope.of(Membership.tenant_id))
        .order_by(User.name, Tenant.name)
    )
    return [UserRow(*row) for row in rows]


def find_by_id(session: Session, user_id: int) -> User | None:
    """Return the row of a user, locked for a change where the database can."""
    return session.scalar(sa.select(User).where(User.id == user_id).with_for_update())


def find_membership(session: Session, user_id: int, tenant_id: int) -> Membership | None:
    """Return a user's place in a tenant."""
    return session.get(Membership, (user_id, tenant_id), populate_existing=True)


def lock_memberships(session: Session, tenant_id: int) -> None:
    """Let nobody else change who is in a tenant before this transaction ends."""
    session.execute(sa.select(Tenant.id).where(Tenant.id == tenant_id).with_for_update())


def tenants_of(session: Session, user_id: int) -> list[int]:
    """Return the tenants that a user has a role in."""
    return list(session.scalars(sa.select(Membership.tenant_id).where(Membership.user_id == user_id)))


def tenants_of_admin(session: Session, user_id: int) -> list[int]:
    """Return the tenants that a user is an admin of, in a fixed order."""
    condition = (Membership.user_id == user_id, Membership.role == Role.ADMIN)
    return list(session.scalars(sa.select(Membership.tenant_id).where(*condition).order_by(Membership.tenant_id)))


def other_admins(session: Session, user_id: int, tenant_id: int) -> int:
    """Return how many active admins a tenant has besides a user."""
    return _count(
        session,
        sa.select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.tenant_id == tenant_id,
            Membership.role == Role.ADMIN,
            Membership.user_id != user_id,
            User.is_active,
        ),
    )


def other_superadmins(session: Session, user_id: int) -> int:
    """Return how many active superadmins there are besides a user."""
    return _count(session, sa.select(User.id).where(User.is_superadmin, User.is_active, User.id != user_id))


def _count(session: Session, rows: Any) -> int:
    return int(session.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0)
