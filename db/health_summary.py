"""Sums of campaign health by window: the days that they are made of, and what is kept, so that a page reads lines."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

import db.engine
from db import locks
from db.models import Campaign, CampaignHealth, HealthFall, HealthLine, HealthSummary, HealthVersion, Tenant
from db.scope import Scope

FACT = (
    *("campaign_id", "number_id", "day", "attempts", "answered", "completed", "spam_reports"),
    *("detected", "machines"),
)
"""What `facts` yields of each day of calls, all of them whole numbers; the day is counted from the first one."""

CHUNK = 20_000
_MANY = 1000
_PATIENCE = 0.1
"""Seconds that whoever adds up waits for the write lock of SQLite: sums can be kept another time."""

_guard = threading.Lock()
_busy: set[tuple[str, int, int]] = set()

Row = Mapping[str, object]


class Verdict(StrEnum):
    """What is to be said of a number in a campaign, the worst first.

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


@dataclass(frozen=True)
class FallRow:
    """A campaign whose whole pool answers less than it did, from *since* to *until*; `expected` is the usual rate."""

    campaign_id: int
    campaign: str
    tenant: str
    since: date
    until: date
    attempts: int
    answered: int
    expected: float


@dataclass(frozen=True)
class Kept:
    """The summary over a window of a tenant, if one is kept, and how often the tenant's health was written."""

    days: int
    tenant: Tenant
    version: int
    summary: HealthSummary | None


def kept(session: Session, scope: Scope, windows: Collection[int]) -> list[Kept]:
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
    return [Kept(*row) for row in rows]


def written(session: Session, tenant_id: int) -> None:
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


def facts(session: Session, tenant_id: int, window: Window) -> Iterator[Sequence[Sequence[int]]]:
    """Yield the facts of a tenant over *window* and the one before, campaign by campaign, in pieces of CHUNK or fewer.

    They are `FACT`s, by campaign, number and day. The transaction of *session* sees one state of them all.
    """
    if session.get_bind().dialect.name == "sqlite":
        day: Any = sa.cast(sa.func.julianday(CampaignHealth.day) - sa.func.julianday(window.before), sa.Integer)
    else:
        day = CampaignHealth.day - sa.literal(window.before, sa.Date)
    # Wrapped, so that the planner reads the index that holds each line's days in a row, and not the one by day.
    on = sa.func.coalesce(CampaignHealth.day, window.until)
    columns = [getattr(CampaignHealth, name) for name in FACT if name != "day"]
    columns.insert(FACT.index("day"), sa.type_coerce(day, sa.Integer).label("ago"))
    rows = session.execute(
        sa.select(*columns)
        .where(CampaignHealth.tenant_id == tenant_id, on >= window.before, on <= window.until)
        .order_by(CampaignHealth.campaign_id, CampaignHealth.number_id, CampaignHealth.day)
        .execution_options(yield_per=CHUNK)
    )
    yield from rows.partitions()


def keep(session: Session, summary: HealthSummary, lines: Sequence[Row], falls: Sequence[Row]) -> None:
    """Put what was added up in the place of what is kept, in one short transaction, unless that is newer.

    On SQLite it does not wait for whoever holds the write lock. Raises as `db.engine.open_session`.
    """
    if session.get_bind().dialect.name == "sqlite":  # on PostgreSQL this transaction holds the lock of `alone`
        db.engine.start_write(session, patience=_PATIENCE)
    same = sa.and_(HealthSummary.tenant_id == summary.tenant_id, HealthSummary.days == summary.days)
    newer = sa.or_(HealthSummary.until > summary.until, HealthSummary.version > summary.version)
    if session.scalar(sa.select(HealthSummary.days).where(same, newer)) is not None:
        return
    for kept in (HealthLine, HealthFall):
        session.execute(sa.delete(kept).where(kept.tenant_id == summary.tenant_id, kept.days == summary.days))
    for table, rows in ((HealthLine, lines), (HealthFall, falls)):
        if rows:
            session.execute(sa.insert(table.__table__), rows)
    session.execute(sa.delete(HealthSummary).where(same))
    session.execute(sa.insert(HealthSummary).values(summary.model_dump()))
    if len(lines) >= _MANY and session.get_bind().dialect.name == "postgresql":
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
    """Open a session for the one who adds up a tenant's window; yield None where somebody else does so already.

    It waits for nobody. Raises DatabaseUnavailable as `db.engine.open_session` does.
    """
    with _alone_here(tenant_id, days) as mine, db.engine.open_session() as session:
        yield session if mine and locks.take_window(session, tenant_id, days) else None


@contextmanager
def _alone_here(tenant_id: int, days: int) -> Iterator[bool]:
    """Say whether nobody else in this process adds up a tenant's window, and keep it so."""
    key = (str(db.engine.current().url), tenant_id, days)
    with _guard:
        mine = key not in _busy
        _busy.add(key)
    try:
        yield mine
    finally:
        if mine:
            with _guard:
                _busy.discard(key)
