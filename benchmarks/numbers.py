"""How fast the list of numbers answers when it is small and when it is large: `python -m benchmarks.numbers [NUMBERS]`.

Beside each question stands what the rows alone cost: their ids off an index, joined manually.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import Session

import db.base.engine
import db.numbers.queries
from benchmarks import analyze, compare, database, median
from db.base.scope import Scope, Slice
from db.models import NumberStatus, PhoneNumber
from db.numbers.queries import NumberQuery, Sort
from services.setup import builder
from services.text import numbering

SMALL, TENANTS = 10_000, 500
BEGAN = datetime(2024, 11, 1, tzinfo=UTC)
COUNTRIES = (("US", "+1415", "local"), ("IN", "+9198", "mobile"), ("GB", "+4420", "local"), ("DE", "+4930", "local"))
WORDS = ("Sales", "Support", "Billing", "Callback", "Reminder", "Partner", "Night desk", "Outbound")


def grow(session: Session, have: int, wanted: int) -> float:
    """Write numbers until there are *wanted*; return how many a second. The first tenant has half of them."""
    if not have:
        for i in range(TENANTS):
            tenant = builder.tenant(session, f"Tenant {i}").id
            for provider in ("twilio", "sip"):
                builder.connection(session, tenant, provider, provider)
            builder.agent(session, tenant, f"Agent {tenant}")
    began = time.perf_counter()
    builder.many(session, PhoneNumber, _numbers(have, wanted), commit=True)
    rate = (wanted - have) / (time.perf_counter() - began)
    analyze()
    return rate


def _numbers(have: int, wanted: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(have)
    for n in range(have, wanted):
        tenant = 1 if n % 2 else 2 + n // 2 % (TENANTS - 1)
        managed = n % 3 > 0
        country, _, kind = COUNTRIES[n % len(COUNTRIES)]
        yield {
            "tenant_id": tenant,
            "e164": _e164(n),
            "status": "inactive" if n % 10 == 0 else "active",
            "provider": "twilio" if managed else "sip",
            "connection_id": 2 * tenant - managed,
            "is_managed": managed,
            "country": country,
            "number_type": kind,
            "label": f"{chance.choice(WORDS)} {n % 1000}",
            "agent_id": tenant if n % 4 else None,
            "created_at": BEGAN + timedelta(seconds=30 * n),
        }


def _e164(n: int) -> str:
    return f"{COUNTRIES[n % len(COUNTRIES)][1]}{n * 37 % 10_000_000:07d}"


def _asked(session: Session, amount: int) -> dict[str, tuple[Scope, NumberQuery, Slice]]:
    one, every = Scope(1), Scope(None)

    def typed(text: str) -> NumberQuery:
        return NumberQuery(search=numbering.search_text(text))

    active = NumberQuery(statuses=(NumberStatus.ACTIVE,), providers=("twilio",))
    return {
        "first page": (one, NumberQuery(), Slice()),
        "a status and a provider": (one, active, Slice()),
        "a country": (one, NumberQuery(countries=("IN",)), Slice()),
        "an agent": (one, NumberQuery(agents=(1,)), Slice()),
        "by name": (one, NumberQuery(sort=Sort.NAME), Slice()),
        "in the middle": (one, NumberQuery(), Slice(amount // 100)),
        "the last page": (one, NumberQuery(), Slice(amount // 50)),
        "a whole number": (one, typed(_e164(1001)), Slice()),
        "7 digits of a number": (one, typed(_e164(1001)[-7:]), Slice()),
        "3 digits": (one, typed("415"), Slice()),
        "a part of many labels": (one, typed("support"), Slice()),
        "a part of a few labels": (one, typed("night desk 71"), Slice()),
        "all tenants: first page": (every, NumberQuery(), Slice()),
        "all tenants: a status and a provider": (every, active, Slice()),
        "all tenants: in the middle": (every, NumberQuery(), Slice(amount // 50)),
        "all tenants: a whole number": (every, typed(_e164(1001)), Slice()),
        "all tenants: 3 digits": (every, typed("415"), Slice()),
    }


def measure(session: Session, amount: int) -> dict[str, float]:
    """Return how many milliseconds each question takes: total and page together."""
    asked: dict[str, Callable[[], object]] = {
        name: partial(_page, session, *question) for name, question in _asked(session, amount).items()
    }
    asked["what the filters offer"] = partial(db.numbers.queries.facets, session, Scope(1))
    asked["all tenants: what the filters offer"] = partial(db.numbers.queries.facets, session, Scope(None))
    asked["bare SQL of 25 joined rows"] = partial(_bare, session)
    return {name: median(act) for name, act in asked.items()}


def _page(session: Session, scope: Scope, query: NumberQuery, part: Slice) -> None:
    db.numbers.queries.count(session, scope, query)
    db.numbers.queries.search(session, scope, query, part)


def _bare(session: Session) -> None:
    rows = """
        SELECT n.*, c.name, a.name, t.name FROM (
            SELECT id FROM phone_number WHERE tenant_id = 1 AND status NOT IN ('released', 'removed')
            ORDER BY created_at DESC, id DESC LIMIT 25
        ) AS page JOIN phone_number n ON n.id = page.id JOIN tenant t ON t.id = n.tenant_id
        LEFT JOIN telephony_connection c ON c.id = n.connection_id LEFT JOIN agent a ON a.id = n.agent_id
        ORDER BY n.created_at DESC, n.id DESC"""
    session.connection().exec_driver_sql(rows).all()


def main(amount: int = 1_000_000) -> None:
    """Print the table of the guide."""
    with database(), db.base.engine.open_session() as session:
        grow(session, 0, SMALL)
        small = measure(session, SMALL)
        rate = grow(session, SMALL, amount)
        compare("numbers", (SMALL, small), (amount, measure(session, amount)))
    sys.stdout.write(f"\n{rate:,.0f} numbers a second are written, {builder.BATCH:,} in a transaction.\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
