"""What a confirmed order changes in our records: a number added or released.

The provider's state is a fact: nothing here refuses it, whatever has changed since.
"""

from datetime import UTC, datetime, timedelta

from sqlmodel import Session

import db.agents
import db.connections
import db.numbers.queries
from db.base.money import exact
from db.base.scope import Scope
from db.models import NumberOrder, NumberStatus, NumberType, OrderKind, PhoneNumber
from providers.records import OwnedNumber
from services.audit import audit
from services.audit.audit import Action
from services.connections.connections import provider_named
from services.core import validation
from services.core.access import Actor
from services.numbers import numbers
from services.orders import webhook_orders
from services.text import numbering


class OnRecordElsewhere(Exception):
    """The number is already on record elsewhere."""


def added(session: Session, actor: Actor, order: NumberOrder, owned: OwnedNumber) -> None:
    """Add a number as ordered. One already on record for the same account stays as it is.

    Raises OnRecordElsewhere when another tenant has it, or it is under another connection or SID.
    """
    if order.number_id is not None and _back_again(session, actor, order, owned):
        return
    there = db.numbers.queries.find_live(session, order.e164)
    if there is not None:
        if (there.connection_id, there.provider_sid) != (order.connection_id, owned.sid):
            raise OnRecordElsewhere
        order.number_id, order.provider_sid = there.id, owned.sid
        return
    chosen, scope = order.configuration, Scope(order.tenant_id)
    read = numbering.as_held(order.e164)
    connection = db.connections.find(session, scope, order.connection_id)
    agent = db.agents.find(session, scope, chosen["agent_id"]) if chosen.get("agent_id") else None
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
    after = numbers.words(session, number) | {"price": exact(order), **set_now}
    replaced = before if order.previous else {}
    audit.record(session, actor, action, numbers.subject(number), before=replaced, after=after)


def _back_again(session: Session, actor: Actor, order: NumberOrder, owned: OwnedNumber) -> bool:
    """Restore the record of a number that was bought back, except for its campaigns."""
    number = db.numbers.queries.of_order(session, order)
    if number is None or number.released_at is None or db.numbers.queries.find_live(session, order.e164) is not None:
        return False
    before = numbers.words(session, number) | {"price": exact(number)}
    number.status, number.released_at, number.buy_back_until = NumberStatus.ACTIVE, None, None
    number.provider_sid = order.provider_sid = owned.sid
    number.connection_id, number.price, number.currency = order.connection_id, order.price, order.currency
    number.updated_at = datetime.now(UTC)
    number.version += 1
    session.flush()
    after = numbers.words(session, number) | {"price": exact(number)}
    changed = [key for key in after if before[key] != after[key]]
    _, set_now = webhook_orders.audit_values(order.previous, order.configuration)
    audit.record(
        session,
        actor,
        Action.NUMBERS_BUY_BACK,
        numbers.subject(number),
        before={key: before[key] for key in changed},
        after={key: after[key] for key in changed} | set_now,
    )
    return True


def released(session: Session, actor: Actor, order: NumberOrder) -> None:
    """Mark a number as released and remove it from its campaigns."""
    number = db.numbers.queries.of_order(session, order)
    if number is None or number.released_at is not None:
        return
    before = str(number.status)
    numbers.retire(session, actor, number, NumberStatus.RELEASED)
    number.updated_at = number.released_at = datetime.now(UTC)
    number.buy_back_until = number.released_at + timedelta(days=provider_named(number.provider).buy_back_days)
    number.version += 1
    audit.record(
        session,
        actor,
        Action.NUMBERS_RELEASE,
        numbers.subject(number),
        before={"status": before},
        after={"status": str(number.status), "buy_back_until": number.buy_back_until.isoformat()},
    )


def _country(word: str | None) -> str:
    return word if word and len(word) == 2 and word.isascii() and word.isupper() else ""


def _type(word: str | None, otherwise: NumberType) -> NumberType:
    try:
        return NumberType(word or "")
    except ValueError:
        return otherwise
