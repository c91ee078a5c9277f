"""Queries over orders: what was asked of a provider, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

from db import attention
from db.models import Connection, NumberOrder, OrderKind, OrderState, Tenant, User
from db.scope import Scope

OPEN = (OrderState.PLACED, OrderState.UNKNOWN)
CLAIMED_SINGLY = 1_000
_EVERY_NUMBER = 7_243_982
"""The lock that whoever claims a number shares, and whoever claims very many has alone."""


@dataclass(frozen=True)
class OrderRow:
    """An order with the names of what it refers to."""

    id: int
    tenant_id: int
    tenant: str
    kind: OrderKind
    state: OrderState
    e164: str
    connection_id: int
    connection: str
    provider: str
    number_id: int | None
    provider_sid: str | None
    configuration: dict[str, Any]
    previous: dict[str, Any]
    price: str | None
    currency: str | None
    problem: str | None
    placed_by: str
    placed_at: datetime
    asked_at: datetime | None
    settled_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether the provider may or may not have acted."""
        return self.state in OPEN


def find(session: Session, order_id: int) -> NumberOrder | None:
    """Return the row of an order of any tenant, locked for a change where the database can."""
    return session.scalar(
        sa.select(NumberOrder)
        .where(NumberOrder.id == order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def find_row(session: Session, scope: Scope, order_id: int) -> OrderRow | None:
    """Return an order in *scope*."""
    return next(iter(_read(session, scope.of(NumberOrder.tenant_id), NumberOrder.id == order_id)), None)


def still_open(session: Session, scope: Scope) -> list[OrderRow]:
    """Return the orders in *scope* that are not settled, oldest first."""
    return _read(session, scope.of(NumberOrder.tenant_id), NumberOrder.state.in_(OPEN))


def of_number(session: Session, scope: Scope, number_id: int) -> list[OrderRow]:
    """Return the orders about a number, oldest first."""
    return _read(session, scope.of(NumberOrder.tenant_id), NumberOrder.number_id == number_id)


def find_progress(session: Session, order_id: int) -> tuple[OrderState, str | None] | None:
    """Return the state of an order and its problem, without locking it."""
    found = session.execute(sa.select(NumberOrder.state, NumberOrder.problem).where(NumberOrder.id == order_id)).first()
    return (found[0], found[1]) if found else None


def number_of(session: Session, order_id: int) -> str:
    """Return the number that an order is about; empty for no such order."""
    return session.scalar(sa.select(NumberOrder.e164).where(NumberOrder.id == order_id)) or ""


def open_ids(session: Session) -> list[int]:
    """Return every order of any tenant that is not settled, oldest first."""
    return list(session.scalars(sa.select(NumberOrder.id).where(NumberOrder.state.in_(OPEN)).order_by(NumberOrder.id)))


def webhooks_set(session: Session, scope: Scope) -> dict[int, dict[str, Any]]:
    """Return the webhooks that were last set from here, by the id of the number, as orders keep them."""
    rows = session.scalars(attention.last_webhooks(scope.of))
    return {order.number_id: order.configuration for order in rows}


def has_open(session: Session, e164: str) -> bool:
    """Return whether any tenant has an order about *e164* that is not settled."""
    found = session.scalar(
        sa.select(NumberOrder.id).where(NumberOrder.e164 == e164, NumberOrder.state.in_(OPEN)).limit(1)
    )
    return found is not None


def open_numbers(session: Session) -> set[str]:
    """Return the numbers that any tenant has an order about that is not settled."""
    return set(session.scalars(sa.select(NumberOrder.e164).where(NumberOrder.state.in_(OPEN))))


def claim(session: Session, e164: str) -> None:
    """Let nobody else begin anything about *e164* before this transaction ends.

    On SQLite the write lock that the transaction holds does so already.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_EVERY_NUMBER)))
        session.execute(sa.select(_lock(e164)))


def claim_all(session: Session, e164s: Sequence[str]) -> None:
    """Claim many numbers: a few one by one, in an order that all follow; more than that by keeping everybody out.

    PostgreSQL has room for some thousand such locks only.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    if len(e164s) > CLAIMED_SINGLY:
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_EVERY_NUMBER)))
        return
    session.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_EVERY_NUMBER)))
    wanted = sa.cast(sorted(e164s), postgresql.ARRAY(sa.Text))
    session.execute(sa.select(_lock(sa.func.unnest(wanted).column_valued("e164"))))


def _lock(e164: Any) -> Any:
    return sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(e164, 0))


def _read(session: Session, *conditions: Any) -> list[OrderRow]:
    rows = session.execute(
        sa.select(NumberOrder, Tenant.name, Connection.name, Connection.provider, User.name)
        .join(Tenant, Tenant.id == NumberOrder.tenant_id)
        .join(Connection, Connection.id == NumberOrder.connection_id)
        .join(User, User.id == NumberOrder.placed_by)
        .where(*conditions)
        .order_by(NumberOrder.id)
    )
    return [
        OrderRow(
            id=order.id,
            tenant_id=order.tenant_id,
            tenant=tenant,
            kind=order.kind,
            state=order.state,
            e164=order.e164,
            connection_id=order.connection_id,
            connection=connection,
            provider=provider,
            number_id=order.number_id,
            provider_sid=order.provider_sid,
            configuration=order.configuration,
            previous=order.previous,
            price=order.price,
            currency=order.currency,
            problem=order.problem,
            placed_by=user,
            placed_at=order.placed_at,
            asked_at=order.asked_at,
            settled_at=order.settled_at,
        )
        for order, tenant, connection, provider, user in rows
    ]
