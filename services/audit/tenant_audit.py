"""The tenant audit: what a tenant owns, what looks wrong and who changed what, on one page."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlmodel import Session

import db.audit.queries
import db.audit.tenant_audit
import db.numbers.queries
import db.orders.queries
import db.people.tenants
import db.people.users
from db.audit.queries import AuditQuery, AuditRow
from db.audit.tenant_audit import Figure, Found, Holding, Month, Way
from db.base.money import Money
from db.base.scope import Slice
from db.numbers.attention import Attention
from db.numbers.queries import Facets
from db.orders.queries import OrderRow
from db.people.tenants import ComparedTenant, TenantSort
from db.people.users import UserRow
from services.audit import findings
from services.audit.findings import Finding
from services.connections import connection_tests
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import found
from services.health import summaries, thresholds
from services.health.thresholds import Thresholds
from services.text import days

What = TypeVar("What")

DEFAULT_DAYS = 30
MONTHS = 12
FEW = 5
MOST_USERS = 10_000
MOST_WAYS = 10
FOR_SUMS = 30
"""Seconds that a report waits for the first summary of calls, so that it is complete."""
NEWEST = 20


@dataclass(frozen=True)
class Tenant:
    """The tenant of a report, and when and by whom it was created. Its times are in `zone`."""

    id: int
    name: str
    zone: ZoneInfo
    made_at: datetime
    made_by: str
    limits: Thresholds


@dataclass(frozen=True)
class Period:
    """Whole days, both included, with their start and (exclusive) end."""

    first: date
    last: date
    since: datetime
    until: datetime

    @property
    def text(self) -> str:
        """The days in words: `1 May 2026 to 4 May 2026`."""
        return f"{self.first:%-d %b %Y} to {self.last:%-d %b %Y}"


@dataclass(frozen=True)
class Cost:
    """Monthly cost by currency, and how many numbers have no known price."""

    sums: Mapping[str, Decimal] = field(default_factory=dict)
    unpriced: int = 0


@dataclass(frozen=True)
class Line:
    """A connection, or none, with its numbers and their cost."""

    connection: str | None
    provider: str | None
    is_active: bool | None
    tested_at: datetime | None
    test_passed: bool | None
    numbers: int
    cost: Cost


@dataclass(frozen=True)
class Owned:
    """What a tenant owns, and what looks wrong about it.

    `webhooks_known` numbers had their webhooks set from here; others are unknown.
    """

    facets: Facets
    months: Sequence[Month]
    connections: Sequence[Line]
    cost: Cost
    attention: Mapping[Attention, Found]
    webhooks_known: int
    ways: Sequence[Way]
    orders: Sequence[OrderRow]
    users: Sequence[UserRow]
    superadmins: int
    findings: Sequence[Finding]

    @property
    def numbers(self) -> int:
        """The count of numbers held."""
        return sum(self.facets.managed.values())


@dataclass(frozen=True)
class Changes:
    """The changes of a period: counts by action and person, and the newest ones."""

    period: Period
    total: int
    actions: Sequence[tuple[str, int]]
    people: Sequence[tuple[str, int]]
    newest: Sequence[AuditRow]


@dataclass(frozen=True)
class Compared:
    """A tenant in the comparison."""

    tenant: ComparedTenant
    cost: Cost
    without_agent: int
    without_connection: int
    open_orders: int
    idle: int
    findings: int


def tenant(session: Session, actor: Actor) -> Tenant:
    """Return the chosen tenant. Raises NotFound when all are in scope."""
    require(actor, Permission.AUDIT_READ)
    row = found(db.people.tenants.find(session, require_tenant(actor)))
    limits = thresholds.read(row.settings)
    return Tenant(row.id, row.name, ZoneInfo(row.time_zone), datetime.now(UTC), actor.name, limits)


def period(first: date, last: date, zone: ZoneInfo) -> Period:
    """Return the days from *first* to *last*. Raises InvalidInput when in the wrong order."""
    return Period(first, last, *days.span(first, last, zone))


def last_days(today: date) -> tuple[date, date]:
    """Return the first and last day of the default period."""
    return today - timedelta(days=DEFAULT_DAYS - 1), today


def owned(session: Session, actor: Actor, about: Tenant) -> Owned:
    """Return what the tenant owns and what looks wrong."""
    require(actor, Permission.AUDIT_READ)
    scope, now, limits = actor.scope, about.made_at, about.limits
    summaries.freshen(session, actor, thresholds.IDLE_DAYS, wait=FOR_SUMS)
    kinds = [kind for kind in Attention if kind is not Attention.WEBHOOKS_ELSEWHERE]
    elsewhere, ways = db.audit.tenant_audit.ways(session, scope, limits.rules, MOST_WAYS)
    attention = {Attention.WEBHOOKS_ELSEWHERE: Found(elsewhere)} | db.audit.tenant_audit.found(
        session, scope, kinds, limits.rules, FEW
    )
    figures: dict[str, int] = {figure: n for (_, figure), n in _figures(session, actor, [about.id], now).items()}
    holdings = db.audit.tenant_audit.holdings(session, scope, [about.id])
    return Owned(
        facets=db.numbers.queries.facets(session, scope),
        months=_months(session, actor, now.astimezone(about.zone).date(), about.zone),
        connections=_lines(holdings),
        cost=_cost(holdings),
        attention=attention,
        webhooks_known=db.audit.tenant_audit.known_webhooks(session, scope),
        ways=ways,
        orders=db.orders.queries.still_open(session, scope) if figures.get(Figure.OPEN_ORDERS) else [],
        users=db.people.users.search(session, scope, db.people.users.UserQuery(), Slice(1, MOST_USERS)),
        superadmins=figures.get(Figure.SUPERADMINS, 0),
        findings=findings.of({**figures, **{kind: found.n for kind, found in attention.items()}}, limits.idle_calls),
    )


def changes(session: Session, actor: Actor, during: Period, *, newest: int = NEWEST) -> Changes:
    """Return the changes of a period, with the *newest* ones."""
    require(actor, Permission.AUDIT_READ)
    tallies = db.audit.tenant_audit.tallies(session, actor.scope, during.since, during.until)
    return Changes(
        during,
        sum(tally.n for tally in tallies),
        _ranked((tally.action, tally.n) for tally in tallies),
        [(name, n) for (_, name), n in _ranked(((tally.actor_id, tally.actor), tally.n) for tally in tallies)],
        db.audit.queries.search(
            session, actor.scope, AuditQuery(since=during.since, until=during.until), Slice(1, newest)
        ),
    )


def count_tenants(session: Session, actor: Actor) -> int:
    """Return how many tenants can be compared."""
    require(actor, Permission.TENANTS_READ_ALL)
    return db.people.tenants.count_in(session, actor.scope)


def compare(session: Session, actor: Actor, sort: TenantSort, part: Slice) -> list[Compared]:
    """Return the *part* of the compared tenants, by each one's thresholds."""
    require(actor, Permission.TENANTS_READ_ALL)
    now = datetime.now(UTC)
    summaries.freshen(session, actor, thresholds.IDLE_DAYS)
    rows = db.people.tenants.compared(session, actor.scope, sort, part)
    ids = [row.id for row in rows]
    counted: list[tuple[tuple[int, str], int]] = [*_figures(session, actor, ids, now).items()]
    holdings = db.audit.tenant_audit.holdings(session, actor.scope, ids)
    idle_calls = {row.id: thresholds.read(row.settings).idle_calls for row in rows}
    for calls in sorted(set(idle_calls.values())):
        alike = [row for row in rows if idle_calls[row.id] == calls]
        rules = thresholds.read(alike[0].settings).rules
        among = [row.id for row in alike]
        counted += db.audit.tenant_audit.attention_counts(session, actor.scope, among, rules).items()
    return [_compared(row, counted, [holding for holding in holdings if holding.tenant_id == row.id]) for row in rows]


def _compared(
    row: ComparedTenant, counted: Iterable[tuple[tuple[int, str], int]], holdings: Sequence[Holding]
) -> Compared:
    counts = Counter({kind: n for (tenant_id, kind), n in counted if tenant_id == row.id})
    return Compared(
        row,
        _cost(holdings),
        counts[Attention.NO_AGENT],
        counts[Attention.NO_CONNECTION] + counts[Attention.INACTIVE_CONNECTION],
        counts[Figure.OPEN_ORDERS],
        counts[Attention.IDLE],
        len(findings.of(counts)),
    )


def _figures(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> dict[tuple[int, Figure], int]:
    used_since = now - timedelta(days=findings.KEY_DAYS)
    return db.audit.tenant_audit.figures(session, actor.scope, ids, connection_tests.testable(), used_since)


def _months(session: Session, actor: Actor, today: date, zone: ZoneInfo) -> list[Month]:
    place = today.year * 12 + today.month - 1  # months since the year 0
    firsts = [date(n // 12, n % 12 + 1, 1) for n in range(place - MONTHS + 1, place + 2)]
    return db.audit.tenant_audit.months(session, actor.scope, [(first, days.starts(first, zone)) for first in firsts])


def _lines(holdings: Sequence[Holding]) -> list[Line]:
    together: dict[int | None, list[Holding]] = {}
    for holding in holdings:
        together.setdefault(holding.connection_id, []).append(holding)
    return [
        Line(
            some[0].connection,
            some[0].provider,
            some[0].is_active,
            some[0].tested_at,
            some[0].test_passed,
            sum(holding.n for holding in some),
            _cost(some),
        )
        for some in sorted(together.values(), key=lambda some: some[0].connection_id is None)
    ]


def _cost(holdings: Sequence[Holding]) -> Cost:
    """Add up what numbers cost, each currency apart."""
    sums: dict[str, Decimal] = {}
    unpriced = 0
    for holding in holdings:
        price = Money.of(holding.price, holding.currency)
        if price is None:
            unpriced += holding.n
        else:
            sums[price.currency] = sums.get(price.currency, Decimal()) + price.amount * holding.n
    return Cost(dict(sorted(sums.items())), unpriced)


def _ranked(counts: Iterable[tuple[What, int]]) -> list[tuple[What, int]]:
    """Add up *counts* by subject, largest first."""
    sums: dict[What, int] = {}
    for what, n in counts:
        sums[what] = sums.get(what, 0) + n
    return sorted(sums.items(), key=lambda pair: (-pair[1], str(pair[0])))
