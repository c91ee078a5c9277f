"""Two tenants in which anything may look wrong, made up by chance, to be recounted by plain Python."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from sqlmodel import Session

from db.models import (
    ApiKey,
    AuditEvent,
    CampaignStatus,
    Connection,
    NumberStatus,
    NumberType,
    OrderKind,
    OrderState,
    PhoneNumber,
    PoolStatus,
    Role,
)
from services.setup import builder
from tests.conftest import World

URLS = ("https://a.example.com", "https://b.example.com", "")
PRICES = (*map(Decimal, ("1.15", "2.15", "0.1", "0.20", "3")), None, None, None)
ACTIONS = ("numbers:rename", "numbers:add", "campaigns:edit")


def fill(session: Session, world: World, seed: int, now: datetime) -> None:
    """Write numbers, orders, campaigns, calls, users, keys and events of both tenants."""
    chance, serial = random.Random(seed), count(1)
    owners = {world.tenant: [world.agent, world.second_agent], world.other_tenant: [world.other_agent]}
    for tenant, agents in owners.items():
        connections = _connections(session, chance, tenant, now)
        numbers = [_number(session, chance, next(serial), tenant, connections, agents, now) for _ in range(60)]
        _orders(session, chance, world, numbers, now)
        _campaigns(session, chance, tenant, numbers, now)
        _people(session, chance, world, tenant, now)
    session.commit()


def _connections(session: Session, chance: random.Random, tenant: int, now: datetime) -> list[Connection]:
    return [
        builder.connection(
            session,
            tenant,
            f"Line {i}",
            chance.choice(("twilio", "exotel", "sip")),
            is_active=i % 3 != 0,
            voice_url=chance.choice((*URLS, None)),
            status_callback_url=chance.choice((*URLS, None)),
            tested_at=now if i % 2 else None,
            test_passed=chance.random() < 0.5 if i % 2 else None,
        )
        for i in range(6)
    ]


def _number(
    session: Session,
    chance: random.Random,
    serial: int,
    tenant: int,
    connections: list[Connection],
    agents: list[int],
    now: datetime,
) -> PhoneNumber:
    connection = chance.choice((*connections, None))
    status = chance.choice(list(NumberStatus))
    created = now - timedelta(days=chance.uniform(0, 500))
    gone = status in (NumberStatus.RELEASED, NumberStatus.REMOVED)
    price = chance.choice(PRICES)
    return builder.number(
        session,
        tenant,
        f"+1415555{serial:04d}",
        connection,
        status=status,
        is_managed=chance.random() < 0.5,
        country=chance.choice(("US", "CA", "IN", "")),
        number_type=chance.choice(list(NumberType)),
        label=f"Label {serial}",
        agent_id=chance.choice((*agents, None)),
        allowed_inbound=chance.choice(([], [], ["US"])),
        allowed_outbound=chance.choice(([], [], ["CA", "US"])),
        created_at=created,
        released_at=created + (now - created) * chance.random() if gone else None,
        price=price,
        currency=chance.choice(("USD", "EUR", None)) if price else None,
    )


TRUNK, APPLICATION = "TK" + "1" * 32, "AP" + "2" * 32
_WHOLE: dict[str, str | None] = {
    "voice_method": "POST",
    "status_callback_method": "POST",
    "trunk_sid": "",
    "voice_application_sid": "",
}
HOW: tuple[dict[str, str | None], ...] = (
    {},  # as orders were kept before methods and routing
    {"routed_by": None},
    {"routed_by": APPLICATION},
    *(dict(_WHOLE) for _ in range(4)),
    _WHOLE | {"voice_method": "GET"},
    _WHOLE | {"status_callback_method": "GET"},
    _WHOLE | {"trunk_sid": TRUNK},
    _WHOLE | {"voice_application_sid": APPLICATION},
)
"""How an order may keep what else decides about a call."""


def _orders(session: Session, chance: random.Random, world: World, numbers: list[PhoneNumber], now: datetime) -> None:
    for number in numbers:
        for place in range(chance.randrange(4) if number.connection_id else 0):
            state = chance.choice((OrderState.CONFIRMED, OrderState.CONFIRMED, OrderState.FAILED, OrderState.UNKNOWN))
            settled = now - timedelta(days=10 - place) if state is not OrderState.UNKNOWN else None
            if state is OrderState.UNKNOWN and place < 2:  # one open order of a number, and no later one
                state = OrderState.FAILED
            builder.order(
                session,
                number.tenant_id,
                number.e164,
                chance.choice(list(OrderKind)),
                state=state,
                connection_id=number.connection_id or 0,
                number_id=number.id,
                configuration={"voice_url": chance.choice(URLS), "status_callback": chance.choice(URLS)}
                | chance.choice(HOW),
                previous={"routed_by": chance.choice((None, None, TRUNK))},
                placed_by=world.admin.user_id,
                settled_at=settled,
            )


def _campaigns(session: Session, chance: random.Random, tenant: int, numbers: list[PhoneNumber], now: datetime) -> None:
    today = now.date()
    for place in range(8):
        campaign = builder.campaign(
            session,
            tenant,
            f"Campaign {place}",
            status=chance.choice(list(CampaignStatus)),
            primary_number_id=chance.choice(numbers).id if chance.random() < 0.6 else None,
        )
        for number in chance.sample(numbers, chance.choice((0, 3, 12))):
            status = chance.choice((PoolStatus.ACTIVE, PoolStatus.REMOVED, PoolStatus.SPAM_FLAGGED))
            builder.pooled(session, campaign, number.id, pool_status=status)
            for ago in chance.sample((0, 1, 29, 30, 31, 44), 4):  # around the first day that counts
                completed = chance.choice((0, 0, 1, 2))
                builder.fact(session, campaign, number.id, today - timedelta(days=ago), 9, 5, completed=completed)


def _people(session: Session, chance: random.Random, world: World, tenant: int, now: datetime) -> None:
    for place in range(5):
        builder.user(
            session,
            f"user{tenant}{place}",
            {tenant: chance.choice(list(Role))},
            name=f"User {place}",
            is_active=chance.random() < 0.8,
            is_superadmin=chance.random() < 0.2,
            must_change_password=chance.random() < 0.3,
            last_sign_in_at=now if chance.random() < 0.6 else None,
        )
        session.add(
            ApiKey(
                tenant_id=tenant,
                name="Key",
                shown="nd_x",
                hashed=f"{tenant}-{place}",
                created_by=world.admin.user_id,
                created_at=now - timedelta(days=200),
                last_used_at=(None, None, now - timedelta(days=91), now - timedelta(days=89), now)[place],
                revoked_at=now if place == 0 else None,
            )
        )
    for _ in range(80):
        who = chance.choice((("Admin", world.admin.user_id), ("Admin", None), ("Olga", world.operator.user_id)))
        session.add(
            AuditEvent(
                tenant_id=tenant,
                at=datetime.fromtimestamp((now - timedelta(hours=chance.uniform(0, 24 * 60))).timestamp(), UTC),
                actor_id=who[1],
                actor_name=who[0],
                action=chance.choice(ACTIONS),
                subject_type="number",
            )
        )
