"""Queries over daily campaign health."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

import db.base.bulk
import db.health.summaries
from db.base.scope import Scope
from db.base.tables import table_of
from db.models import GONE, IN_POOL, Campaign, CampaignHealth, CampaignNumber, PhoneNumber, PoolStatus

COUNTS = ("attempts", "answered", "completed", "short_calls", "failed", "spam_reports", "detected", "machines")


class Fact(NamedTuple):
    """One day of calls of one number in one campaign; counts as in `CampaignHealth`."""

    campaign_id: int
    number_id: int
    day: date
    attempts: int
    answered: int
    completed: int = 0
    short_calls: int = 0
    failed: int = 0
    spam_reports: int = 0
    detected: int = 0
    machines: int = 0


@dataclass(frozen=True)
class CampaignTotals:
    """What a number did in one campaign over some days. `weight` is the dialer's, None when it sends none.

    `left_at` is when it left the pool, None where that is not known, or it has not.
    """

    campaign_id: int
    campaign: str
    pool_status: PoolStatus | None
    weight: float | None
    left_at: datetime | None
    attempts: int
    answered: int
    detected: int
    machines: int

    @property
    def has_left(self) -> bool:
        """Whether the number was in the pool, and is not any more."""
        return self.pool_status is PoolStatus.REMOVED


@dataclass(frozen=True)
class DayTotals:
    """What a number did on one day in one campaign."""

    day: date
    campaign_id: int
    attempts: int
    answered: int


def totals(session: Session, scope: Scope, number_id: int, since: date, until: date) -> list[CampaignTotals]:
    """Return the campaigns that the number is or was in, those it has left last, with its calls over the days."""
    counts = ("attempts", "answered", "detected", "machines")
    calls = (
        sa.select(
            CampaignHealth.campaign_id,
            *(sa.func.sum(getattr(CampaignHealth, name)).label(name) for name in counts),
        )
        .where(*_calls(scope, number_id, since, until))
        .group_by(CampaignHealth.campaign_id)
        .subquery()
    )
    pooled = sa.and_(CampaignNumber.campaign_id == Campaign.id, CampaignNumber.number_id == number_id)
    rows = session.execute(
        sa.select(
            Campaign.id,
            Campaign.name,
            CampaignNumber.pool_status,
            CampaignNumber.weight,
            CampaignNumber.left_at,
            *(sa.func.coalesce(calls.c[name], 0) for name in counts),
        )
        .outerjoin(CampaignNumber, pooled)
        .outerjoin(calls, calls.c.campaign_id == Campaign.id)
        .where(
            scope.of(Campaign.tenant_id),
            sa.or_(CampaignNumber.number_id.is_not(None), calls.c.campaign_id.is_not(None)),
        )
        .order_by(sa.case((CampaignNumber.pool_status == PoolStatus.REMOVED, 1), else_=0), Campaign.name)
    )
    return [CampaignTotals(*row) for row in rows]


def days(session: Session, scope: Scope, number_id: int, since: date, until: date) -> list[DayTotals]:
    """Return the number's calls day by day and campaign by campaign, from *since* to *until*, oldest first."""
    rows = session.execute(
        sa.select(
            CampaignHealth.day,
            CampaignHealth.campaign_id,
            CampaignHealth.attempts,
            CampaignHealth.answered,
        )
        .where(*_calls(scope, number_id, since, until))
        .order_by(CampaignHealth.day, CampaignHealth.campaign_id)
    )
    return [DayTotals(*row) for row in rows]


def _calls(scope: Scope, number_id: int, since: date, until: date) -> tuple[Any, ...]:
    return (
        scope.of(CampaignHealth.tenant_id),
        CampaignHealth.number_id == number_id,
        CampaignHealth.day >= since,
        CampaignHealth.day <= until,
    )


def campaigns(session: Session, scope: Scope) -> dict[int, str]:
    """Return the names of the campaigns in *scope*, by their ids."""
    rows = session.execute(sa.select(Campaign.id, Campaign.name).where(scope.of(Campaign.tenant_id)))
    return dict(rows.all())


def numbers(session: Session, scope: Scope, texts: Sequence[str]) -> dict[str, int]:
    """Return the ids of numbers in *scope* by how they are on record; a live one before one that is gone."""
    found: dict[str, int] = {}
    for some_texts in db.base.bulk.batches(texts):
        rows = session.execute(
            sa.select(PhoneNumber.e164, PhoneNumber.id)
            .where(scope.of(PhoneNumber.tenant_id), PhoneNumber.e164.in_(some_texts))
            .order_by(PhoneNumber.status.not_in(GONE), PhoneNumber.id)
        )
        found |= {row.e164: row.id for row in rows}
    return found


def pools(session: Session, scope: Scope, e164s: Sequence[str], before: datetime) -> dict[str, set[tuple[int, int]]]:
    """Return campaign and number of each place in a pool that numbers in *scope* hold since *before* an instant.

    A number that is on record and has no place has an empty set; one that is not on record is left out.
    """
    found: dict[str, set[tuple[int, int]]] = {}
    joined = sa.and_(
        CampaignNumber.tenant_id == PhoneNumber.tenant_id,
        CampaignNumber.number_id == PhoneNumber.id,
        IN_POOL,
        CampaignNumber.added_at < before,
    )
    for some_e164s in db.base.bulk.batches(e164s):
        rows = session.execute(
            sa.select(PhoneNumber.e164, CampaignNumber.campaign_id, PhoneNumber.id)
            .outerjoin(CampaignNumber, joined)
            .where(scope.of(PhoneNumber.tenant_id), PhoneNumber.e164.in_(some_e164s))
        )
        for e164, campaign_id, number_id in rows:
            places = found.setdefault(e164, set())
            if campaign_id is not None:
                places.add((campaign_id, number_id))
    return found


def pooled(session: Session, scope: Scope, campaigns: Collection[int]) -> set[tuple[int, int]]:
    """Return campaign and number of each place in the pools of *campaigns* that was not left."""
    rows = session.execute(
        sa.select(CampaignNumber.campaign_id, CampaignNumber.number_id).where(
            scope.of(CampaignNumber.tenant_id),
            CampaignNumber.campaign_id.in_(campaigns),
            IN_POOL,
        )
    )
    return {(campaign_id, number_id) for campaign_id, number_id in rows}


def among(session: Session, scope: Scope, facts: Collection[Fact]) -> set[tuple[int, int, date]]:
    """Return campaign, number and day of what is on record of the numbers and days that *facts* are about."""
    found: set[tuple[int, int, date]] = set()
    numbers = sorted({fact.number_id for fact in facts})
    for some_numbers in db.base.bulk.batches(numbers):
        rows = session.execute(
            sa.select(CampaignHealth.campaign_id, CampaignHealth.number_id, CampaignHealth.day).where(
                scope.of(CampaignHealth.tenant_id),
                CampaignHealth.number_id.in_(some_numbers),
                CampaignHealth.day.between(min(fact.day for fact in facts), max(fact.day for fact in facts)),
            )
        )
        found |= {(campaign_id, number_id, day) for campaign_id, number_id, day in rows}
    return found


def count(session: Session, scope: Scope, first: date, last: date) -> int:
    """Return how many facts there are from the day *first* to the day *last*."""
    inside = (scope.of(CampaignHealth.tenant_id), CampaignHealth.day >= first, CampaignHealth.day <= last)
    return session.scalar(sa.select(sa.func.count()).where(*inside)) or 0


def put(session: Session, tenant_id: int, facts: Sequence[Fact], *, replace: bool = True) -> None:
    """Write *facts* of a tenant; each takes the place of the one with its key, or yields to it."""
    dialect: Any = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(table_of(CampaignHealth))  # not the class: then SQLAlchemy goes through each row
    key = ["campaign_id", "number_id", "day"]
    if replace:
        insert = insert.on_conflict_do_update(index_elements=key, set_={name: insert.excluded[name] for name in COUNTS})
    else:
        insert = insert.on_conflict_do_nothing(index_elements=key)
    db.health.summaries.mark_changed(session, tenant_id)
    session.execute(insert, [{**fact._asdict(), "tenant_id": tenant_id} for fact in facts])
