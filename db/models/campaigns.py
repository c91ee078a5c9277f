"""Campaigns and their pools."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db.base.columns import words
from db.base.tables import instant, maybe_instant, of_tenant


class CampaignStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class PoolStatus(StrEnum):
    """Where a number stands in a campaign's pool."""

    ACTIVE = "active"
    PAUSED = "paused"
    CAPPED = "capped"
    COOLING = "cooling"
    SPAM_FLAGGED = "spam_flagged"
    REMOVED = "removed"


class Campaign(SQLModel, table=True):
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "id"),
        sa.UniqueConstraint("tenant_id", "name"),
        of_tenant("primary_number_id", "phone_number"),
    )

    id: int = Field(default=None, primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    name: str = Field(max_length=80)
    status: CampaignStatus = Field(default=CampaignStatus.ACTIVE, sa_type=words(CampaignStatus, "status"))
    primary_number_id: int | None = None
    created_at: datetime = instant()
    version: int = 1


class CampaignNumber(SQLModel, table=True):
    """A number's place in a campaign's pool."""

    __tablename__ = "campaign_number"
    __table_args__ = (
        of_tenant("campaign_id", "campaign"),
        of_tenant("number_id", "phone_number"),
        sa.CheckConstraint("weight IS NULL OR weight >= 0", name="weight_not_negative"),
        sa.Index(None, "tenant_id", "number_id"),
        sa.Index(
            "ix_campaign_number_flagged",
            "tenant_id",
            "number_id",
            sqlite_where=sa.text("pool_status = 'spam_flagged'"),
            postgresql_where=sa.text("pool_status = 'spam_flagged'"),
        ),
    )

    campaign_id: int = Field(primary_key=True)
    number_id: int = Field(primary_key=True)
    tenant_id: int
    pool_status: PoolStatus = Field(default=PoolStatus.ACTIVE, sa_type=words(PoolStatus, "pool_status"))
    weight: float | None = None
    added_at: datetime = instant()
    left_at: datetime | None = maybe_instant()


IN_POOL = CampaignNumber.pool_status != PoolStatus.REMOVED
"""The numbers that a pool has now; those that have left stay on record."""
