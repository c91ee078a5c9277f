"""Sums of campaign health by window: the days that they are made of, and what is kept, so that a page reads lines."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

import db.base.engine
import db.base.locks
from db.base.scope import Scope
from db.base.tables import table_of
from db.models import Campaign, CampaignHealth, HealthFall, HealthLine, HealthSummary, HealthVersion, Tenant

CHUNK = 1000
_MANY = 1000

Row = Mapping[str, object]


class Verdict(StrEnum):
    """What is to be said of a number in a campaign, worst first.

    A line keeps what its calls say: LOW, FALLING, THIN, SMALL_POOL or HEALTHY. The others come from its pool,
    and from today.
    """

    SPAM_FLAGGED = "spam_flagged"
    LOW = "low"
    FALLING = "falling"
    CAPPED = "capped"
    NEAR_CAP = "near_cap"
    THIN = "thin"
    SMALL_POOL = "small_pool"
    HEALTHY = "healthy"


@dataclass(frozen=True)
class Window:
    """The days that are looked at, and those before them to compare with; both ends included."""

    since: date
    until: date
    before: date


@dataclass(frozen=True)
class Limits:
    """The thresholds that decide a line's verdict: shares in 0..1, and `alarm` in nats.

    `false_share` is the share of the flags of a page that may be false.
    """

    flag_share: float
    widest: float
    alarm: float
    false_share: float = 0.05

    @property
    def key(self) -> str:
        """What tells a summary with these limits from one with others."""
        return f"{self.flag_share:g} {self.widest:g} {self.alarm:g} {self.false_share:g}"


class Facts(NamedTuple):
    """The calls of a number in a campaign: sums over the window, and each of the *days* of it and the one before.

    `calls` has three whole numbers for each day, in no certain order: the day, counted from the first one, its
    attempts, and how many of them were answered.
    """

    campaign_id: int
    number_id: int
    completed: int
    spam_reports: int
    detected: int
    machines: int
    days: int
    calls: str


@dataclass(frozen=True)
class FallRow:
    """A campaign with a falling answer rate across its pool, from *since* to *until*; `expected` is the usual rate."""

    campaign_id: int
    campaign: str
    tenant: str
    since: date
    until: date
    attempts: int
    answered: int
    expected: float


@dataclass(frozen=True)
class StoredSummary:
    """The summary over a window of a tenant, if one is kept, and how often the tenant's health was written."""

    days: int
    tenant: Tenant
    version: int
    summary: HealthSummary | None


def stored(session: Session, scope: Scope, windows: Collection[int]) -> list[StoredSummary]:
    """Return what is kept for each tenant in *scope* over each of *windows*, in days."""
    asked = sa.union_all(*(sa.select(sa.literal(days).label("days")) for days in sorted(windows))).subquery()
    same = sa.and_(HealthSummary.tenant_id == Tenant.id, HealthSummary.days == asked.c.days)
    rows = session.execute(
        sa.select(asked.c.days, Tenant, sa.func.coalesce(HealthVersion.n, 0), HealthSummary)
        .select_from(Tenant)
        .join(asked, sa.true())
        .outerjoin(HealthVersion, HealthVersion.tenant_id == Tenant.id)
        .outerjoin(HealthSummary, same)
        .where(scope.of(Tenant.id), Tenant.suspended_at.is_(None))
        .order_by(Tenant.id, asked.c.days)
    )
    return [StoredSummary(*row) for row in rows]


def mark_changed(session: Session, tenant_id: int) -> None:
    """Note in the transaction of *session* that the health of a tenant is being written."""
    insert: Any = (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(HealthVersion)
    session.execute(
        insert.values(tenant_id=tenant_id, n=1).on_conflict_do_update(
            index_elements=["tenant_id"], set_={"n": HealthVersion.n + 1}
        )
    )


def version(session: Session, tenant_id: int) -> int:
    """Return how often the health of a tenant was written."""
    return session.scalar(sa.select(HealthVersion.n).where(HealthVersion.tenant_id == tenant_id)) or 0


def facts(session: Session, tenant_id: int, window: Window) -> Iterator[Sequence[Facts]]:
    """Yield the facts of a tenant over *window* and the one before by campaign and number, in pieces of CHUNK or fewer.

    The database puts the days of a line into one text: a row for each day takes several times as long to read.
    """
    fact = table_of(CampaignHealth).c
    if session.get_bind().dialect.name == "sqlite":
        day: Any = sa.cast(sa.func.julianday(fact.day) - sa.func.julianday(window.before), sa.Integer)
    else:
        day = sa.type_coerce(fact.day - sa.literal(window.before, sa.Date), sa.Integer)
    # Wrapped, so that the planner reads the index that holds each line's days in a row, and not the one by day.
    on = sa.func.coalesce(fact.day, window.until)
    now = on >= window.since
    calls = sum((" " + sa.cast(value, sa.String) for value in (fact.attempts, fact.answered)), sa.cast(day, sa.String))
    rows = session.execute(
        sa.select(
            fact.campaign_id,
            fact.number_id,
            *(sa.func.sum(sa.case((now, fact[name]), else_=0)) for name in Facts._fields[2:6]),
            sa.func.count(),
            sa.func.aggregate_strings(calls, " "),
        )
        .where(fact.tenant_id == tenant_id, on >= window.before, on <= window.until)
        .group_by(fact.campaign_id, fact.number_id)
        .order_by(fact.campaign_id, fact.number_id)
        .execution_options(yield_per=CHUNK)
    )
    for part in rows.partitions():
        yield [Facts(*row) for row in part]


def keep(session: Session, summary: HealthSummary, lines: Sequence[Row], falls: Sequence[Row]) -> None:
    """Put what was added up in the place of what is kept, in one short transaction, unless that is newer.

    On PostgreSQL it is the transaction that *session* is in, since that holds the lock of `alone`.
    """
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        db.base.engine.start_write(session)
    same = sa.and_(HealthSummary.tenant_id == summary.tenant_id, HealthSummary.days == summary.days)
    newer = sa.or_(HealthSummary.until > summary.until, HealthSummary.version > summary.version)
    if session.scalar(sa.select(HealthSummary.days).where(same, newer)) is not None:
        return
    for stored in (HealthLine, HealthFall):
        session.execute(sa.delete(stored).where(stored.tenant_id == summary.tenant_id, stored.days == summary.days))
    for table, rows in ((HealthLine, lines), (HealthFall, falls)):
        if rows:
            session.execute(sa.insert(table_of(table)), rows)
    session.execute(sa.delete(HealthSummary).where(same))
    session.execute(sa.insert(HealthSummary).values(summary.model_dump()))
    if len(lines) >= _MANY and not is_sqlite:
        session.execute(sa.text("ANALYZE health_line"))  # else it loops over all lines until it has noticed
    session.commit()


def falls(session: Session, scope: Scope, days: int, campaign_id: int | None = None) -> list[FallRow]:
    """Return the campaigns in *scope* whose whole pool has fallen, over windows of *days*, the newest fall first."""
    rows = session.execute(
        sa.select(
            Campaign.id,
            Campaign.name,
            Tenant.name,
            HealthFall.since,
            HealthFall.until,
            HealthFall.attempts,
            HealthFall.answered,
            HealthFall.expected,
        )
        .join(Campaign, Campaign.id == HealthFall.campaign_id)
        .join(Tenant, Tenant.id == HealthFall.tenant_id)
        .where(
            scope.of(HealthFall.tenant_id),
            HealthFall.days == days,
            sa.true() if campaign_id is None else HealthFall.campaign_id == campaign_id,
        )
        .order_by(HealthFall.since.desc(), Campaign.name, Campaign.id)
    )
    return [FallRow(*row) for row in rows]


@contextmanager
def alone(tenant_id: int, days: int) -> Iterator[Session | None]:
    """Open a session for the one who adds up a tenant's window; yield None where another replica does so already.

    It waits for nobody. Raises DatabaseUnavailable as `db.base.engine.open_session` does.
    """
    with db.base.engine.open_session() as session:
        yield session if db.base.locks.take_window(session, tenant_id, days) else None
