"""Confirmations: what a confirmed order changes in our records, in one commit with the order.

The provider's state is a fact: nothing here refuses it, whatever has changed since.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

import db.base.engine
import db.base.named
import db.numbers.queries
from db.base.money import exact
from db.base.scope import Scope
from db.models import Agent, Connection, NumberOrder, NumberStatus, NumberType, OrderKind, OrderState, PhoneNumber
from providers.records import OwnedNumber
from services.audit import audit
from services.audit.audit import Action
from services.connections.connections import provider_named
from services.core import changes, validation
from services.core.access import Actor
from services.core.errors import Conflict
from services.numbers import edits, numbers
from services.orders import transitions, webhook_orders
from services.text import numbering


class OnRecordElsewhere(Exception):
    """The number is already on record elsewhere."""


def confirm(order_id: int, owned: OwnedNumber | None) -> None:
    """Settle a confirmed order with all its consequences, in one commit.

    Also one given up too early: what the provider did is a fact.
    """

    def apply(session: Session, order: NumberOrder, actor: Actor) -> None:
        if order.kind is OrderKind.RELEASE:
            _release(session, actor, order)
        elif order.kind is OrderKind.WEBHOOKS:
            _set_webhooks(session, actor, order)
        elif owned is not None:
            _add(session, actor, order, owned)
        order.problem = None
        transitions.close(session, order, actor, OrderState.CONFIRMED, Action.ORDERS_CONFIRM)

    try:
        transitions.change(order_id, apply, even_failed=True)
    except (OnRecordElsewhere, Conflict):
        transitions.uncertain(
            order_id,
            "The provider confirmed the order, but Numberdesk already has this number elsewhere and cannot add it "
            "here. Tell a superadmin: the order stays open until one of the two is gone.",
        )
    except db.base.engine.DatabaseUnavailable:
        raise
    except Exception:  # the provider did it, so the order may not be forgotten
        transitions.uncertain(
            order_id,
            "The provider confirmed the order, but something went wrong on our side when saving it. It has been "
            "logged and will be retried.",
        )
        raise


def _add(session: Session, actor: Actor, order: NumberOrder, owned: OwnedNumber) -> None:
    """Add a number as ordered. One already on record for the same account stays as it is.

    Raises OnRecordElsewhere when another tenant has it, or it is under another connection or SID.
    """
    if order.number_id is not None and _restore(session, actor, order, owned):
        return
    there = db.numbers.queries.find_live(session, order.e164)
    if there is not None:
        if (there.connection_id, there.provider_sid) != (order.connection_id, owned.sid):
            raise OnRecordElsewhere
        order.number_id, order.provider_sid = there.id, owned.sid
        return
    chosen, scope = order.configuration, Scope(order.tenant_id)
    read = numbering.as_held(order.e164)
    connection = db.base.named.find(session, Connection, scope, order.connection_id)
    agent = db.base.named.find(session, Agent, scope, chosen["agent_id"]) if chosen.get("agent_id") else None
    number = PhoneNumber(
        tenant_id=order.tenant_id,
        e164=order.e164,
        provider=connection.provider if connection else "",
        connection_id=order.connection_id,
        is_managed=True,
        provider_sid=owned.sid,
        country=_country(chosen.get("country")) or read.country,
        number_type=_type(chosen.get("number_type") or (owned.type and owned.type.value), read.number_type),
        label=validation.one_line(chosen.get("label") or "")[: validation.LABEL_LENGTH],
        agent_id=agent.id if agent else None,  # an agent deactivated in the meantime keeps its numbers
        allowed_inbound=chosen.get("allowed_inbound", []),
        allowed_outbound=chosen.get("allowed_outbound", []),
        price=order.price,
        currency=order.currency,
    )
    session.add(number)
    session.flush()
    order.number_id, order.provider_sid = number.id, owned.sid
    action = Action.NUMBERS_BUY if order.kind is OrderKind.PURCHASE else Action.NUMBERS_IMPORT
    before, set_now = webhook_orders.audit_values(order.previous, chosen)
    replaced, after = before if order.previous else {}, _words(session, number) | set_now
    audit.record(session, actor, action, numbers.NOUN.subject(number), before=replaced, after=after)


def _restore(session: Session, actor: Actor, order: NumberOrder, owned: OwnedNumber) -> bool:
    """Restore the record of a number that was bought back, except for its campaigns; return whether there is one."""
    number = db.numbers.queries.of_order(session, order)
    if number is None or number.released_at is None or db.numbers.queries.find_live(session, order.e164) is not None:
        return False

    def apply(number: PhoneNumber) -> None:
        number.status, number.released_at, number.buy_back_until = NumberStatus.ACTIVE, None, None
        number.provider_sid = order.provider_sid = owned.sid
        number.connection_id, number.price, number.currency = order.connection_id, order.price, order.currency

    _, set_now = webhook_orders.audit_values(order.previous, order.configuration)
    noun = replace(numbers.NOUN, words=_words)
    changes.log(session, actor, noun, number, Action.NUMBERS_BUY_BACK, apply, details=set_now)
    return True


def _words(session: Session, number: PhoneNumber) -> dict[str, Any]:
    return numbers.words(session, number) | {"price": exact(number)}


def _release(session: Session, actor: Actor, order: NumberOrder) -> None:
    """Mark a number as released and remove it from its campaigns."""
    number = db.numbers.queries.of_order(session, order)
    if number is None or number.released_at is not None:
        return
    logged: dict[str, str] = {}

    def apply(number: PhoneNumber) -> None:
        edits.retire(session, actor, number, NumberStatus.RELEASED)
        days = provider_named(number.provider).buy_back_days
        number.buy_back_until = (number.released_at or datetime.now(UTC)) + timedelta(days=days)
        logged["buy_back_until"] = number.buy_back_until.isoformat()

    changes.log(session, actor, numbers.NOUN, number, Action.NUMBERS_RELEASE, apply, details=logged)


def _set_webhooks(session: Session, actor: Actor, order: NumberOrder) -> None:
    number = db.numbers.queries.of_order(session, order)
    if number is None:
        return
    number.version += 1
    number.updated_at = datetime.now(UTC)
    before, after = webhook_orders.audit_values(order.previous, order.configuration)
    audit.record(session, actor, Action.NUMBERS_SET_WEBHOOKS, numbers.NOUN.subject(number), before=before, after=after)


def _country(word: str | None) -> str:
    return word if word and len(word) == 2 and word.isascii() and word.isupper() else ""


def _type(word: str | None, otherwise: NumberType) -> NumberType:
    try:
        return NumberType(word or "")
    except ValueError:
        return otherwise
