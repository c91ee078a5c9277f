"""How fast the audit log answers when it is small and when it is large: `python -m benchmarks.activity [EVENTS]`."""

import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from sqlmodel import Session

import db.audit.queries
import db.base.engine
from benchmarks import analyze, compare, database, median
from db.audit.queries import AuditQuery
from db.base.scope import Scope, Slice
from db.models import AuditEvent, PhoneNumber
from services.setup import builder
from services.text import numbering

SMALL, TENANTS, PEOPLE = 10_000, 51, 20
BEGAN = datetime(2024, 11, 1, tzinfo=UTC)
# What is done, to what kind of thing, and how often. The first tenant does half of it.
DEEDS = {
    "numbers:rename": ("number", 22),
    "numbers:add": ("number", 20),
    "numbers:assign_agent": ("number", 18),
    "numbers:deactivate": ("number", 10),
    "orders:place": ("order", 8),
    "orders:confirm": ("order", 8),
    "campaigns:add_numbers": ("campaign", 7),
    "connections:edit": ("connection", 4),
    "users:change_role": ("user", 3),
    "numbers:release": ("number", 0.01),
}


def grow(session: Session, have: int, wanted: int) -> float:
    """Write events until there are *wanted*, with a fifth as many numbers; return how many a second."""
    if not have:
        for i in range(TENANTS):
            builder.tenant(session, f"Tenant {i}")
    numbers = (
        {"tenant_id": _tenant(n), "e164": _e164(n), "provider": "sip", "number_type": "local"}
        for n in range(have // 5, wanted // 5)
    )
    builder.many(session, PhoneNumber, numbers)
    session.commit()
    events, spent = _events(have, wanted), 0.0
    while some := list(islice(events, builder.BATCH)):
        began = time.perf_counter()
        builder.many(session, AuditEvent, some, commit=True)
        spent += time.perf_counter() - began
    analyze()
    return (wanted - have) / spent


def _events(have: int, wanted: int) -> Iterator[dict[str, Any]]:
    """Yield an event a minute."""
    chance = random.Random(have)
    actions = chance.choices(list(DEEDS), [often for _, often in DEEDS.values()], k=wanted - have)
    for minute, action in enumerate(actions, start=have):
        kind, n = DEEDS[action][0], chance.randrange(wanted // 5)
        tenant = _tenant(n)
        yield {
            "tenant_id": tenant,
            "at": BEGAN + timedelta(minutes=minute),
            "actor_name": f"Person {tenant}-{chance.randrange(PEOPLE)}" if chance.random() < 0.9 else "System",
            "action": action,
            "subject_type": kind,
            "subject_id": n,
            "subject_label": _e164(n) if kind in ("number", "order") else f"{kind.capitalize()} {n % 500}",
            "before": {"label": f"Desk {n}"},
            "after": {"label": f"Desk {n + 1}"},
        }


def _tenant(n: int) -> int:
    return 1 if n % 2 else 2 + n // 2 % (TENANTS - 1)


def _e164(n: int) -> str:
    return f"+1415{n * 37 % 10_000_000:07d}"


def _queries() -> dict[str, tuple[Scope, AuditQuery]]:
    one, every = Scope(1), Scope(None)
    day = AuditQuery(since=BEGAN + timedelta(days=2), until=BEGAN + timedelta(days=3))
    person, rare = AuditQuery(actors=("Person 1-7",)), AuditQuery(actions=("numbers:release",))

    def typed(text: str) -> AuditQuery:
        return AuditQuery(search=numbering.search_text(text))

    return {
        "the newest": (one, AuditQuery()),
        "a day": (one, day),
        "a person": (one, person),
        "a common action": (one, AuditQuery(actions=("numbers:rename",))),
        "a rare action": (one, rare),
        "two common actions": (one, AuditQuery(actions=("numbers:rename", "numbers:add"))),
        "a kind of thing": (one, AuditQuery(kinds=("connection",))),
        "a person's common action on a day": (one, replace(day, actors=person.actors, actions=("numbers:rename",))),
        "a person's rare action": (one, replace(rare, actors=person.actors)),
        "a whole number": (one, typed(_e164(1001))),
        "the last 7 digits of a number": (one, typed(_e164(1001)[-7:])),
        "3 digits": (one, typed("415")),
        "part of a name": (one, typed("paign 77")),
        "part of every campaign's name": (one, typed("campaign")),
        "all tenants: the newest": (every, AuditQuery()),
        "all tenants: a person": (every, person),
        "all tenants: a rare action": (every, rare),
        "all tenants: a kind of thing": (every, AuditQuery(kinds=("connection",))),
        "all tenants: two of them": (every, AuditQuery(tenants=(1, 2))),
        "all tenants: a whole number": (every, typed(_e164(1001))),
    }


def measure(session: Session) -> dict[str, float]:
    """Return how many milliseconds each question takes: total and first page together, the median of ROUNDS."""
    asked: dict[str, Callable[[], object]] = {
        name: partial(_page, session, scope, query, Slice()) for name, (scope, query) in _queries().items()
    }
    asked["the newest, page 40"] = partial(_page, session, Scope(1), AuditQuery(), Slice(40))
    asked["the history of a number"] = partial(db.audit.queries.of_number, session, Scope(1), 1001, Slice())
    asked["what the filters offer"] = partial(db.audit.queries.facets, session, Scope(1))
    return {name: median(act) for name, act in asked.items()}


def _page(session: Session, scope: Scope, query: AuditQuery, part: Slice) -> None:
    db.audit.queries.count(session, scope, query)
    db.audit.queries.search(session, scope, query, part)


def main(amount: int = 1_000_000) -> None:
    """Print the table of the guide."""
    with database(), db.base.engine.open_session() as session:
        grow(session, 0, SMALL)
        small = measure(session)
        rate = grow(session, SMALL, amount)
        compare("events", (SMALL, small), (amount, measure(session)))
    sys.stdout.write(f"\n{rate:,.0f} events a second are written, {builder.BATCH:,} in a transaction.\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
