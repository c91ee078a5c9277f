"""Queries over tenants."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

import db.base.named
from db.base.scope import Scope, Slice
from db.models import GONE, AuditEvent, Membership, NumberCount, NumberStatus, Role, Tenant, User
from db.numbers.text_search import names_holding


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
    """A tenant with how many active users, admins among them, and numbers it has."""

    id: int
    name: str
    time_zone: str
    suspended_at: datetime | None
    created_at: datetime
    version: int
    users: int
    admins: int
    numbers: int


@dataclass(frozen=True)
class TenantQuery:
    """Which tenants are wanted. Empty means any."""

    text: str = ""
    active: bool | None = None


def count(session: Session, query: TenantQuery) -> int:
    """Return how many tenants match."""
    return db.base.named.count(session, Tenant, _matching(query))


def search(session: Session, query: TenantQuery, part: Slice) -> list[TenantRow]:
    """Return the *part* of the tenants that match *query*, by name."""
    rows = session.execute(
        _rows().where(*_matching(query)).order_by(Tenant.name, Tenant.id).limit(part.size).offset(part.offset)
    )
    return [TenantRow(*row) for row in rows]


def find_row(session: Session, tenant_id: int) -> TenantRow | None:
    """Return one tenant."""
    row = session.execute(_rows().where(Tenant.id == tenant_id)).first()
    return TenantRow(*row) if row else None


def _rows() -> Any:
    members = sa.select(sa.func.count()).select_from(Membership).join(User, User.id == Membership.user_id)
    users = members.where(Membership.tenant_id == Tenant.id, User.is_active)
    numbers = (
        sa.select(sa.func.coalesce(sa.func.sum(NumberCount.n), 0))
        .where(NumberCount.tenant_id == Tenant.id, NumberCount.status.not_in(GONE))
        .scalar_subquery()
    )
    return sa.select(
        Tenant.id,
        Tenant.name,
        Tenant.time_zone,
        Tenant.suspended_at,
        Tenant.created_at,
        Tenant.version,
        users.correlate(Tenant).scalar_subquery(),
        users.where(Membership.role == Role.ADMIN).correlate(Tenant).scalar_subquery(),
        numbers,
    )


def _matching(query: TenantQuery) -> list[Any]:
    """The shared conditions of `count` and `search`."""
    conditions: list[Any] = [names_holding(Tenant.name, query.text)] if query.text else []
    if query.active is not None:
        conditions.append(Tenant.suspended_at.is_(None) if query.active else Tenant.suspended_at.is_not(None))
    return conditions


def find(session: Session, tenant_id: int) -> Tenant | None:
    """Return the tenant, if there is one."""
    return session.get(Tenant, tenant_id)


class TenantSort(StrEnum):
    """Orders of the tenants that are compared. Each ends in the primary key."""

    NAME = "name"
    NUMBERS = "numbers"
    LAST_CHANGE = "last_change"


@dataclass(frozen=True)
class ComparedTenant:
    """A tenant beside others: how many numbers it holds, and when something of it changed last."""

    id: int
    name: str
    settings: dict[str, Any]
    numbers: int
    active: int
    managed: int
    last_change: datetime | None


def compared(session: Session, scope: Scope, sort: TenantSort, part: Slice) -> list[ComparedTenant]:
    """Return the *part* of the tenants in *scope*, in the order of *sort*."""

    def counted(*conditions: Any) -> Any:
        total = sa.func.coalesce(sa.func.sum(NumberCount.n), 0)
        held = (NumberCount.tenant_id == Tenant.id, NumberCount.status.not_in(GONE))
        return sa.select(total).where(*held, *conditions).scalar_subquery()

    numbers = counted()
    changed = (
        sa.select(AuditEvent.at)
        .where(AuditEvent.tenant_id == Tenant.id)
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    order = {
        TenantSort.NAME: (Tenant.name, Tenant.id),
        TenantSort.NUMBERS: (numbers.desc(), Tenant.id),
        TenantSort.LAST_CHANGE: (changed.is_(None), changed.desc(), Tenant.id),
    }[sort]
    active = counted(NumberCount.status == NumberStatus.ACTIVE)
    managed = counted(NumberCount.is_managed.is_(True))
    rows = session.execute(
        sa.select(Tenant.id, Tenant.name, Tenant.settings, numbers, active, managed, changed)
        .where(scope.of(Tenant.id))
        .order_by(*order)
        .limit(part.size)
        .offset(part.offset)
    )
    return [ComparedTenant(*row) for row in rows]


def count_in(session: Session, scope: Scope) -> int:
    """Return how many tenants there are in *scope*."""
    return db.base.named.count(session, Tenant, [scope.of(Tenant.id)])
