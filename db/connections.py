"""Queries over telephony connections."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

import db.base.named
from db.base.rows import columns_for
from db.base.scope import Scope, Slice
from db.models import LIVE, UNSETTLED, Connection, NumberOrder, PhoneNumber, Tenant
from db.numbers.held import held
from db.numbers.text_search import names_holding


@dataclass(frozen=True)
class ConnectionRow:
    """A connection without its secrets. `test_passed` is None while it was not tested with them."""

    id: int
    tenant: str
    name: str
    provider: str
    default_country: str | None
    voice_url: str | None
    status_callback_url: str | None
    is_active: bool
    test_passed: bool | None
    version: int
    compare_days: int | None


class Tested(StrEnum):
    """How the last test of a connection went."""

    FAILED = "failed"
    NEVER = "never"
    PASSED = "passed"


@dataclass(frozen=True)
class ConnectionQuery:
    """Filters over connections. Empty means any. `testable` are the providers whose connections can be tested."""

    text: str = ""
    active: bool | None = None
    providers: tuple[str, ...] = ()
    tests: tuple[Tested, ...] = ()
    testable: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListedConnection(ConnectionRow):
    """A row of the list. `numbers` counts up to COUNT_LIMIT + 1."""

    is_sandbox: bool
    tested_at: datetime | None
    numbers: int


@dataclass(frozen=True)
class Uses:
    """What uses a connection.

    `numbers` are held, `managed` are those of them that were bought or imported through it, `gone` were
    released or removed. `open_orders` are those of `orders` of which the outcome is not known.
    """

    numbers: int
    managed: int
    gone: int
    open_orders: int
    orders: int

    @property
    def any(self) -> bool:
        """Whether it is in use and cannot be deleted."""
        return bool(self.numbers or self.gone or self.orders)


def choices(session: Session, scope: Scope, *, active_only: bool = False) -> list[ConnectionRow]:
    """Return the connections in *scope*, by name."""
    condition = [Connection.is_active.is_(True)] if active_only else []
    found = session.execute(
        sa.select(*columns_for(ConnectionRow, Connection, tenant=Tenant.name))
        .join(Tenant, Tenant.id == Connection.tenant_id)
        .where(scope.of(Connection.tenant_id), *condition)
        .order_by(Connection.name, Tenant.name)
    )
    return [ConnectionRow(*row) for row in found]


def count(session: Session, scope: Scope, query: ConnectionQuery) -> int:
    """Return how many connections match."""
    return db.base.named.count(session, Connection, _matching(scope, query))


def search(session: Session, scope: Scope, query: ConnectionQuery, part: Slice) -> list[ListedConnection]:
    """Return the *part* of the connections in *scope* that match *query*, by name."""
    numbers = held(Connection, PhoneNumber.connection_id)
    found = session.execute(
        sa.select(*columns_for(ListedConnection, Connection, tenant=Tenant.name, numbers=numbers))
        .join(Tenant, Tenant.id == Connection.tenant_id)
        .where(*_matching(scope, query))
        .order_by(Connection.name, Connection.id)
        .limit(part.size)
        .offset(part.offset)
    )
    return [ListedConnection(*row) for row in found]


def uses(session: Session, scope: Scope, connection_id: int) -> Uses:
    """Return what refers to a connection in *scope*."""
    held, gone = session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(sa.case((LIVE, 1), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((LIVE, 0), else_=1)), 0),
        ).where(scope.of(PhoneNumber.tenant_id), PhoneNumber.connection_id == connection_id)
    ).one()
    managed = session.scalar(
        sa.select(sa.func.count(PhoneNumber.id)).where(
            scope.of(PhoneNumber.tenant_id),
            PhoneNumber.connection_id == connection_id,
            PhoneNumber.is_managed.is_(True),
            LIVE,
        )
    )
    ordered = sa.case((UNSETTLED, 1), else_=0)
    orders, still_open = session.execute(
        sa.select(sa.func.count(NumberOrder.id), sa.func.coalesce(sa.func.sum(ordered), 0)).where(
            scope.of(NumberOrder.tenant_id), NumberOrder.connection_id == connection_id
        )
    ).one()
    return Uses(int(held), int(managed or 0), int(gone), int(still_open), int(orders))


def sealed(session: Session) -> list[Connection]:
    """Return every connection that has credentials, locked for a change, whatever its tenant."""
    return list(
        session.scalars(
            sa.select(Connection)
            .where(Connection.credentials.is_not(None))
            .order_by(Connection.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def all_credentials(session: Session) -> list[str]:
    """Return the stored tokens of credentials of every tenant."""
    return list(session.scalars(sa.select(Connection.credentials).where(Connection.credentials.is_not(None))))


def sandboxes(session: Session, provider: str) -> list[Connection]:
    """Return the sandbox connections of every tenant at one provider."""
    condition = (Connection.is_sandbox.is_(True), Connection.provider == provider)
    return list(session.scalars(sa.select(Connection).where(*condition).order_by(Connection.id)))


def went(test: Tested, testable: Sequence[str]) -> Any:
    """Return the condition that a connection was tested with an outcome, or could be and never was."""
    match test:
        case Tested.FAILED:
            return Connection.test_passed.is_(False)
        case Tested.PASSED:
            return Connection.test_passed.is_(True)
        case Tested.NEVER:
            return sa.and_(Connection.tested_at.is_(None), Connection.provider.in_(testable))


def _matching(scope: Scope, query: ConnectionQuery) -> list[Any]:
    """The shared conditions of `count` and `search`."""
    conditions = [scope.of(Connection.tenant_id)]
    if query.text:
        conditions.append(names_holding(Connection.name, query.text))
    if query.active is not None:
        conditions.append(Connection.is_active.is_(query.active))
    if query.providers:
        conditions.append(Connection.provider.in_(query.providers))
    if query.tests:
        conditions.append(sa.or_(*(went(test, query.testable) for test in query.tests)))
    return conditions
