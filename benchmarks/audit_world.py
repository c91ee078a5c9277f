"""A tenant of any size for benchmarks of the tenant audit: numbers, orders, daily facts and audit events."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Session

from benchmarks import analyze
from db.models import (
    Agent,
    AuditEvent,
    CampaignHealth,
    CampaignNumber,
    Connection,
    NumberOrder,
    NumberStatus,
    NumberType,
    OrderKind,
    OrderState,
    PhoneNumber,
    PoolStatus,
    Role,
    User,
)
from services.core.access import Actor
from services.setup import builder

DAYS, CAMPAIGNS, AGENTS, PEOPLE = 90, 40, 50, 12
URL = "https://voice.example.com/"
ACTIONS = ("numbers:rename", "numbers:assign_agent", "numbers:deactivate", "numbers:activate", "campaigns:edit_pool")


def world(session: Session, amount: int, events: int) -> Actor:
    """Write a tenant with *amount* numbers, DAYS days of facts of each, and *events*; return its viewer."""
    now = datetime.now(UTC)
    at = builder.tenant(session, "Load", time_zone="Europe/Berlin").id
    people = [builder.user(session, f"load{i}", {at: Role.OPERATOR}, name=f"Person {i}") for i in range(PEOPLE)]
    connections = [
        builder.connection(
            session,
            at,
            f"Connection {i}",
            "twilio" if i < 6 else "sip",
            is_active=i != 5,
            voice_url=URL + "in" if i < 6 else None,
            status_callback_url=URL + ("status" if i else "moved") if i < 6 else None,
        )
        for i in range(8)
    ]
    agents = [builder.agent(session, at, f"Agent {i}") for i in range(AGENTS)]
    campaigns = [builder.campaign(session, at, f"Campaign {i}") for i in range(CAMPAIGNS)]
    builder.many(session, PhoneNumber, (_number(i, now, at, connections, agents) for i in range(amount)))
    ids = session.execute(
        sa.select(PhoneNumber.id, PhoneNumber.e164, PhoneNumber.connection_id, PhoneNumber.is_managed)
        .where(PhoneNumber.tenant_id == at)
        .order_by(PhoneNumber.id)
    ).all()
    builder.many(
        session,
        NumberOrder,
        (
            {
                "tenant_id": at,
                "kind": OrderKind.IMPORT,
                "state": OrderState.CONFIRMED,
                "e164": e164,
                "connection_id": connection,
                "number_id": id,
                "configuration": {"voice_url": URL + "in", "status_callback": URL + "status"},
                "placed_by": people[0].id,
                "settled_at": now,
            }
            for id, e164, connection, managed in ids
            if managed and connection
        ),
    )
    builder.many(
        session,
        CampaignNumber,
        (
            {
                "campaign_id": campaigns[place % CAMPAIGNS].id,
                "number_id": row.id,
                "tenant_id": at,
                "pool_status": PoolStatus.SPAM_FLAGGED if place % 997 == 0 else PoolStatus.ACTIVE,
            }
            for place, row in enumerate(ids)
        ),
    )
    session.commit()
    for ago in range(DAYS):
        session.execute(_facts(at, now - timedelta(days=ago), ago))
        session.commit()
    builder.many(session, AuditEvent, _events(at, now, people, events), commit=True)
    analyze()
    return builder.actor(people[0], at, Role.VIEWER)


def _number(
    i: int, now: datetime, tenant: int, connections: list[Connection], agents: list[Agent]
) -> dict[str, object]:
    created = now - timedelta(minutes=(i * 7919) % 1_000_000)
    status = NumberStatus.RELEASED if i % 20 == 0 else NumberStatus.INACTIVE if i % 13 == 0 else NumberStatus.ACTIVE
    connection = connections[i % 8]
    managed = connection.provider == "twilio"
    gone = status is NumberStatus.RELEASED
    return {
        "tenant_id": tenant,
        "e164": f"+1415{i:07d}",
        "status": status,
        "provider": connection.provider,
        "connection_id": connection.id if managed or i % 3 else None,
        "is_managed": managed,
        "country": ("US", "CA", "GB", "DE", "IN")[i % 5],
        "number_type": (NumberType.LOCAL, NumberType.MOBILE, NumberType.TOLL_FREE)[i % 3],
        "label": f"Line {i}",
        "agent_id": agents[i % AGENTS].id if i % 4 else None,
        "allowed_inbound": ["US", "CA"] if i % 9 == 0 else [],
        "allowed_outbound": [],
        "created_at": created,
        "updated_at": created,
        "released_at": created + (now - created) / 2 if gone else None,
        "price": Decimal(("1.15", "2.15", "1.00")[i % 3]) if managed and i % 50 else None,
        "currency": "USD" if managed and i % 50 else None,
    }


def _facts(tenant: int, day: datetime, ago: int) -> sa.Insert:
    """Return the insert of one day of each number; every eleventh number completes no call."""
    number = CampaignNumber.number_id
    attempts = 5 + (number * 7 + ago * 13) % 40
    completed = sa.case((number % 11 == 0, 0), else_=attempts / 5)
    values = sa.select(
        CampaignNumber.campaign_id,
        number,
        sa.literal(day.date()),
        CampaignNumber.tenant_id,
        attempts,
        attempts // 4,
        sa.cast(completed, sa.Integer),
        *(sa.literal(0) for _ in range(3)),
    ).where(CampaignNumber.tenant_id == tenant)
    names = ("attempts", "answered", "completed", "short_calls", "failed", "spam_reports")
    return sa.insert(CampaignHealth).from_select(["campaign_id", "number_id", "day", "tenant_id", *names], values)


def _events(tenant: int, now: datetime, people: list[User], amount: int) -> Iterator[dict[str, object]]:
    for i in range(amount):
        yield {
            "tenant_id": tenant,
            "at": now - timedelta(days=DAYS) * (1 - i / amount),
            "actor_id": people[i % PEOPLE].id,
            "actor_name": people[i % PEOPLE].name,
            "action": ACTIONS[i * 7 % 5],
            "subject_type": "number",
            "subject_id": i % 1000 + 1,
            "subject_label": f"+1415{i % 1000:07d}",
            "before": {"label": "A"},
            "after": {"label": "B"},
        }
