"""Queries over campaigns and their pools."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

from db.models import Campaign, CampaignNumber, CampaignStatus, PhoneNumber, PoolStatus, Tenant
from db.scope import Scope


@dataclass(frozen=True)
class CampaignRow:
    """A campaign with its primary number and how many numbers its pool holds."""

    id: int
    tenant: str
    name: str
    status: CampaignStatus
    primary_number: str | None
    pool: int


def search(session: Session, scope: Scope) -> list[CampaignRow]:
    """Return the campaigns in *scope*, by name."""
    pool = (
        sa.select(sa.func.count())
        .where(CampaignNumber.campaign_id == Campaign.id, CampaignNumber.pool_status != PoolStatus.REMOVED)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(Campaign.id, Tenant.name, Campaign.name, Campaign.status, PhoneNumber.e164, pool)
        .join(Tenant, Tenant.id == Campaign.tenant_id)
        .outerjoin(PhoneNumber, PhoneNumber.id == Campaign.primary_number_id)
        .where(scope.of(Campaign.tenant_id))
        .order_by(Campaign.name, Campaign.id)
    )
    return [CampaignRow(*row) for row in rows]


def with_number(session: Session, scope: Scope, number_id: int) -> list[tuple[Campaign, CampaignNumber | None]]:
    """Return the campaigns that the number serves, each with its place in the pool where it has one."""
    pooled = sa.and_(CampaignNumber.campaign_id == Campaign.id, CampaignNumber.number_id == number_id)
    rows = session.execute(
        sa.select(Campaign, CampaignNumber)
        .outerjoin(CampaignNumber, pooled)
        .where(
            scope.of(Campaign.tenant_id),
            sa.or_(Campaign.primary_number_id == number_id, CampaignNumber.number_id == number_id),
        )
    )
    return [(campaign, place) for campaign, place in rows]
