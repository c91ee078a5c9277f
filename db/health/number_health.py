"""Queries over the health of all numbers of a tenant. They read the lines of `db.health.summaries`, never days."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db.base.scope import Scope, Slice
from db.health.summaries import Verdict
from db.models import (
    IN_POOL,
    LIVE,
    Campaign,
    CampaignHealth,
    CampaignNumber,
    HealthLine,
    PhoneNumber,
    PoolStatus,
    Tenant,
)
from db.numbers import attention
from db.numbers.attention import Attention, Rules

BIN = 0.05
"""The width of a step in the spread of answer rates."""


@dataclass(frozen=True)
class HealthQuery:
    """Which lines are wanted, over the last *days* up to the day before *today*. Empty means any.

    `cap_warning` and `cap` are calls of today from which a number is near its cap, or at it; every query needs them.
    """

    days: int
    today: date
    digits: str = ""
    verdicts: tuple[Verdict, ...] = ()
    campaigns: tuple[int, ...] = ()
    number_id: int | None = None
    cap_warning: int | None = None
    cap: int | None = None

    @property
    def unfiltered(self) -> "HealthQuery":
        """The same window without filters."""
        return HealthQuery(self.days, self.today)


@dataclass(frozen=True)
class HealthRow:
    """A number in one campaign over the window; rates in 0..1, None without attempts. `today` is of all campaigns.

    What is `expected`, and the rest up to `machines`, are as in `HealthLine`.
    """

    number_id: int
    e164: str
    label: str
    tenant: str
    campaign_id: int
    campaign: str
    pool_status: PoolStatus | None
    attempts: int
    answered: int
    spam_reports: int
    attempts_before: int
    answered_before: int
    low: float | None
    high: float | None
    median: float | None
    expected: float | None
    bound: float | None
    since: date | None
    since_attempts: int
    since_answered: int
    since_expected: float | None
    detected: int
    machines: int
    today: int
    verdict: Verdict


@dataclass(frozen=True)
class Totals:
    """Sums over a window and over the one before it.

    `detected` calls that were picked up tell by whom, `machines` of them by machines. Rates vary `scatter` times as
    much as by chance between the two windows, as those of the numbers do.
    """

    attempts: int
    answered: int
    numbers: int
    attempts_before: int
    answered_before: int
    numbers_before: int
    detected: int
    machines: int
    scatter: float


@dataclass(frozen=True)
class Step:
    """How many lines have an answer rate from *low* up to BIN more, and one verdict."""

    low: float
    verdict: Verdict
    lines: int


@dataclass(frozen=True)
class IdleRow:
    """A managed number that hardly carries calls, with its completed calls of the window."""

    number_id: int
    e164: str
    label: str
    tenant: str
    completed: int


def campaigns(session: Session, scope: Scope) -> dict[int, str]:
    """Return the campaigns in *scope* by id, by name, with their tenants where there are several."""
    rows = session.execute(
        sa.select(Campaign.id, Campaign.name, Tenant.name)
        .join(Tenant, Tenant.id == Campaign.tenant_id)
        .where(scope.of(Campaign.tenant_id))
        .order_by(Campaign.name, Campaign.id)
    )
    return {id: name if scope.tenant_id is not None else f"{name} · {tenant}" for id, name, tenant in rows}


def totals(session: Session, scope: Scope, days: int) -> Totals:
    """Return the sums of all numbers in *scope*."""

    def total(column: Any) -> Any:
        return sa.func.coalesce(sa.func.sum(column), 0)

    def numbers(attempts: Any) -> Any:
        return sa.func.count(sa.distinct(sa.case((attempts > 0, HealthLine.number_id))))

    sums = {
        "attempts": total(HealthLine.attempts),
        "answered": total(HealthLine.answered),
        "numbers": numbers(HealthLine.attempts),
        "attempts_before": total(HealthLine.attempts_before),
        "answered_before": total(HealthLine.answered_before),
        "numbers_before": numbers(HealthLine.attempts_before),
        "detected": total(HealthLine.detected),
        "machines": total(HealthLine.machines),
    }
    lines = sa.select(*(value.label(name) for name, value in sums.items()))
    row = session.execute(lines.where(scope.of(HealthLine.tenant_id), HealthLine.days == days)).mappings().one()
    return Totals(**row, scatter=_scatter(session, scope, days))


def _scatter(session: Session, scope: Scope, days: int) -> float:
    """Return how many times as much as by chance the numbers' changes from window to window vary; 1 or more."""
    n, m = (
        sa.cast(sa.func.nullif(attempts, 0), sa.Float) for attempts in (HealthLine.attempts, HealthLine.attempts_before)
    )
    pooled = (HealthLine.answered + HealthLine.answered_before) / (n + m)
    squared = (HealthLine.answered / n - HealthLine.answered_before / m) ** 2
    by_chance = pooled * (1 - pooled) * (1 / n + 1 / m)
    found = session.scalar(
        sa.select(sa.func.avg(squared / sa.func.nullif(by_chance, 0))).where(
            scope.of(HealthLine.tenant_id), HealthLine.days == days
        )
    )
    return max(1.0, float(found or 1))


def spread(session: Session, scope: Scope, query: HealthQuery) -> list[Step]:
    """Return how the answer rates of the lines that match are spread, by verdict."""
    lines = _matching(scope, query).subquery()
    rate = sa.cast(lines.c.answered, sa.Float) / lines.c.attempts
    # A rate on the edge of a step belongs to the one above it, and 100 % to the last.
    place = sa.case((rate >= 1, 1 / BIN - 1), else_=sa.func.floor(rate / BIN + 1e-9))
    step = sa.cast(place, sa.Integer).label("step")
    rows = session.execute(sa.select(step, lines.c.verdict, sa.func.count()).group_by(step, lines.c.verdict))
    return [Step(at * BIN, Verdict(verdict), n) for at, verdict, n in rows]


def search(session: Session, scope: Scope, query: HealthQuery, part: Slice) -> list[HealthRow]:
    """Return the *part* of the lines that match, the worst verdict first, then by the lower bound."""
    return list(_read(session, _ranked(scope, query).limit(part.size).offset(part.offset)))


def walk(session: Session, scope: Scope, query: HealthQuery) -> Iterator[HealthRow]:
    """Yield every line that matches, in the order of `search`."""
    return _read(session, _ranked(scope, query).execution_options(yield_per=1000))


def _ranked(scope: Scope, query: HealthQuery) -> Any:
    lines = _matching(scope, query).subquery()
    worst = sa.case({verdict.value: place for place, verdict in enumerate(Verdict)}, value=lines.c.verdict)
    return sa.select(lines).order_by(worst, sa.func.coalesce(lines.c.low, 2), lines.c.number_id, lines.c.campaign_id)


def _read(session: Session, statement: Any) -> Iterator[HealthRow]:
    for row in session.execute(statement).mappings():
        yield HealthRow(**{**row, "verdict": Verdict(row["verdict"])})


def weights(
    session: Session, scope: Scope, days: int, campaigns: Sequence[int], numbers: Sequence[int], k: float, floor: float
) -> dict[tuple[int, int], float]:
    """Return our weight of *numbers* in the pools of *campaigns*, by campaign and number.

    1 is the pool's average. A weight is (answered + k·m) / (attempts + k), where m is the pool's rate: *k* attempts at
    the pool's rate are added to each number, so a fresh one starts at the average. It is no less than *floor*·m, so
    that none is starved, and then divided by the mean. Source: the posterior mean under a Beta(k·m, k·(1-m)) prior.
    """
    same = sa.and_(
        HealthLine.days == days,
        HealthLine.campaign_id == CampaignNumber.campaign_id,
        HealthLine.number_id == CampaignNumber.number_id,
    )
    answered, attempts = sa.func.coalesce(HealthLine.answered, 0), sa.func.coalesce(HealthLine.attempts, 0)

    def over_pool(value: Any) -> Any:
        return sa.func.sum(value).over(partition_by=CampaignNumber.campaign_id)

    rate = sa.cast(over_pool(answered), sa.Float) / sa.func.nullif(over_pool(attempts), 0)
    pool = (
        sa.select(
            CampaignNumber.campaign_id,
            CampaignNumber.number_id,
            answered.label("answered"),
            attempts.label("attempts"),
            rate.label("m"),
        )
        .outerjoin(HealthLine, same)
        .where(
            scope.of(CampaignNumber.tenant_id),
            CampaignNumber.campaign_id.in_(campaigns),
            IN_POOL,
        )
        .cte("pool")
    )
    shrunken, least = (pool.c.answered + k * pool.c.m) / (pool.c.attempts + k), floor * pool.c.m
    raw = sa.select(
        pool.c.campaign_id, pool.c.number_id, sa.case((shrunken > least, shrunken), else_=least).label("raw")
    ).cte("raw")
    mean = sa.func.avg(raw.c.raw).over(partition_by=raw.c.campaign_id)
    weighed = sa.select(raw, mean.label("mean")).subquery()
    rows = session.execute(
        sa.select(weighed.c.campaign_id, weighed.c.number_id, weighed.c.raw / sa.func.nullif(weighed.c.mean, 0)).where(
            weighed.c.number_id.in_(numbers)
        )
    )
    return {(campaign, number): 1.0 if weight is None else float(weight) for campaign, number, weight in rows}


def trends(
    session: Session, scope: Scope, since: date, numbers: Collection[int], campaigns: Collection[int]
) -> dict[tuple[int, int], list[float]]:
    """Return the answer rate day by day, by number and campaign, of a few numbers; days without calls are left out."""
    rows = session.execute(
        sa.select(
            CampaignHealth.number_id, CampaignHealth.campaign_id, CampaignHealth.attempts, CampaignHealth.answered
        )
        .where(
            # Wrapped, so that the planner goes by the few campaigns and numbers, and not by the tenant's days.
            scope.of(sa.func.coalesce(CampaignHealth.tenant_id, 0)),
            CampaignHealth.campaign_id.in_(campaigns),
            CampaignHealth.number_id.in_(numbers),
            CampaignHealth.day >= since,
            CampaignHealth.attempts > 0,
        )
        .order_by(CampaignHealth.day)
    )
    found: dict[tuple[int, int], list[float]] = {}
    for number, campaign, attempts, answered in rows:
        found.setdefault((number, campaign), []).append(answered / attempts)
    return found


def count_idle(session: Session, scope: Scope, rules: Rules) -> int:
    """Return how many numbers are idle."""
    return int(session.scalar(sa.select(sa.func.count()).select_from(_idle(scope, rules).subquery())) or 0)


def idle(session: Session, scope: Scope, rules: Rules, part: Slice) -> list[IdleRow]:
    """Return the *part* of the idle numbers, least used first."""
    found = _idle(scope, rules).subquery()
    rows = sa.select(found).order_by(found.c.completed, found.c.id).limit(part.size).offset(part.offset)
    return [IdleRow(*row) for row in session.execute(rows)]


def walk_idle(session: Session, scope: Scope, rules: Rules) -> Iterator[IdleRow]:
    """Yield every idle number, in the order of ids."""
    rows = _idle(scope, rules).order_by(PhoneNumber.id).execution_options(yield_per=1000)
    for row in session.execute(rows):
        yield IdleRow(*row)


def _idle(scope: Scope, rules: Rules) -> Any:
    completed = attention.completed(rules.idle_days).label("completed")
    return (
        sa.select(PhoneNumber.id, PhoneNumber.e164, PhoneNumber.label, Tenant.name, completed)
        .join(Tenant, Tenant.id == PhoneNumber.tenant_id)
        .where(scope.of(PhoneNumber.tenant_id), LIVE, attention.condition(Attention.IDLE, scope.of, rules))
    )


def _matching(scope: Scope, query: HealthQuery) -> Any:
    lines = _lines(scope, query).subquery()
    conditions = []
    if query.verdicts:
        conditions.append(lines.c.verdict.in_([verdict.value for verdict in query.verdicts]))
    if query.campaigns:
        conditions.append(lines.c.campaign_id.in_(query.campaigns))
    if query.digits:
        conditions.append(lines.c.e164.like(f"%{query.digits}%"))
    return sa.select(lines).where(*conditions)


def _lines(scope: Scope, query: HealthQuery) -> Any:
    """The lines with calls, of numbers that are still held and in their pools, with what pool and day add to them."""
    one = query.number_id
    busy = (
        sa.select(CampaignHealth.number_id, sa.func.sum(CampaignHealth.attempts).label("attempts"))
        .where(scope.of(CampaignHealth.tenant_id), CampaignHealth.day == query.today)
        .where(sa.true() if one is None else CampaignHealth.number_id == one)
        .group_by(CampaignHealth.number_id)
        .cte("busy")
    )
    pooled = sa.and_(
        CampaignNumber.campaign_id == HealthLine.campaign_id, CampaignNumber.number_id == HealthLine.number_id
    )
    today = sa.func.coalesce(busy.c.attempts, 0)
    pool = CampaignNumber.pool_status
    verdict = sa.case(
        (pool == PoolStatus.SPAM_FLAGGED, Verdict.SPAM_FLAGGED.value),
        (HealthLine.verdict.in_([Verdict.LOW.value, Verdict.FALLING.value]), HealthLine.verdict),
        (sa.or_(pool == PoolStatus.CAPPED, today >= query.cap), Verdict.CAPPED.value),
        (today >= query.cap_warning, Verdict.NEAR_CAP.value),
        else_=HealthLine.verdict,
    )
    columns: list[Any] = [
        HealthLine.number_id,
        PhoneNumber.e164,
        PhoneNumber.label,
        Tenant.name.label("tenant"),
        HealthLine.campaign_id,
        Campaign.name.label("campaign"),
        pool,
        HealthLine.attempts,
        HealthLine.answered,
        HealthLine.spam_reports,
        HealthLine.attempts_before,
        HealthLine.answered_before,
        HealthLine.low,
        HealthLine.high,
        HealthLine.median,
        HealthLine.expected,
        HealthLine.bound,
        HealthLine.since,
        HealthLine.since_attempts,
        HealthLine.since_answered,
        HealthLine.since_expected,
        HealthLine.detected,
        HealthLine.machines,
        today.label("today"),
        verdict.label("verdict"),
    ]
    return (
        sa.select(*columns)
        .join(PhoneNumber, PhoneNumber.id == HealthLine.number_id)
        .join(Tenant, Tenant.id == HealthLine.tenant_id)
        .join(Campaign, Campaign.id == HealthLine.campaign_id)
        .outerjoin(CampaignNumber, pooled)
        .outerjoin(busy, busy.c.number_id == HealthLine.number_id)
        .where(
            scope.of(HealthLine.tenant_id),
            HealthLine.days == query.days,
            HealthLine.attempts > 0,
            sa.or_(pool.is_(None), pool != PoolStatus.REMOVED),
            LIVE,
            sa.true() if one is None else HealthLine.number_id == one,
        )
    )
