"""Queries over daily campaign health."""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlmodel import Session

from db.models import Campaign, CampaignHealth, CampaignNumber, PoolStatus
from db.scope import Scope


@dataclass(frozen=True)
class CampaignTotals:
    """What a number did in one campaign since a day. `weight` is the dialer's, None when it sends none."""

    campaign_id: int
    campaign: str
    pool_status: PoolStatus | None
    weight: float | None
    attempts: int
    answered: int


@dataclass(frozen=True)
class DayTotals:
    """What a number did on one day in one campaign."""

    day: date
    campaign: str
    attempts: int
    answered: int


def totals(session: Session, scope: Scope, number_id: int, since: date) -> list[CampaignTotals]:
    """Return the campaigns that the number is or was in, with its calls since the day *since*."""
    calls = (
        sa.select(
            CampaignHealth.campaign_id,
            sa.func.sum(CampaignHealth.attempts).label("attempts"),
            sa.func.sum(CampaignHealth.answered).label("answered"),
        )
        .where(scope.of(CampaignHealth.tenant_id), CampaignHealth.number_id == number_id, CampaignHealth.day >= since)
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
            sa.func.coalesce(calls.c.attempts, 0),
            sa.func.coalesce(calls.c.answered, 0),
        )
        .outerjoin(CampaignNumber, pooled)
        .outerjoin(calls, calls.c.campaign_id == Campaign.id)
        .where(
            scope.of(Campaign.tenant_id),
            sa.or_(CampaignNumber.number_id.is_not(None), calls.c.campaign_id.is_not(None)),
        )
        .order_by(Campaign.name)
    )
    return [CampaignTotals(*row) for row in rows]


def days(session: Session, scope: Scope, number_id: int, since: date) -> list[DayTotals]:
    """Return the number's calls day by day and campaign by campaign, oldest first."""
    rows = session.execute(
        sa.select(CampaignHealth.day, Campaign.name, CampaignHealth.attempts, CampaignHealth.answered)
        .join(Campaign, Campaign.id == CampaignHealth.campaign_id)
        .where(scope.of(CampaignHealth.tenant_id), CampaignHealth.number_id == number_id, CampaignHealth.day >= since)
        .order_by(CampaignHealth.day, Campaign.name)
    )
    return [DayTotals(*row) for row in rows]
