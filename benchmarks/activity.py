"""How fast the audit log answers, small and large: `python -m benchmarks.activity [EVENTS]`."""

import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

import db.audit
import db.engine
from db.audit import AuditQuery
from db.models import AuditEvent, PhoneNumber, Tenant
from db.scope import Scope, Slice
from services import numbering

SMALL, TENANTS, PEOPLE, ROUNDS, BATCH = 10_000, 51, 20, 25, 10_000
BEGAN, DAYS = datetime(2024, 11, 1, tzinfo=UTC), 700
# What is done, to what kind of thing, and how often; the first tenant does half of it.
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


def fill(session: Session, amount: int) -> None:
    """Write *amount* events about a fifth as many numbers, and about campaigns, connections and users."""
    chance = random.Random(7)  # noqa: S311
    session.add_all(Tenant(name=f"Tenant {i}") for i in range(TENANTS))
    session.flush()
    numbers = (
        {"tenant_id": _tenant(n), "e164": _e164(n), "provider": "sip", "number_type": "local"}
        for n in range(amount // 5)
    )
    while some := list(islice(numbers, BATCH)):
        session.execute(sa.insert(PhoneNumber), some)
    events = _events(chance, amount)
    while some := list(islice(events, BATCH)):
        session.execute(sa.insert(AuditEvent), some)
        session.commit()
    if session.get_bind().dialect.name == "postgresql":
        with session.get_bind().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")  # as autovacuum does in time


def _events(chance: random.Random, amount: int) -> Iterator[dict[str, Any]]:
    actions, weights = list(DEEDS), [often for _, often in DEEDS.values()]
    for i, action in enumerate(chance.choices(actions, weights, k=amount)):
        kind, n = DEEDS[action][0], chance.randrange(amount // 5)
        tenant = _tenant(n)
        yield {
            "tenant_id": tenant,
            "at": BEGAN + timedelta(days=DAYS) * (i / amount),
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
    month = AuditQuery(since=BEGAN + timedelta(days=300), until=BEGAN + timedelta(days=330))
    person, rare = AuditQuery(actors=("Person 1-7",)), AuditQuery(actions=("numbers:release",))
    common = ("numbers:rename", "numbers:add")

    def typed(text: str) -> AuditQuery:
        return AuditQuery(search=numbering.search_text(text))

    return {
        "newest": (one, AuditQuery()),
        "a period": (one, month),
        "a person": (one, person),
        "a common action": (one, AuditQuery(actions=("numbers:rename",))),
        "a rare action": (one, rare),
        "two common actions": (one, AuditQuery(actions=common)),
        "two rare actions": (one, AuditQuery(actions=(*rare.actions, "numbers:remove"))),
        "a kind of thing": (one, AuditQuery(kinds=("connection",))),
        "person, action and period": (one, replace(month, actors=person.actors, actions=common[:1])),
        "a person's rare action": (one, replace(rare, actors=person.actors)),
        "a whole number": (one, typed(_e164(1001))),
        "last 7 digits of a number": (one, typed(_e164(1001)[-7:])),
        "3 digits": (one, typed("415")),
        "part of a name": (one, typed("paign 77")),
        "part of every campaign's name": (one, typed("campaign")),
        "all tenants: newest": (every, AuditQuery()),
        "all tenants: a person": (every, person),
        "all tenants: a rare action": (every, rare),
        "all tenants: a kind of thing": (every, AuditQuery(kinds=("connection",))),
        "all tenants: two of them": (every, AuditQuery(tenants=(1, 2))),
        "all tenants: a whole number": (every, typed(_e164(1001))),
    }


def measure(session: Session) -> dict[str, float]:
    """Return the median of milliseconds that each question takes, total and first page together."""
    found = {"what the filters offer": _median(lambda: db.audit.facets(session, Scope(1)))}
    for name, (scope, query) in _queries().items():
        found[name] = _median(lambda scope=scope, query=query: _page(session, scope, query, Slice()))
    found["newest, page 40"] = _median(lambda: _page(session, Scope(1), AuditQuery(), Slice(40)))
    found["history of a number"] = _median(lambda: db.audit.of_number(session, Scope(1), 1001, Slice()))
    return found


def _page(session: Session, scope: Scope, query: AuditQuery, part: Slice) -> None:
    db.audit.count(session, scope, query)
    db.audit.search(session, scope, query, part)


def _median(act: Any) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)
