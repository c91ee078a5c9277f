"""Queries over users, their memberships, and failed sign-ins."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session

from db.models import Membership, Role, SignInThrottle, Tenant, User


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
