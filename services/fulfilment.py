"""Driving orders: ask the provider once, and look until it is certain what came of it.

Every function here may be run again, by anybody, at any point: after a crash, from a second replica,
by a second click. What decides is the order's row, changed only while it is locked.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

import db.connections
import db.engine
import db.numbers
import db.orders
import db.users
from db.models import NumberOrder, NumberStatus, NumberType, OrderKind, OrderState, PhoneNumber
from db.scope import Scope
from providers.errors import OutcomeUnknown, ProviderError, ProviderUnavailable, RequestRejected
from providers.verbs import OwnedNumber, Provider, Webhooks
from services import audit, numbering, numbers, orders, settings, vendors
from services.access import Actor
from services.audit import Action, Subject

BUY_BACK = timedelta(days=10)
"""How long a number that was given back can be bought again. Twilio's rule, as of 2026-11."""

NEVER_SENT_AFTER = timedelta(minutes=15)
"""An order that was written down but never sent is not sent any more after this: nobody expects it now."""

_log = structlog.get_logger()


def ask(order_id: int) -> None:
    """Ask the provider for what was ordered, unless it was asked already.

    That it will be asked is committed before, so that after a crash we look instead of asking twice.
    """
    with db.engine.open_session() as session:
        db.engine.start_write(session)
        order = db.orders.find(session, order_id)
        if order is None or order.state is not OrderState.PLACED or order.asked_at is not None:
            return
        too_late = order.kind is not OrderKind.WEBHOOKS and datetime.now(UTC) - order.placed_at > NEVER_SENT_AFTER
        if not too_late:
            provider = _provider(session, order)
            order.asked_at = datetime.now(UTC)
            session.commit()
    if too_late:
        _fail(order_id, "It was never sent to the provider. Nothing happened and nothing was charged.")
        return
    act = {
        OrderKind.PURCHASE: _buy,
        OrderKind.IMPORT: _take_over,
        OrderKind.RELEASE: _release,
        OrderKind.WEBHOOKS: _take_over,
    }[order.kind]
    try:
        found = vendors.patiently(lambda: act(provider, order))
    except OutcomeUnknown as exc:
        _uncertain(order_id, f"{exc}")
    except ProviderUnavailable as exc:
        _not_now(order_id, f"{exc}")
    except ProviderError as exc:
        _fail(order_id, f"{exc}")
    else:
        _confirm(order_id, found, even_failed=True)  # somebody who looked too early may have given it up


def settle(order_id: int) -> bool:
    """Look at the provider what came of an order, and return whether it is settled now."""
    with db.engine.open_session() as session:
        order = db.orders.find(session, order_id)
        if order is None or order.state not in db.orders.OPEN:
            return True
        provider = None if order.asked_at is None else _provider(session, order)
        session.expunge(order)
    if provider is None:
        ask(order_id)
        return _is_settled(order_id)
    look = {
        OrderKind.PURCHASE: _look_for_purchase,
        OrderKind.IMPORT: _look_at_webhooks,
        OrderKind.RELEASE: _look_for_release,
        OrderKind.WEBHOOKS: _look_at_webhooks,
    }[order.kind]
    try:
        look(provider, order)
    except ProviderError as exc:
        _log.warning("order.cannot_look", order=order_id, problem=str(exc))
    return _is_settled(order_id)


def settle_all() -> int:
    """Look at every open order of every tenant once; return how many are still open."""
    with db.engine.open_session() as session:
        ids = db.orders.open_ids(session)
    return sum(not carry_on(settle, order_id) for order_id in ids)


def carry_on(act: Callable[[int], bool | None], order_id: int) -> bool | None:
    """Do something about an order; a failure of ours is logged, so that other orders and later looks are not lost."""
    try:
        return act(order_id)
    except Exception:
        _log.exception("order.not_driven", order=order_id, act=act.__name__)
        return None


def _provider(session: Session, order: NumberOrder) -> Provider:
    connection = db.connections.find(session, Scope(order.tenant_id), order.connection_id)
    if connection is None:
        raise LookupError(f"order {order.id} has no connection")
    return vendors.connect(connection)


def _buy(provider: Provider, order: NumberOrder) -> OwnedNumber:
    chosen = order.configuration
    return provider.buy(
        order.e164,
        label=chosen.get("label", ""),
        voice_url=chosen.get("voice_url", ""),
        status_callback=chosen.get("status_callback", ""),
        address_sid=chosen.get("address_sid"),
        bundle_sid=chosen.get("bundle_sid"),
    )


def _take_over(provider: Provider, order: NumberOrder) -> OwnedNumber:
    """Set the webhooks, unless they are no longer what the operator was shown."""
    wanted, shown = orders.told(order.configuration), orders.told(order.previous)
    now = provider.find_owned_sid(order.provider_sid or "")
    if now is None:
        raise RequestRejected(
            f"{numbering.display(order.e164)} is not in the account any more. Nothing was changed.", code="20404"
        )
    if _same(provider, now.webhooks, wanted):
        return now
    if not _same(provider, now.webhooks, shown):
        raise RequestRejected(
            "The webhooks were changed at the provider since they were shown. Nothing was overwritten; look again."
        )
    callback = wanted.status_callback if provider.vendor.keeps_status_callback else None
    return provider.set_webhooks(now.sid, voice_url=wanted.voice_url, status_callback=callback)


def _release(provider: Provider, order: NumberOrder) -> None:
    try:
        provider.release(order.provider_sid or "")
    except RequestRejected as exc:
        if exc.code != "20404":  # gone already is what was wanted
            raise


def _look_for_purchase(provider: Provider, order: NumberOrder) -> None:
    owned = provider.find_owned(order.e164)
    if owned is not None:
        _confirm(order.id or 0, owned)
    elif _long_ago(order):
        _fail(order.id or 0, "The provider does not hold it for the account: it was not bought, nothing was charged.")


def _look_for_release(provider: Provider, order: NumberOrder) -> None:
    if provider.find_owned_sid(order.provider_sid or "") is None:
        _confirm(order.id or 0, None)
    elif _long_ago(order):
        _fail(order.id or 0, "The number is still in the account: it was not released. Try again.")


def _look_at_webhooks(provider: Provider, order: NumberOrder) -> None:
    now = provider.find_owned_sid(order.provider_sid or "")
    if now is None:
        _fail(order.id or 0, "The number is not in the account any more. Nothing was changed.")
    elif _same(provider, now.webhooks, orders.told(order.configuration)):
        _confirm(order.id or 0, now)
    elif _long_ago(order):
        _fail(order.id or 0, "The webhooks at the provider are not ours: they were not replaced. Try again.")


def _same(provider: Provider, one: Webhooks, other: Webhooks) -> bool:
    callbacks = one.status_callback == other.status_callback or not provider.vendor.keeps_status_callback
    return one.voice_url == other.voice_url and callbacks


def _long_ago(order: NumberOrder) -> bool:
    """Whether what was asked can no longer take effect: a request may outlive its lost answer."""
    grace = timedelta(seconds=settings.current().settle_seconds)
    return order.asked_at is not None and datetime.now(UTC) - order.asked_at > grace


def _is_settled(order_id: int) -> bool:
    with db.engine.open_session() as session:
        order = db.orders.find(session, order_id)
        return order is None or order.state not in db.orders.OPEN


def _change(order_id: int, change: Callable[[Session, NumberOrder, Actor], None], *, even_failed: bool = False) -> None:
    """Apply *change* to an order that is still open, locked, in one transaction."""
    states = (*db.orders.OPEN, OrderState.FAILED) if even_failed else db.orders.OPEN
    with db.engine.open_session() as session:
        db.engine.start_write(session)
        # First the number, then the order: whoever places another order takes them the same way round.
        db.orders.claim(session, db.orders.number_of(session, order_id))
        order = db.orders.find(session, order_id)
        if order is None or order.state not in states:
            return
        user = db.users.get(session, order.placed_by)
        change(session, order, Actor(user.id or 0, user.username, user.name, tenant_id=order.tenant_id))
        session.commit()


def _write_down(session: Session, actor: Actor, order: NumberOrder, action: Action) -> None:
    about = Subject("order", order.id, order.e164, order.tenant_id)
    after = {"kind": str(order.kind), "state": str(order.state), "problem": order.problem}
    audit.record(session, actor, action, about, after=after)


def _uncertain(order_id: int, problem: str) -> None:
    def change(session: Session, order: NumberOrder, actor: Actor) -> None:
        if order.state is OrderState.UNKNOWN:
            return
        order.state, order.problem = OrderState.UNKNOWN, problem[:500]
        _write_down(session, actor, order, Action.ORDERS_UNCERTAIN)

    _change(order_id, change)


def _not_now(order_id: int, problem: str) -> None:
    """Nothing happened. Somebody waits for a purchase or an import, so it fails; a change is asked again."""

    def change(session: Session, order: NumberOrder, actor: Actor) -> None:
        order.problem = problem[:500]
        if order.kind in (OrderKind.PURCHASE, OrderKind.IMPORT):
            _close(session, order, actor, OrderState.FAILED, Action.ORDERS_FAIL)
        else:
            order.asked_at = None

    _change(order_id, change)


def _fail(order_id: int, problem: str) -> None:
    def change(session: Session, order: NumberOrder, actor: Actor) -> None:
        order.problem = problem[:500]
        _close(session, order, actor, OrderState.FAILED, Action.ORDERS_FAIL)

    _change(order_id, change)


def _confirm(order_id: int, owned: OwnedNumber | None, *, even_failed: bool = False) -> None:
    """Settle an order that took effect, with everything that follows from it, in one commit."""

    def change(session: Session, order: NumberOrder, actor: Actor) -> None:
        if order.kind is OrderKind.RELEASE:
            _released(session, actor, order)
        elif order.kind is OrderKind.WEBHOOKS:
            _webhooks_set(session, actor, order)
        elif owned is not None:
            _added(session, actor, order, owned)
        order.problem = None
        _close(session, order, actor, OrderState.CONFIRMED, Action.ORDERS_CONFIRM)

    try:
        _change(order_id, change, even_failed=even_failed)
    except IntegrityError:
        _uncertain(
            order_id,
            "The number is ours at the provider, but it is on record elsewhere, so it could not be put on record "
            "here. Tell a superadmin: the order stays open until one of the two is gone.",
        )


def _close(session: Session, order: NumberOrder, actor: Actor, state: OrderState, action: Action) -> None:
    order.state, order.settled_at = state, datetime.now(UTC)
    _write_down(session, actor, order, action)


def _added(session: Session, actor: Actor, order: NumberOrder, owned: OwnedNumber) -> None:
    if order.number_id is not None and _back_again(session, actor, order, owned):
        return
    chosen, read = order.configuration, numbering.read(order.e164)
    number = PhoneNumber(
        tenant_id=order.tenant_id,
        e164=order.e164,
        provider=vendor_key(session, order),
        connection_id=order.connection_id,
        is_managed=True,
        provider_sid=owned.sid,
        country=chosen.get("country") or read.country,
        number_type=_type(chosen.get("number_type") or (owned.type and owned.type.value), read.number_type),
        label=chosen.get("label", ""),
        agent_id=chosen.get("agent_id"),
        allowed_inbound=chosen.get("allowed_inbound", []),
        allowed_outbound=chosen.get("allowed_outbound", []),
        price=order.price,
        currency=order.currency,
    )
    session.add(number)
    session.flush()
    order.number_id, order.provider_sid = number.id, owned.sid
    action = Action.NUMBERS_BUY if order.kind is OrderKind.PURCHASE else Action.NUMBERS_IMPORT
    after = numbers.words(session, number) | {
        "price": order.price,
        "currency": order.currency,
        "voice_url": chosen.get("voice_url"),
        "status_callback": chosen.get("status_callback"),
    }
    audit.record(session, actor, action, numbers.subject(number), before=order.previous, after=after)


def _back_again(session: Session, actor: Actor, order: NumberOrder, owned: OwnedNumber) -> bool:
    """Bring the record of a number that was bought back to life, with all that it had but its campaigns."""
    number = db.numbers.find(session, Scope(order.tenant_id), order.number_id or 0)
    if number is None or number.released_at is None:
        return False
    before = numbers.words(session, number) | {"price": number.price, "currency": number.currency}
    number.status, number.released_at, number.buy_back_until = NumberStatus.ACTIVE, None, None
    number.provider_sid = order.provider_sid = owned.sid
    number.connection_id, number.price, number.currency = order.connection_id, order.price, order.currency
    number.updated_at = datetime.now(UTC)
    number.version += 1
    session.flush()
    after = numbers.words(session, number) | {"price": number.price, "currency": number.currency}
    changed = [key for key in after if before[key] != after[key]]
    audit.record(
        session,
        actor,
        Action.NUMBERS_BUY_BACK,
        numbers.subject(number),
        before={key: before[key] for key in changed},
        after={key: after[key] for key in changed} | _urls(order.configuration),
    )
    return True


def _released(session: Session, actor: Actor, order: NumberOrder) -> None:
    number = db.numbers.find(session, Scope(order.tenant_id), order.number_id or 0)
    if number is None or number.released_at is not None:
        return
    before = str(number.status)
    numbers.leave_campaigns(session, actor, number)
    number.status = NumberStatus.RELEASED
    number.released_at = number.updated_at = datetime.now(UTC)
    number.buy_back_until = number.released_at + BUY_BACK
    number.version += 1
    audit.record(
        session,
        actor,
        Action.NUMBERS_RELEASE,
        numbers.subject(number),
        before={"status": before},
        after={"status": str(number.status), "buy_back_until": number.buy_back_until.isoformat()},
    )


def _webhooks_set(session: Session, actor: Actor, order: NumberOrder) -> None:
    number = db.numbers.find(session, Scope(order.tenant_id), order.number_id or 0)
    if number is None:
        return
    number.version += 1
    number.updated_at = datetime.now(UTC)
    audit.record(
        session,
        actor,
        Action.NUMBERS_SET_WEBHOOKS,
        numbers.subject(number),
        before=_urls(order.previous),
        after=_urls(order.configuration),
    )


def _urls(webhooks: dict[str, str]) -> dict[str, str]:
    told = asdict(orders.told(webhooks))
    return {name: told[name] for name in ("voice_url", "status_callback")}


def _type(word: str | None, otherwise: NumberType) -> NumberType:
    try:
        return NumberType(word or "")
    except ValueError:
        return otherwise


def vendor_key(session: Session, order: NumberOrder) -> str:
    """Return the key of the vendor that an order is with."""
    connection = db.connections.find(session, Scope(order.tenant_id), order.connection_id)
    return connection.provider if connection else ""
