"""The states of an order and their transitions: locked and logged in one transaction."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from sqlmodel import Session

import db.base.engine
import db.orders.queries
import db.people.users
from db.models import NumberOrder, OrderState
from providers.errors import ProviderError, ProviderUnavailable
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core import validation
from services.core.access import Actor
from services.core.errors import Conflict
from services.core.transactions import write

PAUSES = (1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds between checks; the last pause repeats."""

LAST_LOOK_AFTER = timedelta(hours=3)
"""When a failed purchase is checked once more."""


_log = structlog.get_logger()


def pause(looks: int) -> timedelta:
    """Return how long to wait after the n-th look at an order."""
    return timedelta(seconds=PAUSES[min(max(looks, 1), len(PAUSES)) - 1])


def change(
    order_id: int,
    apply: Callable[[Session, NumberOrder, Actor], None],
    *,
    even_failed: bool = False,
    cause: ProviderError | None = None,
) -> None:
    """Run *apply* on an open, locked order in one transaction. *cause* is the provider's answer."""
    states = (*db.orders.queries.OPEN, OrderState.FAILED) if even_failed else db.orders.queries.OPEN
    with write() as session:
        subject = db.orders.queries.find_subject(session, order_id)
        if subject is None:
            return
        e164, provider = subject
        # First the number, then the order: whoever places another order takes them the same way round.
        db.orders.queries.claim(session, e164)
        order = db.orders.queries.find(session, order_id)
        if order is None or order.state not in states:
            return
        user = db.people.users.get(session, order.placed_by)
        before = order.state
        apply(session, order, Actor(user.id, user.username, user.name, tenant_id=order.tenant_id))
    log_change(order, provider, before, cause)


def log_change(
    order: NumberOrder, provider: str, before: OrderState | None, cause: ProviderError | None = None
) -> None:
    """Write an order's new state to the log, with what the provider answered; nothing when the state is the same."""
    if order.state is before:
        return
    answer = {name: value for name, value in vars(cause.answer).items() if value} if cause else {}
    _log.info(
        "order.changed",
        order=order.id,
        tenant=order.tenant_id,
        connection=order.connection_id,
        provider=provider,
        kind=str(order.kind),
        before=str(before) if before else None,
        after=str(order.state),
        problem=order.problem,
        **answer,
    )


def _write_down(session: Session, actor: Actor, order: NumberOrder, action: Action) -> None:
    about = Subject("order", order.id, order.e164, order.tenant_id)
    after = {"kind": str(order.kind), "state": str(order.state), "problem": order.problem}
    audit.record(session, actor, action, about, after=after)


def uncertain(order_id: int, problem: str | ProviderError) -> None:
    """Keep checking, also an order given up while it was being sent."""

    def apply(session: Session, order: NumberOrder, actor: Actor) -> None:
        before, order.problem = order.state, fit(str(problem))
        if before is OrderState.UNKNOWN:
            return
        order.state, order.settled_at = OrderState.UNKNOWN, None
        order.next_look_at = datetime.now(UTC) + pause(order.looks)
        _write_down(session, actor, order, Action.ORDERS_UNCERTAIN)

    try:
        change(order_id, apply, even_failed=True, cause=_cause(problem))
    except Conflict:  # given up, and the number is being ordered anew: only the text is put right
        change(order_id, lambda _session, order, _actor: setattr(order, "problem", fit(str(problem))), even_failed=True)


def not_now(order_id: int, exc: ProviderUnavailable) -> None:
    """Nothing happened: send it again later, until it is done or cancelled."""

    def apply(_session: Session, order: NumberOrder, _actor: Actor) -> None:
        order.problem, order.asked_at = fit(str(exc).removesuffix("Try again in a moment.")), None  # we do
        requested = timedelta(seconds=min(exc.retry_after or 0, PAUSES[-1]))
        order.next_look_at = datetime.now(UTC) + max(pause(order.looks), requested)

    change(order_id, apply)


def fail(order_id: int, problem: str | ProviderError, *, once_more: bool = False) -> None:
    """Mark an order as failed; it may be checked *once_more*, hours later."""

    def apply(session: Session, order: NumberOrder, actor: Actor) -> None:
        order.problem = fit(str(problem))
        close(session, order, actor, OrderState.FAILED, Action.ORDERS_FAIL)
        order.next_look_at = datetime.now(UTC) + LAST_LOOK_AFTER if once_more else None

    change(order_id, apply, cause=_cause(problem))


def look_no_more(order_id: int) -> None:
    """Leave an order as it is."""

    def apply(_session: Session, order: NumberOrder, _actor: Actor) -> None:
        order.next_look_at = None

    change(order_id, apply, even_failed=True)


def close(session: Session, order: NumberOrder, actor: Actor, state: OrderState, action: Action) -> None:
    """Settle an order in the transaction of *session*."""
    order.state, order.settled_at, order.next_look_at = state, datetime.now(UTC), None
    _write_down(session, actor, order, action)


def _cause(problem: str | ProviderError) -> ProviderError | None:
    return problem if isinstance(problem, ProviderError) else None


def fit(problem: str) -> str:
    """Return a provider's message so that any database can store it."""
    return validation.one_line(problem.encode("utf-8", "replace").decode())[:500]
