"""Orders: everything that costs or changes something at a provider is recorded before it is sent.

placed → confirmed | failed | unknown → confirmed | failed. `services/orders/fulfilment.py` drives them.
"""

import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

import db.base.engine
import db.base.named
import db.numbers.queries
import db.orders.queries
from db.base.money import Money, exact
from db.base.scope import Scope
from db.models import Agent, Connection, NumberOrder, NumberStatus, OrderKind, OrderState, PhoneNumber
from db.numbers.rows import NumberRow
from db.orders.queries import OrderRow
from providers.base import Capability
from providers.records import Webhooks
from services.audit import audit
from services.audit.audit import Action, Subject
from services.connections import connections
from services.core import changes, validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, InvalidInput, found
from services.core.transactions import overtaken, writing, writing_within
from services.numbers import numbers
from services.orders import sids, sweep, transitions, webhook_orders
from services.text import labels, numbering

__all__ = ["OrderKind", "OrderRow", "OrderState"]

_ORDERING = {
    OrderKind.PURCHASE: Permission.NUMBERS_BUY,
    OrderKind.IMPORT: Permission.NUMBERS_BUY,
    OrderKind.RELEASE: Permission.NUMBERS_RELEASE,
    OrderKind.WEBHOOKS: Permission.NUMBERS_WRITE,
}
"""The permission needed to place or cancel an order."""

_Prepared = tuple[Connection, str, dict[str, Any]]
"""A connection, the number that is ordered through it, and what else the order keeps."""

_LENGTHS = {"number": (3, 20), "SID": (1, 64)}
"""Allowed lengths of values from a provider, limited by their columns."""


@dataclass(frozen=True)
class Configuration:
    """An operator's choices for a managed number."""

    label: str = ""
    agent_id: int | None = None
    allowed_inbound: Sequence[str] = ()
    allowed_outbound: Sequence[str] = ()
    address_sid: str | None = None
    bundle_sid: str | None = None


@dataclass(frozen=True)
class Purchase:
    """A number to buy, and the monthly price that the operator agreed to."""

    e164: str
    country: str = ""
    number_type: str = ""
    price: Money | None = None
    configuration: Configuration = field(default_factory=Configuration)


def place_purchase(session: Session, actor: Actor, connection_id: int, purchase: Purchase) -> int:
    """Place an order to buy a number and return its id. Nothing is sent yet.

    Raises Forbidden, InvalidInput (a choice, or a number on record), Conflict (being ordered already).
    """
    require(actor, Permission.NUMBERS_BUY)
    return _place_purchase(session, actor, connection_id, purchase)


def _place_purchase(
    session: Session, actor: Actor, connection_id: int | None, purchase: Purchase, number_id: int | None = None
) -> int:
    _expect_fitting(number=purchase.e164)
    _expect_money(purchase.price)

    def prepare() -> _Prepared:
        connection = _connection(session, actor, connection_id, purchase.e164, Capability.BUY)
        configuration = {
            **_checked(session, connection, purchase.configuration),
            "country": purchase.country,
            "number_type": purchase.number_type,
        }
        fields = {"number_id": number_id, "configuration": configuration, **_columns(purchase.price)}
        return connection, purchase.e164, fields

    return _place(session, actor, OrderKind.PURCHASE, prepare)


def place_import(
    session: Session,
    actor: Actor,
    connection_id: int,
    e164: str,
    sid: str,
    seen: Webhooks,
    configuration: Configuration,
    *,
    stop_routing: bool = False,
) -> int:
    """Place an order to import a number of the tenant's account and return its id.

    *seen* are the webhooks that the operator saw: others are not overwritten. Routing by a trunk or an application is
    replaced only with *stop_routing*, else InvalidInput.
    """
    require(actor, Permission.NUMBERS_BUY)
    _expect_fitting(number=e164, SID=sid)

    def prepare() -> _Prepared:
        connection = _connection(session, actor, connection_id, e164, Capability.LIST_OWNED)
        webhook_orders.require_agreement(e164, seen, webhook_orders.ours(connection), stop_routing=stop_routing)
        chosen = _checked(session, connection, configuration)
        fields = {"provider_sid": sid, "configuration": chosen, "previous": asdict(seen)}
        return connection, e164, fields

    return _place(session, actor, OrderKind.IMPORT, prepare)


def place_release(session: Session, actor: Actor, number_id: int, typed: str, *, version: int) -> int:
    """Place an order to release a number and return its id.

    *typed* is the number typed to confirm. Raises Conflict when the number is no longer at *version*.
    """
    require(actor, Permission.NUMBERS_RELEASE)

    def prepare() -> _Prepared:
        number, connection = _managed(session, actor, number_id, Capability.RELEASE)
        changes.expect_version(session, actor.scope, "number", number, version)
        if not is_typed(number.e164, typed):
            raise InvalidInput(f"Type {numbering.display(number.e164)} to confirm.", field="typed")
        return connection, number.e164, {**_of(number), "price": number.price, "currency": number.currency}

    return _place(session, actor, OrderKind.RELEASE, prepare)


def is_typed(e164: str, typed: str) -> bool:
    """Return whether the number was typed to confirm, in any grouping."""
    return "".join(filter(str.isdigit, typed)) == e164.removeprefix("+")


def place_buy_back(session: Session, actor: Actor, number_id: int) -> int:
    """Place an order to buy back a released number and return its id.

    It is a purchase like any other, and brings the record back to life: see `confirmations`. Raises InvalidInput when
    the number was not released, or can no longer be bought back.
    """
    require(actor, Permission.NUMBERS_BUY)
    require_tenant(actor)
    number = numbers.get(session, actor, number_id)
    if not may_be_bought_back(number):
        raise InvalidInput("This number can no longer be bought back. Check whether it is for sale.")
    bought = next((o for o in reversed(of_number(session, actor, number.id)) if o.kind is OrderKind.PURCHASE), None)
    papers = bought.configuration if bought else {}
    agent = db.base.named.find(session, Agent, Scope(number.tenant_id), number.agent_id) if number.agent_id else None
    configuration = Configuration(
        label=number.label,
        agent_id=number.agent_id if agent and agent.is_active else None,
        allowed_inbound=number.allowed_inbound,
        allowed_outbound=number.allowed_outbound,
        address_sid=papers.get("address_sid"),
        bundle_sid=papers.get("bundle_sid"),
    )
    purchase = Purchase(number.e164, number.country, str(number.number_type), number.monthly, configuration)
    return _place_purchase(session, actor, number.connection_id, purchase, number.id)


def may_be_bought_back(number: NumberRow) -> bool:
    """Return whether a released number can still be bought back."""
    until = number.buy_back_until
    return number.status is NumberStatus.RELEASED and until is not None and until > datetime.now(UTC)


def place_webhooks(
    session: Session,
    actor: Actor,
    number_id: int,
    seen: Webhooks,
    target: Webhooks,
    *,
    stop_routing: bool = False,
) -> int:
    """Place an order to change webhooks from *seen* to *target* and return its id.

    Routing by a trunk or an application is replaced only with *stop_routing*, else InvalidInput.
    """
    require(actor, Permission.NUMBERS_WRITE)

    def prepare() -> _Prepared:
        number, connection = _managed(session, actor, number_id, Capability.SET_WEBHOOKS)
        webhook_orders.require_agreement(number.e164, seen, target, stop_routing=stop_routing)
        fields = {**_of(number), "configuration": asdict(target), "previous": asdict(seen)}
        return connection, number.e164, fields

    return _place(session, actor, OrderKind.WEBHOOKS, prepare)


def get(session: Session, actor: Actor, order_id: int) -> OrderRow:
    """Return an order. Raises NotFound for one of another tenant."""
    require(actor, Permission.NUMBERS_READ)
    return found(db.orders.queries.find_row(session, actor.scope, validation.as_id(order_id)))


def still_open(session: Session, actor: Actor) -> list[OrderRow]:
    """Return the open orders, oldest first."""
    require(actor, Permission.NUMBERS_READ)
    return db.orders.queries.still_open(session, actor.scope)


def of_number(session: Session, actor: Actor, number_id: int) -> list[OrderRow]:
    """Return a number's orders, oldest first."""
    require(actor, Permission.NUMBERS_READ)
    return db.orders.queries.of_number(session, actor.scope, number_id)


def may_settle(session: Session, actor: Actor, order_id: int) -> OrderRow:
    """Return an order that the actor may check now. Raises Forbidden, NotFound."""
    require(actor, Permission.NUMBERS_WRITE)
    return get(session, actor, order_id)


def may_cancel(actor: Actor, order: OrderRow) -> bool:
    """Return whether the actor may cancel an order that the provider has not accepted yet."""
    return order.is_waiting and actor.may(_ORDERING[order.kind])


def cancel(session: Session, actor: Actor, order_id: int) -> None:
    """Cancel an order that the provider has not accepted yet.

    Raises Forbidden, NotFound, and Conflict when it was sent or settled meanwhile.
    """
    row = get(session, actor, order_id)
    require(actor, _ORDERING[row.kind])
    with writing(session):
        db.orders.queries.claim(session, row.e164)
        order = found(db.orders.queries.find(session, order_id))
        if order.state is not OrderState.PLACED or order.asked_at is not None:
            raise Conflict("This order has been sent to the provider in the meantime and can no longer be cancelled.")
        order.problem = f"Cancelled by {actor.name}. Nothing happened and nothing was charged."
        transitions.close(session, order, actor, OrderState.FAILED, Action.ORDERS_CANCEL)
    transitions.log_change(order, row.provider, OrderState.PLACED)


def cancel_all(session: Session, actor: Actor, order_ids: Sequence[int]) -> str:
    """Cancel the orders that have not been sent; return a summary."""
    require(actor, Permission.NUMBERS_READ)
    cancelled = 0
    for order_id in order_ids:
        with contextlib.suppress(Conflict):
            cancel(session, actor, order_id)
            cancelled += 1
    sent = len(order_ids) - cancelled
    return f"{labels.amount(cancelled, 'order')} cancelled" + (f"; {sent:,} already sent." if sent else ".")


def _expect_money(price: Money | None) -> None:
    if price is None:
        return
    if not price.amount.is_finite() or price.amount < 0 or len(str(price.amount)) > 20:
        raise InvalidInput("The price is no amount of money. Nothing was asked.", field="price")
    if not re.fullmatch(r"[A-Z]{3}", price.currency):
        raise InvalidInput("A currency is three capital letters, such as USD. Nothing was asked.", field="currency")


def _columns(price: Money | None) -> dict[str, Any]:
    return {"price": price.amount, "currency": price.currency} if price else {}


def _expect_fitting(**values: str | None) -> None:
    """Raise InvalidInput for values that could not be stored after the order; nothing was sent yet.

    A number is taken as the provider has it, also one on no numbering plan.
    """
    for what, text in values.items():
        least, most = _LENGTHS[what]
        if text is None:
            continue
        if not text.isprintable():
            raise InvalidInput(f"The {what} contains a character that can't be stored. Nothing was sent.", field=what)
        if not least <= len(text) <= most:
            raise InvalidInput(
                f"The {what} has {labels.amount(len(text), 'character')}; {least} to {most} are allowed. Nothing was "
                f"sent.",
                field=what,
            )


def _connection(
    session: Session, actor: Actor, connection_id: int | None, e164: str, capability: Capability
) -> Connection:
    scope = Scope(require_tenant(actor))
    db.orders.queries.claim(session, e164)
    connection = validation.connection(session, scope, connection_id)
    connections.expect_able(connection, capability)
    if db.numbers.queries.is_live(session, e164):
        raise validation.taken(e164)
    return connection


def _managed(session: Session, actor: Actor, number_id: int, capability: Capability) -> tuple[PhoneNumber, Connection]:
    number = found(db.numbers.queries.find(session, actor.scope, validation.as_id(number_id)))
    numbers.refuse_gone(number)
    connection = db.base.named.find(session, Connection, Scope(number.tenant_id), number.connection_id or 0)
    return number, sids.linked(number, connection, capability)[1]


def _checked(session: Session, connection: Connection, chosen: Configuration) -> dict[str, Any]:
    """Return what an order keeps of an operator's choices, with the webhooks of the connection."""
    agent = validation.agent(session, Scope(connection.tenant_id), chosen.agent_id)
    return {
        **asdict(chosen),
        "label": validation.label(chosen.label),
        "agent_id": agent.id if agent else None,
        "allowed_inbound": validation.country_codes(chosen.allowed_inbound),
        "allowed_outbound": validation.country_codes(chosen.allowed_outbound),
        **webhook_orders.words(webhook_orders.ours(connection)),
    }


def _of(number: PhoneNumber) -> dict[str, Any]:
    return {"number_id": number.id, "provider_sid": numbers.sid_of(number)}


def _place(session: Session, actor: Actor, kind: OrderKind, prepare: Callable[[], _Prepared]) -> int:
    """Put an order on record and have it driven at once. *prepare* checks what it is about, under the lock.

    A job places its orders in the transaction that notes them, and has them driven once that is committed.
    """
    with writing_within(session):
        connection, e164, fields = prepare()
        order = NumberOrder(
            tenant_id=connection.tenant_id,
            kind=kind,
            e164=e164,
            connection_id=connection.id,
            placed_by=actor.user_id,
            next_look_at=datetime.now(UTC),
            **fields,
        )
        session.add(order)
        with overtaken(validation.being_ordered(e164)):
            session.flush()
        about = Subject("order", order.id, e164, connection.tenant_id)
        after = {"kind": str(kind), "connection": connection.name, "price": exact(order)}
        audit.record(session, actor, Action.ORDERS_PLACE, about, after=after)
    transitions.log_change(order, connection.provider, None)
    sweep.wake()
    return order.id
