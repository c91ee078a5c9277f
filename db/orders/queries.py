"""Queries over orders: what was asked of a provider, and what became of it."""

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db.base import locks
from db.base.rows import columns_for
from db.base.scope import Scope
from db.base.tables import table_of
from db.models import UNSETTLED, Connection, NumberOrder, OrderKind, OrderState, PhoneNumber, Tenant, User
from db.numbers import attention

OPEN = (OrderState.PLACED, OrderState.UNKNOWN)


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
    price: Decimal | None
    problem: str | None
    placed_by: str
    placed_at: datetime
    asked_at: datetime | None
    settled_at: datetime | None
    last_looked_at: datetime | None
    next_look_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether the provider may or may not have acted."""
        return self.state in OPEN

    @property
    def is_waiting(self) -> bool:
        """Whether the provider has not taken the order yet, so that it can be cancelled."""
        return self.state is OrderState.PLACED and self.asked_at is None


def find(session: Session, order_id: int) -> NumberOrder | None:
    """Return the row of an order of any tenant, locked for a change where the database can."""
    return session.scalar(
        sa.select(NumberOrder)
        .where(NumberOrder.id == order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def outcomes(session: Session, ids: Collection[int]) -> dict[int, tuple[OrderState, str | None, int | None]]:
    """Return state, problem and number of orders by their ids, without locking them."""
    columns = (NumberOrder.id, NumberOrder.state, NumberOrder.problem, NumberOrder.number_id)
    rows = session.execute(sa.select(*columns).where(NumberOrder.id.in_(ids)))
    return {order_id: (state, problem, number_id) for order_id, state, problem, number_id in rows}


def find_row(session: Session, scope: Scope, order_id: int) -> OrderRow | None:
    """Return an order in *scope*."""
    return next(iter(_read(session, scope.of(NumberOrder.tenant_id), NumberOrder.id == order_id)), None)


def still_open(session: Session, scope: Scope) -> list[OrderRow]:
    """Return the orders in *scope* that are not settled, oldest first."""
    order = table_of(NumberOrder).c
    if session.scalar(sa.select(order.id).where(scope.of(order.tenant_id), UNSETTLED).limit(1)) is None:
        return []  # as on nearly every page, which asks; the rows themselves take longer to ask for
    return _read(session, scope.of(NumberOrder.tenant_id), UNSETTLED)


def of_number(session: Session, scope: Scope, number_id: int) -> list[OrderRow]:
    """Return the orders about a number, oldest first."""
    return _read(session, scope.of(NumberOrder.tenant_id), NumberOrder.number_id == number_id)


def find_progress(session: Session, order_id: int) -> tuple[OrderState, str | None] | None:
    """Return the state of an order and its problem, without locking it."""
    found = session.execute(sa.select(NumberOrder.state, NumberOrder.problem).where(NumberOrder.id == order_id)).first()
    return (found[0], found[1]) if found else None


def find_subject(session: Session, order_id: int) -> tuple[str, str] | None:
    """Return the number that an order is about and the provider that is asked, without locking it."""
    found = session.execute(
        sa.select(NumberOrder.e164, Connection.provider)
        .join(Connection, Connection.id == NumberOrder.connection_id)
        .where(NumberOrder.id == order_id)
    ).first()
    return (found[0], found[1]) if found else None


def webhooks_set(session: Session, scope: Scope) -> dict[int, dict[str, Any]]:
    """Return the webhooks that were last set from here, by the id of the number, as orders keep them."""
    rows = session.scalars(attention.last_webhooks(scope.of))
    return {order.number_id: order.configuration for order in rows}


def has_open(session: Session, e164: str) -> bool:
    """Return whether any tenant has an order about *e164* that is not settled."""
    found = session.scalar(sa.select(NumberOrder.id).where(NumberOrder.e164 == e164, UNSETTLED).limit(1))
    return found is not None


def was_bought_after(session: Session, e164: str, order_id: int) -> bool:
    """Return whether a purchase of *e164* that was ordered after another order is what put it on record."""
    records = sa.select(PhoneNumber.id).where(PhoneNumber.e164 == e164)
    bought = (NumberOrder.kind == OrderKind.PURCHASE, NumberOrder.state == OrderState.CONFIRMED)
    found = sa.select(NumberOrder.id).where(NumberOrder.number_id.in_(records), NumberOrder.id > order_id, *bought)
    return session.scalar(found.limit(1)) is not None


def open_numbers(session: Session) -> set[str]:
    """Return the numbers that any tenant has an order about that is not settled."""
    return set(session.scalars(sa.select(NumberOrder.e164).where(UNSETTLED)))


def claim(session: Session, e164: str) -> None:
    """Lock *e164* until this transaction ends."""
    locks.take_numbers(session, [e164])


def claim_all(session: Session, e164s: Sequence[str]) -> None:
    """Claim many numbers."""
    locks.take_numbers(session, e164s)


def looks(session: Session) -> tuple[datetime | None, datetime | None]:
    """Return when the next look at an order is and when the furthest, of any tenant; None while none is to be."""
    ends = (sa.select(end(NumberOrder.next_look_at)).scalar_subquery() for end in (sa.func.min, sa.func.max))
    soonest, furthest = session.execute(sa.select(*ends)).one()
    return soonest, furthest


def due(
    session: Session, now: datetime, furthest: timedelta, most: int, *, but: Collection[int] = ()
) -> list[tuple[int, int]]:
    """Return order and connection of all that is to be looked at: longest due first, of every tenant.

    A look that is further off than *furthest* was set by a clock that has been put right since: it is due. Orders of
    some connections are left out, as *but* says.
    """
    rows = session.execute(
        sa.select(NumberOrder.id, NumberOrder.connection_id)
        .where(_is_due(now, furthest), NumberOrder.connection_id.not_in(but))
        .order_by(NumberOrder.next_look_at, NumberOrder.id)
        .limit(most)
    )
    return [(order, connection) for order, connection in rows]


def any_due(session: Session, after: datetime, until: datetime, *, but: Collection[int]) -> bool:
    """Return whether an order has been due since a moment *after* and *until*, leaving some out."""
    found = sa.select(NumberOrder.id).where(*_between(after, until, but)).limit(1)
    return session.scalar(found) is not None


def take(
    session: Session, order_id: int, now: datetime, furthest: timedelta, *, even_early: bool
) -> NumberOrder | None:
    """Return an order to be looked at, locked; None when it is not due, or someone else is at it just now."""
    return session.scalar(
        sa.select(NumberOrder)
        .where(NumberOrder.id == order_id, UNSETTLED if even_early else _is_due(now, furthest))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def hasten(session: Session, now: datetime) -> None:
    """Have every open order that was sent looked at now, and the pauses begin anew."""
    sent = NumberOrder.asked_at.is_not(None)
    session.execute(sa.update(NumberOrder).where(UNSETTLED, sent).values(next_look_at=now, looks=0))
    unset = NumberOrder.next_look_at.is_(None)  # placed by an older version that was still running
    session.execute(sa.update(NumberOrder).where(UNSETTLED, unset).values(next_look_at=NumberOrder.placed_at))


def put_off(session: Session, after: datetime, until: datetime, now: datetime, *, but: Collection[int]) -> None:
    """Have the same orders be due only now: their turn has not come, but they are not forgotten."""
    session.execute(sa.update(NumberOrder).where(*_between(after, until, but)).values(next_look_at=now))


def oldest_open(session: Session) -> datetime | None:
    """Return when the oldest order that is not settled was placed, of any tenant."""
    return session.scalar(sa.select(sa.func.min(NumberOrder.placed_at)).where(UNSETTLED))


def _between(after: datetime, until: datetime, but: Collection[int]) -> tuple[Any, ...]:
    return (NumberOrder.next_look_at > after, NumberOrder.next_look_at <= until, NumberOrder.id.not_in(but))


def _is_due(now: datetime, furthest: timedelta) -> Any:
    return sa.or_(NumberOrder.next_look_at <= now, NumberOrder.next_look_at > now + furthest)


def _read(session: Session, *conditions: Any) -> list[OrderRow]:
    found = session.execute(_rows().where(*conditions))
    # SQLite would read all orders to have them sorted
    return sorted((OrderRow(*row) for row in found), key=lambda row: row.id)


@functools.cache
def _rows() -> Any:
    names = {"tenant": Tenant.name, "connection": Connection.name, "provider": Connection.provider}
    return (
        sa.select(*columns_for(OrderRow, NumberOrder, placed_by=User.name, **names))
        .join(Tenant, Tenant.id == NumberOrder.tenant_id)
        .join(Connection, Connection.id == NumberOrder.connection_id)
        .join(User, User.id == NumberOrder.placed_by)
    )
