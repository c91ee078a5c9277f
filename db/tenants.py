"""Queries over tenants."""

import sqlalchemy as sa
from sqlmodel import Session

from db.models import Tenant


def active(session: Session) -> list[tuple[int, str, str]]:
    """Return id, name and time zone of every tenant that is not suspended, by name."""
    rows = session.execute(
        sa.select(Tenant.id, Tenant.name, Tenant.time_zone).where(Tenant.suspended_at.is_(None)).order_by(Tenant.name)
    )
    return [(id, name, zone) for id, name, zone in rows]


def any_exists(session: Session) -> bool:
    """Return whether there is a tenant at all."""
    return session.scalar(sa.select(Tenant.id).limit(1)) is not None


def find(session: Session, tenant_id: int) -> Tenant | None:
    """Return the tenant, if there is one."""
    return session.get(Tenant, tenant_id)
