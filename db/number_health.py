"""Queries over the health of all numbers of a tenant: rolled up in the database, never over raw rows here."""

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db.models import LIVE, Campaign, CampaignHealth, CampaignNumber, PhoneNumber, PoolStatus, Tenant
from db.scope import Scope, Slice

_Z = 1.959963984540054
FEW = 3
GOOD_SHARE, BAD_SHARE = 0.8, 1 / 3
"""As in `services.statistics`, which says what they mean; a test compares the two."""


class Verdict(StrEnum):
    """What is to be said of a number in a campaign, the worst first."""

    SPAM_FLAGGED = "spam_flagged"
    LOW = "low"
    FALLING = "falling"
    CAPPED = "capped"
    THIN = "thin"
    HEALTHY = "healthy"


@dataclass(frozen=True)
class Window:
    """The days that are looked at, and those before them to compare with; both ends included."""

    since: date
    until: date
    before: date


@dataclass(frozen=True)
class HealthQuery:
    """Which lines are wanted. The tenant's thresholds: shares in 0..1, and `alarm` in nats."""

    window: Window
    flag_share: float
    widest: float
    alarm: float
    digits: str = ""
    verdicts: tuple[Verdict, ...] = ()
    campaigns: tuple[int, ...] = ()


@dataclass(frozen=True)
class HealthRow:
    """A number in one campaign over the window; rates in 0..1, None without attempts."""

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
    low: float | None
    high: float | None
    median: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Totals:
    """Sums over a window and over the one before it."""

    attempts: int
    answered: int
    numbers: int
    attempts_before: int
    answered_before: int


@dataclass(frozen=True)
class IdleRow:
    """A Twilio-managed number that hardly carries calls, with its completed calls of the window."""

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


def totals(session: Session, scope: Scope, window: Window) -> Totals:
    """Return the sums of all numbers in *scope*."""
    day, now = CampaignHealth.day, CampaignHealth.day >= window.since

    def part(column: Any, condition: Any) -> Any:
        return sa.func.coalesce(sa.func.sum(sa.case((condition, column), else_=0)), 0)

    row = session.execute(
        sa.select(
            part(CampaignHealth.attempts, now),
            part(CampaignHealth.answered, now),
            sa.func.count(sa.distinct(sa.case((sa.and_(now, CampaignHealth.attempts > 0), CampaignHealth.number_id)))),
            part(CampaignHealth.attempts, sa.not_(now)),
            part(CampaignHealth.answered, sa.not_(now)),
        ).where(scope.of(CampaignHealth.tenant_id), day >= window.before, day <= window.until)
    ).one()
    return Totals(*(int(value) for value in row))


def verdicts(session: Session, scope: Scope, query: HealthQuery) -> dict[Verdict, int]:
    """Return how many lines there are of each verdict."""
    lines = _lines(scope, query).subquery()
    rows = session.execute(sa.select(lines.c.verdict, sa.func.count()).group_by(lines.c.verdict))
    return {Verdict(verdict): n for verdict, n in rows}


def count(session: Session, scope: Scope, query: HealthQuery) -> int:
    """Return how many lines match."""
    return int(session.scalar(sa.select(sa.func.count()).select_from(_matching(scope, query).subquery())) or 0)


def search(session: Session, scope: Scope, query: HealthQuery, part: Slice) -> list[HealthRow]:
    """Return the *part* of the lines that match, the worst verdict first, then by the lower bound."""
    lines = _matching(scope, query).subquery()
    worst = sa.case({verdict.value: place for place, verdict in enumerate(Verdict)}, value=lines.c.verdict)
    rows = session.execute(
        sa.select(lines)
        .order_by(worst, sa.func.coalesce(lines.c.low, 2), lines.c.number_id, lines.c.campaign_id)
        .limit(part.size)
        .offset(part.offset)
    ).mappings()
    return [
        HealthRow(
            **{
                **row,
                "verdict": Verdict(row["verdict"]),
                "pool_status": PoolStatus(row["pool_status"]) if row["pool_status"] else None,
            }
        )
        for row in rows
    ]


def trends(session: Session, scope: Scope, window: Window, numbers: list[int]) -> dict[tuple[int, int], list[float]]:
    """Return the answer rate day by day, by number and campaign, of a few numbers; days without calls are left out."""
    rows = session.execute(
        sa.select(
            CampaignHealth.number_id, CampaignHealth.campaign_id, CampaignHealth.attempts, CampaignHealth.answered
        )
        .where(
            scope.of(CampaignHealth.tenant_id),
            CampaignHealth.number_id.in_(numbers),
            CampaignHealth.day >= window.since,
            CampaignHealth.attempts > 0,
        )
        .order_by(CampaignHealth.day)
    )
    found: dict[tuple[int, int], list[float]] = {}
    for number, campaign, attempts, answered in rows:
        found.setdefault((number, campaign), []).append(answered / attempts)
    return found


def idle(session: Session, scope: Scope, since: date, fewer_than: int, limit: int) -> list[IdleRow]:
    """Return Twilio-managed numbers with fewer completed calls than *fewer_than* since a day, the idlest first."""
    calls = (
        sa.select(CampaignHealth.number_id, sa.func.sum(CampaignHealth.completed).label("completed"))
        .where(scope.of(CampaignHealth.tenant_id), CampaignHealth.day >= since)
        .group_by(CampaignHealth.number_id)
        .subquery()
    )
    completed = sa.func.coalesce(calls.c.completed, 0)
    rows = session.execute(
        sa.select(PhoneNumber.id, PhoneNumber.e164, PhoneNumber.label, Tenant.name, completed)
        .join(Tenant, Tenant.id == PhoneNumber.tenant_id)
        .outerjoin(calls, calls.c.number_id == PhoneNumber.id)
        .where(scope.of(PhoneNumber.tenant_id), LIVE, PhoneNumber.is_managed.is_(True), completed < fewer_than)
        .order_by(completed, PhoneNumber.id)
        .limit(limit)
    )
    return [IdleRow(id, e164, label, tenant, int(n)) for id, e164, label, tenant, n in rows]


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
    """A line for each number in each campaign: its sums, its Wilson interval, its pool's median, and the verdict."""
    sums = (
        sa.select(
            CampaignHealth.campaign_id,
            CampaignHealth.number_id,
            sa.func.sum(CampaignHealth.attempts).label("attempts"),
            sa.func.sum(CampaignHealth.answered).label("answered"),
            sa.func.sum(CampaignHealth.spam_reports).label("spam_reports"),
        )
        .where(
            scope.of(CampaignHealth.tenant_id),
            CampaignHealth.day >= query.window.since,
            CampaignHealth.day <= query.window.until,
        )
        .group_by(CampaignHealth.campaign_id, CampaignHealth.number_id)
        .cte("sums")
    )
    n = sa.cast(sa.func.nullif(sums.c.attempts, 0), sa.Float)
    p = sa.cast(sums.c.answered, sa.Float) / n
    reach = _Z * sa.func.sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
    centre, scale = p + _Z * _Z / (2 * n), 1 + _Z * _Z / n
    low, high = (centre - reach) / scale, (centre + reach) / scale
    enough = sa.case((high - low <= query.widest, 1), else_=0)
    rated = (
        sa.select(
            sums,
            p.label("p"),
            low.label("low"),
            high.label("high"),
            enough.label("enough"),
            sa.func.row_number()
            .over(partition_by=[sums.c.campaign_id, enough], order_by=[p, sums.c.number_id])
            .label("place"),
            sa.func.sum(enough).over(partition_by=sums.c.campaign_id).label("of"),
        )
        .where(sums.c.attempts > 0)
        .cte("rated")
    )
    # The middle one of an odd number, the mean of the two in the middle of an even one.
    middle = sa.and_(rated.c.enough == 1, rated.c.place.in_([(rated.c.of + 1) // 2, (rated.c.of + 2) // 2]))
    of_all = sa.cast(sa.func.sum(rated.c.answered), sa.Float) / sa.func.sum(rated.c.attempts)
    medians = (
        sa.select(
            rated.c.campaign_id,
            sa.case((sa.func.max(rated.c.of) >= FEW, sa.func.avg(sa.case((middle, rated.c.p)))), else_=of_all).label(
                "median"
            ),
        )
        .group_by(rated.c.campaign_id)
        .cte("medians")
    )
    falls = _falls(scope, query, medians)
    pooled = sa.and_(CampaignNumber.campaign_id == sums.c.campaign_id, CampaignNumber.number_id == sums.c.number_id)
    verdict = sa.case(
        (CampaignNumber.pool_status == PoolStatus.SPAM_FLAGGED, Verdict.SPAM_FLAGGED.value),
        (rated.c.high < query.flag_share * medians.c.median, Verdict.LOW.value),
        (falls.c.evidence >= query.alarm, Verdict.FALLING.value),
        (CampaignNumber.pool_status == PoolStatus.CAPPED, Verdict.CAPPED.value),
        (sa.or_(rated.c.low.is_(None), rated.c.high - rated.c.low > query.widest), Verdict.THIN.value),
        else_=Verdict.HEALTHY.value,
    )
    fell = sa.and_(falls.c.campaign_id == sums.c.campaign_id, falls.c.number_id == sums.c.number_id)
    same = sa.and_(rated.c.campaign_id == sums.c.campaign_id, rated.c.number_id == sums.c.number_id)
    return (
        sa.select(
            sums.c.number_id,
            PhoneNumber.e164,
            PhoneNumber.label,
            Tenant.name.label("tenant"),
            sums.c.campaign_id,
            Campaign.name.label("campaign"),
            sa.cast(CampaignNumber.pool_status, sa.String).label("pool_status"),
            sums.c.attempts,
            sums.c.answered,
            sums.c.spam_reports,
            rated.c.low,
            rated.c.high,
            medians.c.median,
            verdict.label("verdict"),
        )
        .join(PhoneNumber, PhoneNumber.id == sums.c.number_id)
        .join(Tenant, Tenant.id == PhoneNumber.tenant_id)
        .join(Campaign, Campaign.id == sums.c.campaign_id)
        .outerjoin(CampaignNumber, pooled)
        .outerjoin(rated, same)
        .outerjoin(falls, fell)
        .outerjoin(medians, medians.c.campaign_id == sums.c.campaign_id)
        .where(LIVE)
    )


def _falls(scope: Scope, query: HealthQuery, medians: Any) -> Any:
    """The CUSUM of each number in each campaign after its last day: all steps less their lowest running sum.

    A step is the log-likelihood ratio of a day's calls at BAD_SHARE against GOOD_SHARE of the pool's median.
    """
    hit = math.log(BAD_SHARE / GOOD_SHARE)
    good = sa.func.ln(1 - _within(GOOD_SHARE * medians.c.median))
    miss = sa.func.ln(1 - _within(BAD_SHARE * medians.c.median)) - good
    step = CampaignHealth.answered * hit + (CampaignHealth.attempts - CampaignHealth.answered) * miss
    steps = (
        sa.select(
            CampaignHealth.campaign_id,
            CampaignHealth.number_id,
            step.label("step"),
            sa.func.sum(step)
            .over(partition_by=[CampaignHealth.campaign_id, CampaignHealth.number_id], order_by=CampaignHealth.day)
            .label("running"),
        )
        .join(medians, medians.c.campaign_id == CampaignHealth.campaign_id)
        .where(
            scope.of(CampaignHealth.tenant_id),
            CampaignHealth.day >= query.window.since,
            CampaignHealth.day <= query.window.until,
        )
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
