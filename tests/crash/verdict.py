"""Whether the provider's ledger and our tables tell the same story of a number."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlmodel import Session

from db.models import GONE, AuditEvent, NumberOrder, OrderKind, OrderState, PhoneNumber
from db.orders.queries import OPEN
from providers.sandbox.server import Sandbox
from services.audit.audit import Action
from services.orders import webhook_orders
from tests.crash.traffic import Requests

_DONE = {
    OrderKind.PURCHASE: Action.NUMBERS_BUY,
    OrderKind.IMPORT: Action.NUMBERS_IMPORT,
    OrderKind.RELEASE: Action.NUMBERS_RELEASE,
    OrderKind.WEBHOOKS: Action.NUMBERS_SET_WEBHOOKS,
}
_CHANGES = (OrderKind.IMPORT, OrderKind.WEBHOOKS)


@dataclass
class Verdict:
    """What does not fit, by number."""

    lost: dict[str, str] = field(default_factory=dict)
    bought_twice: dict[str, str] = field(default_factory=dict)
    unexplained: dict[str, str] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether everything fits."""
        return not (self.lost or self.bought_twice or self.unexplained)


def judge(session: Session, sandbox: Sandbox, sent: Requests, given: Iterable[str]) -> Verdict:
    """Compare all that was ordered, of the numbers that were *given* and others, with what the provider has."""
    session.rollback()  # to see what other processes wrote
    verdict = Verdict()
    with sandbox.store.reading() as store:
        ledger = Counter((row["e164"], row["action"]) for row in store.execute("SELECT * FROM ledger"))
        held = {
            row["e164"]: row
            for row in store.execute("SELECT e164, sid, json_extract(settings, '$.voice_url') AS voice_url FROM owned")
        }
    rows: dict[str, list[PhoneNumber]] = {}
    for number in session.scalars(sa.select(PhoneNumber)):
        rows.setdefault(number.e164, []).append(number)
    asked: dict[str, list[NumberOrder]] = {e164: [] for e164 in given}
    for order in session.scalars(sa.select(NumberOrder).order_by(sa.text("id"))):
        asked.setdefault(order.e164, []).append(order)
    told = Counter(
        (event.subject_type, event.subject_id, event.action) for event in session.scalars(sa.select(AuditEvent))
    )
    for e164, placed in asked.items():
        live = [number for number in rows.get(e164, []) if number.status not in GONE]
        bought, released = ledger[e164, "purchase"], ledger[e164, "release"]
        done = Counter[str](order.kind for order in placed if order.state is OrderState.CONFIRMED)

        if bought > released and not live:
            verdict.lost[e164] = f"bought {bought}, released {released}, on record nowhere"
        elif ledger[e164, "repeat"]:
            verdict.bought_twice[e164] = f"asked for {ledger[e164, 'repeat']} times more"
        elif bought > done[OrderKind.PURCHASE] or len(live) > 1:
            verdict.bought_twice[e164] = f"bought {bought}, confirmed {done[OrderKind.PURCHASE]}, live {len(live)}"

        wrong = []
        if live and e164 not in held:
            wrong.append("on record, but the provider does not hold it")
        if live and e164 in held and live[0].provider_sid != held[e164]["sid"]:
            wrong.append("on record under another SID")
        if done[OrderKind.PURCHASE] != bought or done[OrderKind.RELEASE] != released:
            wrong.append(f"confirmed {dict(done)}, but bought {bought} and released {released}")
        changes = [order for order in placed if order.kind in _CHANGES]
        if changes and e164 in held:
            last = changes[-1]
            wanted = last.configuration if last.state is OrderState.CONFIRMED else last.previous
            if held[e164]["voice_url"] != webhook_orders.stored(wanted).voice_url:
                wrong.append(f"{last.kind} is {last.state}, but calls go to {held[e164]['voice_url']}")
        for order in placed:
            wrong += _of_order(order, told)
        if wrong:
            verdict.unexplained[e164] = "; ".join(wrong)
    _requests(verdict, asked, sent)
    return verdict


def _of_order(order: NumberOrder, told: Counter[tuple[str, int | None, str]]) -> list[str]:
    if order.state in OPEN:
        return [f"order {order.id} is still {order.state}: {order.problem}"]
    confirmed = order.state is OrderState.CONFIRMED
    expected: dict[tuple[str, int | None, str], int] = {
        ("order", order.id, Action.ORDERS_PLACE): 1,
        ("order", order.id, Action.ORDERS_CONFIRM): int(confirmed),
        ("order", order.id, Action.ORDERS_FAIL): int(not confirmed),
    }
    if confirmed:
        expected["number", order.number_id, _DONE[order.kind]] = 1
    return [f"{told[key]} events {key}, not {times}" for key, times in expected.items() if told[key] != times]


def _requests(verdict: Verdict, asked: dict[str, list[NumberOrder]], sent: Requests) -> None:
    """Nothing is asked more often than it was ordered, even where once more changes nothing."""
    for e164, placed in asked.items():
        for kinds, seen in ((_CHANGES, sent.changes), ((OrderKind.RELEASE,), sent.releases)):
            allowed = Counter(order.provider_sid for order in placed if order.kind in kinds)
            for sid in {order.provider_sid for order in placed if order.provider_sid}:
                if seen[sid] > allowed[sid]:
                    verdict.unexplained[e164] = f"{seen[sid]} requests for {allowed[sid]} orders of {kinds}"
