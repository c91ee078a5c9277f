"""Queries over campaigns and their pools."""

import sqlalchemy as sa
from sqlmodel import Session

from db.models import Campaign, CampaignNumber
from db.scope import Scope


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
