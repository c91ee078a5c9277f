"""The demo workspace: three tenants with a story, the same on every machine for the same day."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import chain
from typing import Any

import phonenumbers
from sqlmodel import Session

import db.base.engine
import db.people.tenants
from db.base.locks import Lock
from db.models import (
    Agent,
    AuditEvent,
    Campaign,
    CampaignHealth,
    CampaignStatus,
    Connection,
    NumberStatus,
    NumberType,
    OrderKind,
    OrderState,
    PhoneNumber,
    PoolStatus,
    Tenant,
    User,
)
from providers.sandbox import exotel
from providers.sandbox.accounts import MAIN, SMALL
from services.audit.audit import Action
from services.connections.connections import provider_named
from services.core.credentials import seal
from services.core.settings import Settings
from services.core.transactions import writing
from services.people import sign_in
from services.setup import builder
from services.setup import demo_story as cast
from services.text import numbering

PASSWORD = "demo-password"  # noqa: S105  (shown on the sign-in page of a demo)
USERS = {
    "superadmin": "Sam Superadmin",
    "admin": "Ada Admin",
    "operator": "Olga Operator",
    "viewer": "Victor Viewer",
    "partner": "Pia Partner",
}


def is_wanted(session: Session, settings: Settings) -> bool:
    """Return whether this installation shows the demo and has nothing in it yet."""
    return settings.shows_demo and not db.people.tenants.any_exists(session)


def fill(session: Session, settings: Settings, today: date) -> None:
    """Fill an empty database with the demo, its last day of calls being the one before *today*.

    Of several processes that start at once, one does.
    """
    hashed = sign_in.hash_password(PASSWORD)
    with writing(session, lock=Lock.FILLING):
        if db.people.tenants.any_exists(session):
            return
        _Story(session, settings, today).tell(hashed)


@dataclass
class _Story:
    """The demo while it is written, with the numbers that are taken."""

    session: Session
    settings: Settings
    today: date
    chance: random.Random = field(default_factory=lambda: random.Random(20_240))  # noqa: S311  (a story, not a secret)
    taken: set[str] = field(default_factory=set)

    def tell(self, hashed: str) -> None:
        """Write all of it; *hashed* is everybody's password."""
        session = self.session
        tenants = {
            name: builder.tenant(session, name, time_zone=zone, created_at=self.at(500)) for name, zone in cast.TENANTS
        }
        users = self.add_users(tenants, hashed)
        planned = {name: self.numbers_of(tenant) for name, tenant in tenants.items()}
        _make_exophones(planned["Bharat Dialers"])
        in_order = sorted(chain.from_iterable(planned.values()), key=lambda values: values["created_at"])
        held = {values["e164"]: builder.number(session, **values, tags=self.tags()) for values in in_order}
        numbers = {name: [held[values["e164"]] for values in some] for name, some in planned.items()}
        people = {tenant.id: users[name] for tenant, name in zip(tenants.values(), cast.HANDS, strict=True)}
        self.add_history(list(held.values()), people)
        self.add_imports(users["operator"], numbers["Acme Voice"])
        for name, tenant in tenants.items():
            self.add_campaigns(tenant.id, cast.CAMPAIGNS[name], numbers[name])
        session.add(
            AuditEvent(
                actor_name="System",
                action=Action.DEMO_FILL,
                subject_type="installation",
                subject_label="Demo workspace",
                after={"numbers": len(held)},
            )
        )

    def at(self, days_ago: float) -> datetime:
        """Return a moment so many days before the last one."""
        return datetime.combine(self.today, time(9), UTC) - timedelta(days=days_ago)

    def add_users(self, tenants: Mapping[str, Tenant], hashed: str) -> dict[str, User]:
        return {
            username: builder.user(
                self.session,
                username,
                {tenants[at].id: role for at, role in cast.ROLES.get(username, {}).items()},
                name=name,
                password_hash=hashed,
                is_superadmin=username == "superadmin",
                sessions_valid_from=self.at(490),
                created_at=self.at(490),
                last_sign_in_at=None if username == "partner" else self.at(2),
            )
            for username, name in USERS.items()
        }

    def numbers_of(self, tenant: Tenant) -> list[dict[str, Any]]:
        """Add a tenant's agents and connections; return the values of its numbers, as the builder takes them."""
        agents = [
            builder.agent(self.session, tenant.id, name, is_active="temp" not in name, created_at=self.at(480))
            for name in cast.AGENTS[tenant.name]
        ]
        connections = [self.connection(tenant.id, *row) for row in cast.CONNECTIONS[tenant.name]]
        return [
            self.number(connection, agents, country, kind)
            for connection in connections
            for country, kind, amount in cast.STOCK.get((tenant.name, connection.name), ())
            for _ in range(amount)
        ]

    def connection(self, tenant_id: int, name: str, provider: str, country: str, active: bool) -> Connection:
        if provider in ("twilio", "exotel"):
            values = builder.at_sandbox(self.settings, provider, SMALL if name == "Twilio India desk" else MAIN) | {
                "voice_url": cast.WEBHOOKS["voice_url"],
                "status_callback_url": cast.WEBHOOKS["status_callback"],
            }
        else:
            secrets = {"token": "sandbox"} if provider == "mcube" else {"domain": "sip.example.com"}
            values = {"credentials": seal(self.settings, secrets)}
        if name == "Twilio main":
            values |= {"tested_at": self.at(3), "test_passed": True, "test_result": "Twilio answered."}
        return builder.connection(
            self.session,
            tenant_id,
            name,
            provider,
            default_country=country,
            is_active=active,
            created_at=self.at(480),
            **values,
        )

    def number(self, connection: Connection, agents: list[Agent], country: str, kind: NumberType) -> dict[str, Any]:
        chance = self.chance
        e164 = self.e164(country, kind)
        created = self.at(chance.uniform(1, cast.SINCE))
        status = chance.choices(
            (NumberStatus.ACTIVE, NumberStatus.INACTIVE, NumberStatus.RELEASED), weights=(86, 9, 5)
        )[0]
        managed = connection.provider == "twilio"
        if status is NumberStatus.RELEASED and not managed:
            status = NumberStatus.REMOVED
        gone = status in (NumberStatus.RELEASED, NumberStatus.REMOVED)
        restricted = chance.random() < 0.15
        label = f"{chance.choice(cast.LABELS)} {chance.choice(cast.CITIES)}" if chance.random() < 0.8 else ""
        values = {
            "tenant_id": connection.tenant_id,
            "e164": e164,
            "connection": connection,
            "status": status,
            "is_managed": managed,
            "provider_sid": f"PN{chance.getrandbits(128):032x}" if managed else None,
            "country": country,
            "number_type": kind,
            "label": label,
            "agent_id": chance.choice(agents).id if chance.random() < 0.7 else None,
            "allowed_inbound": [country] if restricted else [],
            "allowed_outbound": sorted({country, "US"}) if restricted and chance.random() < 0.5 else [],
            "provider_fields": {"executive_number": f"98{chance.randrange(10**8):08d}"}
            if connection.provider == "mcube"
            else {},
            "created_at": created,
            "updated_at": created,
            "price": cast.PRICES.get((country, kind)) if managed else None,
            "currency": "USD" if managed and (country, kind) in cast.PRICES else None,
        }
        if gone:
            released = created + (self.at(0) - created) * chance.uniform(0.5, 1)
            days = timedelta(days=provider_named(connection.provider).buy_back_days)
            values |= {"released_at": released, "buy_back_until": released + days if managed else None}
        return values

    def add_imports(self, user: User, numbers: list[PhoneNumber]) -> None:
        """Have the first numbers of Twilio imported, the first dozen before the webhooks of its connection moved."""
        managed = [number for number in numbers if number.is_managed and number.status is NumberStatus.ACTIVE]
        for place, number in enumerate(managed[:30]):
            builder.order(
                self.session,
                number.tenant_id,
                number.e164,
                OrderKind.IMPORT,
                connection_id=number.connection_id or 0,
                placed_by=user.id,
                state=OrderState.CONFIRMED,
                number_id=number.id,
                provider_sid=number.provider_sid,
                configuration=cast.OLD_WEBHOOKS if place < 12 else cast.WEBHOOKS,
                placed_at=number.created_at,
                asked_at=number.created_at,
                settled_at=number.created_at + timedelta(seconds=2),
            )
        self.session.add(
            AuditEvent(
                tenant_id=managed[0].tenant_id,
                at=self.at(9),
                actor_name=USERS["admin"],
                action=Action.CONNECTIONS_EDIT,
                subject_type="connection",
                subject_id=managed[0].connection_id,
                subject_label="Twilio main",
                subject_version=1,
                before=cast.OLD_WEBHOOKS,
                after=cast.WEBHOOKS,
            )
        )
        self.session.flush()

    def e164(self, country: str, kind: NumberType) -> str:
        """Return a number that the country's plan calls valid and of the kind, and that is not taken."""
        chance = self.chance
        example = phonenumbers.example_number_for_type(country, cast.KIND[kind])
        if example is None:
            raise ValueError(f"{country} has no {kind} numbers")
        digits = str(example.national_number)
        fixed = max(2, len(digits) - 6)
        while True:
            head = chance.choice(cast.AREAS.get((country, kind), (digits[:fixed],)))
            tail = "".join(str(chance.randrange(10)) for _ in range(len(digits) - len(head)))
            text = f"+{example.country_code}{head}{tail}"
            read = numbering.read(text, default_country=country)
            if read.is_valid and read.country == country and read.number_type is kind and read.e164 not in self.taken:
                self.taken.add(read.e164)
                return read.e164

    def tags(self) -> list[str]:
        return self.chance.sample(cast.TAGS, self.chance.choices((0, 1, 2), weights=(70, 24, 6))[0])

    def add_history(self, numbers: list[PhoneNumber], people: Mapping[int, User]) -> None:
        """Leave the trace that adding, renaming and giving up numbers would have left, by each tenant's *people*."""
        chance = self.chance
        events: list[AuditEvent] = []
        for number in numbers:
            by, created = people[number.tenant_id], number.created_at
            event = partial(
                AuditEvent,
                tenant_id=number.tenant_id,
                actor_id=by.id,
                actor_name=by.name,
                subject_type="number",
                subject_id=number.id,
                subject_label=number.e164,
                subject_version=1,
            )
            known = {"label": number.label, "status": "active"}
            events.append(event(at=created, action=Action.NUMBERS_ADD, before={}, after=known))
            if number.label and chance.random() < 0.3:
                later = created + timedelta(hours=chance.uniform(1, 20))
                before = {"label": chance.choice(cast.LABELS)}
                after = {"label": number.label}
                events.append(event(at=later, action=Action.NUMBERS_RENAME, before=before, after=after))
            before = {"status": "active"}
            after = {"status": str(number.status)}
            if number.status is NumberStatus.INACTIVE:
                later = created + timedelta(hours=chance.uniform(20, 23))
                events.append(event(at=later, action=Action.NUMBERS_DEACTIVATE, before=before, after=after))
            if number.released_at:
                gone = Action.NUMBERS_RELEASE if number.status is NumberStatus.RELEASED else Action.NUMBERS_REMOVE
                if number.buy_back_until:
                    after["buy_back_until"] = number.buy_back_until.isoformat()
                events.append(event(at=number.released_at, action=gone, before=before, after=after))
        events.sort(key=lambda event: event.at)
        self.session.add_all(events)
        self.session.flush()

    def add_campaigns(self, tenant_id: int, names: tuple[str, ...], owned: list[PhoneNumber]) -> None:
        """Give each campaign a pool with 60 days of calls. In the tenant's first pool there is a story:

        its first number decays over a month, the second is flagged as spam, the third stands idle.
        """
        session, chance = self.session, self.chance
        live = [number for number in owned if number.status is NumberStatus.ACTIVE]
        facts: list[dict[str, object]] = []
        for order, name in enumerate(names):
            pool = [live[i] for i in range(order * 9, min(order * 9 + 11, len(live)))]
            ended = name == "Winback"
            campaign = builder.campaign(
                session,
                tenant_id,
                name,
                status=CampaignStatus.ENDED if ended else CampaignStatus.ACTIVE,
                primary_number_id=None if name == cast.WITHOUT_PRIMARY else pool[0].id,
                created_at=self.at(120 - 10 * order),
            )
            rate = (0.32, 0.24, 0.41, 0.28)[order % 4]
            for place, number in enumerate(pool):
                story = ("decays", "flagged", "idle")[place] if order == 0 and place < 3 else ""
                builder.pooled(
                    session,
                    campaign,
                    number.id,
                    pool_status=PoolStatus.SPAM_FLAGGED if story == "flagged" else PoolStatus.ACTIVE,
                    weight=None if place % 3 else round(chance.uniform(0.5, 1.5), 2),
                    added_at=self.at(100),
                )
                own_rate = rate * chance.uniform(0.85, 1.15)
                facts += [
                    self.day(campaign, number, ago, own_rate, story)
                    for ago in range(cast.HEALTH_DAYS, 0, -1)
                    if name not in cast.NO_DIALER and (not ended or ago > 30)
                ]
        session.flush()
        builder.many(session, CampaignHealth, facts)

    def day(self, campaign: Campaign, number: PhoneNumber, ago: int, rate: float, story: str) -> dict[str, object]:
        chance = self.chance
        day = self.today - timedelta(days=ago)
        weekend = day.weekday() >= 5
        attempts = chance.randint(4, 12) if weekend else chance.randint(22, 48)
        spam = 0
        if story == "decays" and ago <= 30:
            rate *= max(0.04, (ago / 30) ** 3)
        elif story == "flagged" and ago <= 14:
            rate, spam = rate * 0.2, chance.choice((0, 0, 1, 2))
        elif story == "idle":
            attempts = 1 if ago % 17 == 0 else 0
        answered = sum(chance.random() < rate for _ in range(attempts))
        completed = sum(chance.random() < 0.85 for _ in range(answered))
        return {
            "campaign_id": campaign.id,
            "number_id": number.id,
            "tenant_id": number.tenant_id,
            "day": day,
            "attempts": attempts,
            "answered": answered,
            "completed": completed,
            "short_calls": answered - completed,
            "failed": sum(chance.random() < 0.01 for _ in range(attempts)),
            "spam_reports": spam,
        }


def _make_exophones(planned: list[dict[str, Any]]) -> None:
    """Turn the first Exotel numbers into the ExoPhones that the sandbox has."""
    exophones = (
        values
        for values in planned
        if values["connection"].provider == "exotel" and values["status"] is NumberStatus.ACTIVE
    )
    for (sid, text), values in zip(exotel.NUMBERS.items(), exophones, strict=False):
        values["e164"] = numbering.read(text, default_country="IN").e164
        values["number_type"] = NumberType.LOCAL
        values["provider_fields"] = {"exophone_sid": sid}
