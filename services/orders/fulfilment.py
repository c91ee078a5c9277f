"""Order fulfilment: send each order to the provider once, then check until the outcome is certain.

Every function here may run again at any point: after a crash, in another replica, on a second click. The order's row
is the source of truth, changed only while locked. It also says when to check next; `services/orders/sweep.py` does so
indefinitely.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlmodel import Session

import db.base.engine
import db.base.named
import db.numbers.queries
import db.orders.queries
from db.base.scope import Scope
from db.models import Connection, NumberOrder, OrderKind, OrderState
from providers.base import Provider
from providers.errors import (
    NotThere,
    OutcomeUnknown,
    ProviderError,
    ProviderMisconfigured,
    ProviderUnavailable,
    RequestRejected,
)
from providers.records import OwnedNumber
from services.connections import provider_access
from services.core import settings
from services.core.credentials import KeyProblem
from services.core.transactions import write
from services.orders import confirmations, sids, transitions, webhook_orders
from services.text import numbering

FORGOTTEN_AFTER = timedelta(minutes=15)
"""Orders overdue for this long, because the app was down, are not sent any more."""

FURTHEST = transitions.LAST_LOOK_AFTER + timedelta(hours=1)
"""The longest pause between checks."""

_OURS = "Something went wrong on our side; it has been logged."
_log = structlog.get_logger()
_missed: dict[int, tuple[datetime | None, float]] = {}
"""When an order was sent and when this process first found no trace of it, by the monotonic clock."""


@dataclass(frozen=True)
class Look:
    """The result of checking an order: whether it is settled, or what prevented sending or checking.

    `sent_away` is the provider's refusal for now; `is_ours` is a failure on our side.
    """

    is_settled: bool
    problem: str = ""
    sent_away: ProviderUnavailable | None = None
    is_ours: bool = False


def drive(order_id: int, *, even_early: bool = False) -> Look:
    """Take the next step of an order that is due, or *even_early*: send it or check its outcome.

    The intent to send is committed first, so that after a crash we check instead of sending twice.
    """
    now = datetime.now(UTC)
    problem, provider, is_forgotten = "", None, False
    with write() as session:
        order = db.orders.queries.take(session, order_id, now, FURTHEST, even_early=even_early)
        if order is None:
            return Look(_is_settled(session, order_id))
        is_new = order.state is OrderState.PLACED and order.asked_at is None
        if is_new and order.kind is not OrderKind.WEBHOOKS and order.next_look_at is not None:
            is_forgotten = now - order.next_look_at > FORGOTTEN_AFTER
        if not is_forgotten:
            # No other process checks in the meantime, and one checks again if this one dies.
            order.looks += 0 if even_early and order.looks else 1
            order.last_looked_at, order.next_look_at = now, now + transitions.pause(order.looks)
            provider, problem = _open(session, order)
            if problem and is_new:
                order.problem = transitions.fit(problem)
            elif is_new:
                order.asked_at = now
    if is_forgotten:
        how = "The provider did not accept it, and then" if order.problem else "It was never sent, because"
        transitions.fail(
            order_id, f"{how} Numberdesk was not running for a while. Nothing happened and nothing was charged."
        )
        return Look(is_settled=True)
    if provider is None:
        return Look(is_settled=False, problem=problem)
    sent_away = None
    try:
        if is_new:
            _ask(provider, order)
        else:
            _, look = _STEPS[order.kind]
            look(provider, order)
    except ProviderError as exc:
        problem = str(exc)
        sent_away = exc if isinstance(exc, ProviderUnavailable) else None
        _log.warning(
            "order.cannot_look",
            order=order_id,
            kind=str(order.kind),
            problem=problem,
            **exc.answer.known(),
        )
    with db.base.engine.open_session() as session:
        is_settled = _is_settled(session, order_id)
    if is_settled:
        _missed.pop(order_id, None)
    return Look(is_settled, problem, sent_away)


def carry_on(order_id: int, *, even_early: bool = False) -> Look:
    """Drive an order; failures on our side are logged and returned, so that other orders and later checks go on."""
    try:
        return drive(order_id, even_early=even_early)
    except db.base.engine.DatabaseUnavailable as exc:
        _log.warning("order.not_driven", order=order_id, problem=str(exc))
        return Look(is_settled=False, problem=str(exc), is_ours=True)
    except Exception:  # a bug of ours about one order may not stop the others
        _log.exception("order.not_driven", order=order_id)
        return Look(is_settled=False, problem=_OURS, is_ours=True)


def _ask(provider: Provider, order: NumberOrder) -> None:
    """Send an order. Raises ProviderUnavailable, after recording it, when it should be sent again."""
    send, _ = _STEPS[order.kind]
    try:
        found = provider_access.patiently(lambda: send(provider, order))
    except OutcomeUnknown as exc:
        transitions.uncertain(order.id, exc)
    except ProviderUnavailable as exc:
        transitions.not_now(order.id, exc)
        raise
    except ProviderError as exc:
        transitions.fail(order.id, exc)
    else:
        confirmations.confirm(order.id, found)


def _open(session: Session, order: NumberOrder) -> tuple[Provider | None, str]:
    """Return an order's provider, or None and why its connection cannot be opened."""
    connection = db.base.named.find(session, Connection, Scope(order.tenant_id), order.connection_id)
    if connection is None:
        return None, "The connection of this order is gone."
    try:
        return provider_access.connect(connection), ""
    except (KeyProblem, ProviderError, ProviderMisconfigured) as exc:
        why = str(exc)
    except Exception:  # whatever is wrong with one connection, its orders stay open and say so
        _log.exception("order.connection_not_opened", order=order.id)
        why = _OURS
    return None, f"The connection “{connection.name}” cannot be opened: {why}"


def _buy(provider: Provider, order: NumberOrder) -> OwnedNumber:
    """Buy the number, unless the account already has it: buying would overwrite its webhooks unseen."""
    if provider.find_owned(order.e164) is not None:
        raise RequestRejected(
            f"{numbering.display(order.e164)} is already in the account, so it was not bought and nothing was "
            f"charged. Import it instead; that shows the webhooks to be replaced."
        )
    chosen = order.configuration
    return provider.buy(
        order.e164,
        label=chosen.get("label", ""),
        voice_url=chosen.get("voice_url", ""),
        status_callback=chosen.get("status_callback", ""),
        address_sid=chosen.get("address_sid"),
        bundle_sid=chosen.get("bundle_sid"),
    )


def _release(provider: Provider, order: NumberOrder) -> None:
    sid = order.provider_sid or ""
    number = sids.find(provider, sid, order.e164)
    if number is None:  # already gone is the goal, unless it is there again
        _expect_nowhere(provider, order)
        return
    with contextlib.suppress(NotThere):
        provider.release(number.sid)


def _expect_nowhere(provider: Provider, order: NumberOrder) -> None:
    """Raise AnotherSid when the account has the number, and pays for it, under another SID."""
    other = provider.find_owned(order.e164)
    if other is not None:
        raise sids.AnotherSid(
            f"The account has {numbering.display(order.e164)} under another SID, {other.sid}. It was not released. "
            f"Re-sync it to use that SID, then release it."
        )


def _look_for_purchase(provider: Provider, order: NumberOrder) -> None:
    owned = provider.find_owned(order.e164)
    if order.state is OrderState.FAILED and (owned is None or _is_of_another(order)):
        transitions.look_no_more(order.id)
    elif owned is not None:
        confirmations.confirm(order.id, owned)
    elif _long_ago(order):
        transitions.fail(
            order.id,
            "The number is not in the account: it was not bought and nothing was charged.",
            once_more=True,
        )


def _is_of_another(order: NumberOrder) -> bool:
    """Return whether a later order bought the number, which happens only while the account lacks it."""
    with db.base.engine.open_session() as session:
        return db.orders.queries.was_bought_after(session, order.e164, order.id)


def _look_for_release(provider: Provider, order: NumberOrder) -> None:
    try:
        gone = sids.find(provider, order.provider_sid or "", order.e164) is None
        if gone:
            _expect_nowhere(provider, order)
    except (sids.AnotherNumber, sids.AnotherSid) as exc:
        transitions.fail(order.id, exc)
        return
    if gone:
        confirmations.confirm(order.id, None)
    elif _long_ago(order):
        transitions.fail(order.id, "The number is still in the account: it was not released. Try again.")


def _look_at_webhooks(provider: Provider, order: NumberOrder) -> None:
    try:
        now = sids.find(provider, order.provider_sid or "", order.e164)
    except sids.AnotherNumber as exc:
        transitions.fail(order.id, exc)
        return
    if now is None:
        transitions.fail(order.id, "The number is no longer in the account. Nothing was changed.")
    elif webhook_orders.are_set(provider, order, now):
        confirmations.confirm(order.id, now)
    elif _long_ago(order):
        transitions.fail(order.id, "The webhooks at the provider were not replaced. Try again.")


def _long_ago(order: NumberOrder) -> bool:
    """Whether a sent request can no longer take effect: it may outlive its lost response.

    Two looks of this process, so far apart, decide: the clock on the wall may have been set in between. That another
    process looks in turn only delays it. What was found missing before it was asked anew does not count.
    """
    now, grace = time.monotonic(), settings.current().settle_seconds
    asked_at, first = _missed.get(order.id, (None, now))
    if asked_at != order.asked_at or asked_at is None:
        _missed[order.id] = (order.asked_at, now)
        return False
    return now - first >= grace


def _is_settled(session: Session, order_id: int) -> bool:
    progress = db.orders.queries.find_progress(session, order_id)
    return progress is None or progress[0] not in db.orders.queries.OPEN


_Send = Callable[[Provider, NumberOrder], OwnedNumber | None]
_Look = Callable[[Provider, NumberOrder], None]
_STEPS: dict[OrderKind, tuple[_Send, _Look]] = {
    OrderKind.PURCHASE: (_buy, _look_for_purchase),
    OrderKind.IMPORT: (webhook_orders.take_over, _look_at_webhooks),
    OrderKind.RELEASE: (_release, _look_for_release),
    OrderKind.WEBHOOKS: (webhook_orders.take_over, _look_at_webhooks),
}
"""How each kind of order is sent, and how its outcome is checked."""
