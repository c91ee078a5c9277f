"""Queries over tenants."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session

from db.models import GONE, Membership, NumberCount, Tenant
from db.scope import Scope


def active(session: Session) -> list[tuple[int, str, str]]:
    """Return id, name and time zone of every tenant that is not suspended, by name."""
    rows = session.execute(
        sa.select(Tenant.id, Tenant.name, Tenant.time_zone).where(Tenant.suspended_at.is_(None)).order_by(Tenant.name)
    )
    return [(id, name, zone) for id, name, zone in rows]


def any_exists(session: Session) -> bool:
    """Return whether there is a tenant at all."""
    return session.scalar(sa.select(Tenant.id).limit(1)) is not None


@dataclass(frozen=True)
class TenantRow:
    """A tenant with how many users and numbers it has."""

    id: int
    name: str
    time_zone: str
    suspended_at: datetime | None
    created_at: datetime
    version: int
    users: int
    numbers: int


def search(session: Session) -> list[TenantRow]:
    """Return every tenant, by name."""
    users = sa.select(sa.func.count()).where(Membership.tenant_id == Tenant.id).scalar_subquery()
    numbers = (
        sa.select(sa.func.coalesce(sa.func.sum(NumberCount.n), 0))
        .where(NumberCount.tenant_id == Tenant.id, NumberCount.status.not_in(GONE))
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(
            Tenant.id,
            Tenant.name,
            Tenant.time_zone,
            Tenant.suspended_at,
            Tenant.created_at,
            Tenant.version,
            users,
            numbers,
        ).order_by(Tenant.name)
    )
    return [TenantRow(*row) for row in rows]


def lock(session: Session, scope: Scope, tenant_id: int) -> Tenant | None:
    """Return the row of a tenant in *scope*, locked for a change where the database can."""
    return session.scalar(
        sa.select(Tenant)
        .where(Tenant.id == tenant_id, scope.of(Tenant.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def find(session: Session, tenant_id: int) -> Tenant | None:
    """Return the tenant, if there is one."""
    return session.get(Tenant, tenant_id)
