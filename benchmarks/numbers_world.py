"""A company's numbers, for benchmarks: deterministic, of many tenants of very different sizes, and never in a pattern.

The first tenant has half of them. Each thing that can be filtered by is drawn by itself, so that any two meet.
"""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db.base.tables import table_of
from db.models import (
    Agent,
    Campaign,
    CampaignNumber,
    Connection,
    HealthLine,
    HealthSummary,
    NumberTag,
    PhoneNumber,
)
from services.health.thresholds import IDLE_DAYS
from services.setup import builder

TENANTS = 500
AGENTS = 100
"""Agents of the first tenant; the others have three each."""

SUMMED = 400
"""Tenants whose calls were added up, so that it is known which of their numbers stand idle."""

BEGAN = datetime(2024, 11, 1, tzinfo=UTC)
SECONDS = 30
"""How long after the other numbers were added."""

PROVIDERS = ("twilio", "twilio", "sip", "exotel")
"""The providers of a tenant's connections."""

_STATUSES = (("active", 880), ("inactive", 90), ("released", 20), ("removed", 10))
_COUNTRIES = (
    *(("US", 600), ("IN", 200), ("GB", 80), ("DE", 50), ("CA", 30), ("FR", 15), ("AU", 10), ("BR", 6), ("MX", 5)),
    *(("ES", 2), ("IT", 1), ("NL", 1)),
)
_TYPES = (("local", 700), ("mobile", 200), ("toll_free", 60), ("national", 30), ("voip", 9), ("shared_cost", 1))
_WORDS = (("Support", 250), ("Sales", 200), ("Billing", 200), ("Callback", 150), ("Reminder", 150), ("Night desk", 50))
_TAGS = (("moved", 800), ("vip", 100), ("spare", 60), ("trial", 39), ("legal", 1))


def grow(session: Session, have: int, wanted: int, seed: int = 7) -> float:
    """Write numbers until there are *wanted*; return how many a second, without what hangs on them."""
    if not have:
        _companies(session)
    began = time.perf_counter()
    builder.many(session, PhoneNumber, _numbers(session, have, wanted, random.Random(seed + have)), commit=True)
    rate = (wanted - have) / (time.perf_counter() - began)
    _hang(session, random.Random(seed + have + 1))
    return rate


def e164(n: int) -> str:
    """Return the number that was added as the *n*-th."""
    return f"+1{2_000_000_000 + n * 7_919 % 7_999_999_993:010d}"


def _companies(session: Session) -> None:
    for i in range(TENANTS):
        tenant = builder.tenant(session, f"Tenant {i}").id
        for n, provider in enumerate(PROVIDERS):
            builder.connection(session, tenant, f"{provider} {n}", provider, is_active=n < 3)
        for n in range(3 if i else AGENTS):
            builder.agent(session, tenant, f"Agent {n}")
        builder.campaign(session, tenant, "Renewals")
        if i < SUMMED:
            summary = HealthSummary(
                tenant_id=tenant, days=IDLE_DAYS, until=BEGAN.date(), version=0, limits="", seconds=0.0
            )
            session.add(summary)
    session.commit()


def _numbers(session: Session, have: int, wanted: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    connections: dict[int, list[int]] = {}
    agents: dict[int, list[int]] = {}
    for found, model in ((connections, Connection), (agents, Agent)):
        table = table_of(model)
        for one, tenant in session.execute(sa.select(table.c.id, table.c.tenant_id).order_by(table.c.id)):
            found.setdefault(tenant, []).append(one)
    tenants = sorted(connections)
    others = list(accumulate(1 / n for n in range(1, len(tenants))))
    for n in range(have, wanted):
        tenant = tenants[0] if chance.random() < 0.5 else chance.choices(tenants[1:], cum_weights=others)[0]
        status, at = _drawn(chance, _STATUSES), BEGAN + timedelta(seconds=SECONDS * n)
        place = chance.randrange(len(PROVIDERS))
        provider = PROVIDERS[place]
        own = agents[tenant]
        agent = own[min(int(chance.expovariate(5 / len(own))), len(own) - 1)]
        yield {
            "tenant_id": tenant,
            "e164": e164(n),
            "status": status,
            "released_at": at if status in ("released", "removed") else None,
            "provider": provider,
            "connection_id": connections[tenant][place] if chance.random() > 0.002 else None,
            "is_managed": provider == "twilio" and chance.random() < 0.9,
            "country": _drawn(chance, _COUNTRIES),
            "number_type": _drawn(chance, _TYPES),
            "label": f"{_drawn(chance, _WORDS)} {chance.randrange(1000)}",
            "agent_id": agent if chance.random() > 0.2 else None,
            "allowed_inbound": ["US"] if chance.random() < 0.02 else [],
            "created_at": at,
        }


def _hang(session: Session, chance: random.Random) -> None:
    """Give every tenth number a tag, and every twentieth a place in the pool of its tenant, and calls that add up."""
    number, campaign = table_of(PhoneNumber), table_of(Campaign)
    pools = dict(session.execute(sa.select(campaign.c.tenant_id, campaign.c.id)).all())
    tagged = sa.select(table_of(NumberTag).c.number_id)
    rows = session.execute(
        sa.select(number.c.id, number.c.tenant_id).where(number.c.id % 10 == 0, number.c.id.not_in(tagged))
    ).all()
    builder.many(
        session,
        NumberTag,
        ({"number_id": one, "tenant_id": tenant, "tag": _drawn(chance, _TAGS)} for one, tenant in rows),
        commit=True,
    )
    builder.many(
        session,
        CampaignNumber,
        (
            {
                "campaign_id": pools[tenant],
                "number_id": one,
                "tenant_id": tenant,
                "pool_status": "spam_flagged" if chance.random() < 0.01 else "active",
            }
            for one, tenant in rows
            if one % 20 == 0
        ),
        commit=True,
    )
    builder.many(
        session,
        HealthLine,
        (
            {
                "days": IDLE_DAYS,
                "campaign_id": pools[tenant],
                "number_id": one,
                "tenant_id": tenant,
                "verdict": "healthy",
                **dict.fromkeys(("attempts", "answered", "attempts_before", "answered_before", "spam_reports"), 0),
                "completed": chance.randrange(100),
            }
            for one, tenant in rows
            if one % 20 == 0
        ),
        commit=True,
    )


def _drawn(chance: random.Random, among: tuple[tuple[str, int], ...]) -> str:
    return chance.choices([name for name, _ in among], [weight for _, weight in among])[0]
