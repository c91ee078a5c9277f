"""Sums of campaign health by window, added up in the database and kept, so that a page reads lines and not days."""

import math
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from db.models import CampaignHealth, HealthLine, HealthSummary, HealthVersion, Tenant
from db.scope import Scope

_Z = 1.959963984540054
FEW = 3
GOOD_SHARE, BAD_SHARE = 0.8, 1 / 3
"""As in `services.statistics`, which says what they mean; a test compares the two."""

_ADDED_UP = "health_added_up"
_MANY = 1000


class Verdict(StrEnum):
    """What is to be said of a number in a campaign, the worst first.

    A line keeps what its calls say: LOW, FALLING, THIN or HEALTHY. The others come from its pool, and from today.
    """

    SPAM_FLAGGED = "spam_flagged"
    LOW = "low"
    FALLING = "falling"
    CAPPED = "capped"
    NEAR_CAP = "near_cap"
    THIN = "thin"
    HEALTHY = "healthy"


@dataclass(frozen=True)
class Window:
    """The days that are looked at, and those before them to compare with; both ends included."""

    since: date
    until: date
    before: date


@dataclass(frozen=True)
class Limits:
    """The thresholds that decide a line's verdict: shares in 0..1, and `alarm` in nats."""

    flag_share: float
    widest: float
    alarm: float

    @property
    def key(self) -> str:
        """What tells a summary with these limits from one with others."""
        return f"{self.flag_share:g} {self.widest:g} {self.alarm:g}"


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


def add_up(session: Session, tenant_id: int, days: int, window: Window, limits: Limits) -> None:
    """Add up the health of a tenant over *window*, and keep it in place of what was kept.

    It is read without a lock into a table of this connection alone, and written in one short transaction.
    """
    session.rollback()
    began = time.perf_counter()
    with session.get_bind().connect() as connection:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_ADDED_UP}")
        version = connection.scalar(sa.select(HealthVersion.n).where(HealthVersion.tenant_id == tenant_id)) or 0
        made = sa.CreateTableAs(_lines(Scope(tenant_id), days, window, limits), _ADDED_UP, temporary=True)
        connection.execute(made)
        connection.commit()
        if connection.dialect.name == "sqlite":
            connection.execution_options(sqlite_begin="IMMEDIATE")
        summary = HealthSummary(
            tenant_id=tenant_id,
            days=days,
            until=window.until,
            version=version,
            limits=limits.key,
            seconds=time.perf_counter() - began,
        )
        _keep(connection, summary, made.table)
        connection.exec_driver_sql(f"DROP TABLE {_ADDED_UP}")
        connection.commit()


def _keep(connection: sa.Connection, summary: HealthSummary, made: sa.Table) -> None:
    """Put the lines in *made* in the place of those that are kept, unless they are newer."""
    same = sa.and_(HealthSummary.tenant_id == summary.tenant_id, HealthSummary.days == summary.days)
    newer = sa.or_(HealthSummary.until > summary.until, HealthSummary.version > summary.version)
    if connection.scalar(sa.select(HealthSummary.days).where(same, newer).with_for_update()) is not None:
        return
    connection.execute(
        sa.delete(HealthLine).where(HealthLine.tenant_id == summary.tenant_id, HealthLine.days == summary.days)
    )
    columns = [column.name for column in HealthLine.__table__.columns]
    lines = sa.select(*(made.c[name] for name in columns))
    written = connection.execute(sa.insert(HealthLine).from_select(columns, lines)).rowcount
    connection.execute(sa.delete(HealthSummary).where(same))
    connection.execute(sa.insert(HealthSummary).values(summary.model_dump()))
    if written >= _MANY and connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE health_line")  # else it loops over all lines until it has noticed


def _lines(scope: Scope, days: int, window: Window, limits: Limits) -> Any:
    """A line for each number in each campaign: its sums, its Wilson interval, its pool's median, and the verdict."""
    # Wrapped, so that the planner reads the index that holds each line's days in a row, and not the one by day.
    day = sa.func.coalesce(CampaignHealth.day, window.until)
    both = sa.and_(scope.of(CampaignHealth.tenant_id), day >= window.before, day <= window.until)
    now = day >= window.since

    def total(name: str, when: Any) -> Any:
        return sa.func.sum(sa.case((when, getattr(CampaignHealth, name)), else_=0))

    sums = (
        sa.select(
            CampaignHealth.tenant_id,
            CampaignHealth.campaign_id,
            CampaignHealth.number_id,
            *(total(name, now).label(name) for name in ("attempts", "answered", "completed", "spam_reports")),
            *(total(name, sa.not_(now)).label(f"{name}_before") for name in ("attempts", "answered")),
        )
        .where(both)
        .group_by(CampaignHealth.tenant_id, CampaignHealth.campaign_id, CampaignHealth.number_id)
        .cte("sums")
    )
    n = sa.cast(sa.func.nullif(sums.c.attempts, 0), sa.Float)
    p = sa.cast(sums.c.answered, sa.Float) / n
    reach = _Z * sa.func.sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
    centre, scale = p + _Z * _Z / (2 * n), 1 + _Z * _Z / n
    low, high = (centre - reach) / scale, (centre + reach) / scale
    enough = sa.case((high - low <= limits.widest, 1), else_=0)
    place = sa.func.row_number().over(partition_by=[sums.c.campaign_id, enough], order_by=[p, sums.c.number_id])
    rated = sa.select(
        sums,
        p.label("p"),
        low.label("low"),
        high.label("high"),
        enough.label("enough"),
        place.label("place"),
        sa.func.sum(enough).over(partition_by=sums.c.campaign_id).label("of"),
    ).cte("rated")
    # The middle one of an odd number, the mean of the two in the middle of an even one.
    middle = sa.and_(rated.c.enough == 1, rated.c.place.in_([(rated.c.of + 1) // 2, (rated.c.of + 2) // 2]))
    of_all = sa.cast(sa.func.sum(rated.c.answered), sa.Float) / sa.func.nullif(sa.func.sum(rated.c.attempts), 0)
    of_some = sa.func.avg(sa.case((middle, rated.c.p)))
    medians = (
        sa.select(rated.c.campaign_id, sa.case((sa.func.max(rated.c.of) >= FEW, of_some), else_=of_all).label("median"))
        .group_by(rated.c.campaign_id)
        .cte("medians")
    )
    falls = _falls(sa.and_(both, now), medians)
    fell = sa.and_(falls.c.campaign_id == rated.c.campaign_id, falls.c.number_id == rated.c.number_id)
    verdict = sa.case(
        (rated.c.high < limits.flag_share * medians.c.median, Verdict.LOW.value),
        (falls.c.evidence >= limits.alarm, Verdict.FALLING.value),
        (sa.or_(rated.c.low.is_(None), rated.c.high - rated.c.low > limits.widest), Verdict.THIN.value),
        else_=Verdict.HEALTHY.value,
    )
    return (
        sa.select(
            sa.literal(days).label("days"),
            rated.c.campaign_id,
            rated.c.number_id,
            rated.c.tenant_id,
            rated.c.attempts,
            rated.c.answered,
            rated.c.completed,
            rated.c.spam_reports,
            rated.c.attempts_before,
            rated.c.answered_before,
            rated.c.low,
            rated.c.high,
            medians.c.median,
            verdict.label("verdict"),
        )
        .join(medians, medians.c.campaign_id == rated.c.campaign_id)
        .outerjoin(falls, fell)
    )


def _falls(inside: Any, medians: Any) -> Any:
    """The CUSUM of each number in each campaign after its last day: all steps less their lowest running sum.

    A step is the log-likelihood ratio of a day's calls at BAD_SHARE against GOOD_SHARE of the pool's median.
    """
    hit = math.log(BAD_SHARE / GOOD_SHARE)
    good = sa.func.ln(1 - _within(GOOD_SHARE * medians.c.median))
    miss = (sa.func.ln(1 - _within(BAD_SHARE * medians.c.median)) - good).label("miss")
    misses = sa.select(medians.c.campaign_id, miss).where(medians.c.median > 0).cte("misses")
    unanswered = CampaignHealth.attempts - CampaignHealth.answered
    step = CampaignHealth.answered * hit + unanswered * misses.c.miss
    line = [CampaignHealth.campaign_id, CampaignHealth.number_id]
    # By rows and not by range: there is one row a day, and SQLite is a third faster.
    running = sa.func.sum(step).over(partition_by=line, order_by=CampaignHealth.day, rows=(None, 0))
    steps = (
        sa.select(*line, step.label("step"), running.label("running"))
        .join(misses, misses.c.campaign_id == CampaignHealth.campaign_id)
        .where(inside)
        .cte("steps")
    )
    lowest = sa.case((sa.func.min(steps.c.running) < 0, sa.func.min(steps.c.running)), else_=0)
    return (
        sa.select(steps.c.campaign_id, steps.c.number_id, (sa.func.sum(steps.c.step) - lowest).label("evidence"))
        .group_by(steps.c.campaign_id, steps.c.number_id)
        .cte("falls")
    )


def _within(share: Any) -> Any:
    """*share* where it is a chance below 1, so that its logarithm exists."""
    return sa.case((share < 0.999999, share), else_=0.999999)
