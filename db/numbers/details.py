"""Queries over one number: all that its page shows, and the campaigns that it serves."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session

import db.numbers.queries
from db.base.money import Money
from db.base.scope import Scope
from db.models import (
    GONE,
    Agent,
    Campaign,
    CampaignNumber,
    Connection,
    NumberStatus,
    NumberType,
    PhoneNumber,
    PoolStatus,
    Tenant,
)


@dataclass(frozen=True)
class CampaignUse:
    """A campaign that a number serves."""

    id: int
    name: str
    is_primary: bool
    in_pool: bool


@dataclass(frozen=True)
class NumberDetail:
    """Everything that the detail page shows of a number."""

    id: int
    tenant_id: int
    tenant: str
    e164: str
    status: NumberStatus
    is_managed: bool
    provider: str
    provider_sid: str | None
    connection_id: int | None
    connection: str | None
    connection_is_active: bool
    country: str
    number_type: NumberType
    label: str
    agent_id: int | None
    agent: str | None
    allowed_inbound: tuple[str, ...]
    allowed_outbound: tuple[str, ...]
    provider_fields: dict[str, str]
    tags: tuple[str, ...]
    notes: str
    voice_url: str | None
    status_callback_url: str | None
    created_at: datetime
    updated_at: datetime
    released_at: datetime | None
    buy_back_until: datetime | None
    price: Money | None
    version: int

    @property
    def is_gone(self) -> bool:
        """Whether the number was released or removed: it can be looked at, not changed."""
        return self.status in GONE


def find(session: Session, scope: Scope, number_id: int) -> NumberDetail | None:
    """Return a number in *scope* with the names of what it refers to."""
    found = session.execute(
        sa.select(PhoneNumber, Connection, Agent.name, Tenant.name)
        .join(Tenant, Tenant.id == PhoneNumber.tenant_id)
        .outerjoin(Connection, Connection.id == PhoneNumber.connection_id)
        .outerjoin(Agent, Agent.id == PhoneNumber.agent_id)
        .where(PhoneNumber.id == number_id, scope.of(PhoneNumber.tenant_id))
    ).first()
    if found is None:
        return None
    number, connection, agent, tenant = found
    return NumberDetail(
        id=number.id,
        tenant_id=number.tenant_id,
        tenant=tenant,
        e164=number.e164,
        status=number.status,
        is_managed=number.is_managed,
        provider=number.provider,
        provider_sid=number.provider_sid,
        connection_id=number.connection_id,
        connection=connection.name if connection else None,
        connection_is_active=bool(connection and connection.is_active),
        country=number.country,
        number_type=number.number_type,
        label=number.label,
        agent_id=number.agent_id,
        agent=agent,
        allowed_inbound=tuple(number.allowed_inbound),
        allowed_outbound=tuple(number.allowed_outbound),
        provider_fields=dict(number.provider_fields),
        tags=tuple(db.numbers.queries.tags_of(session, number_id)),
        notes=number.notes,
        voice_url=connection.voice_url if connection else None,
        status_callback_url=connection.status_callback_url if connection else None,
        created_at=number.created_at,
        updated_at=number.updated_at,
        released_at=number.released_at,
        buy_back_until=number.buy_back_until,
        price=Money.of(number.price, number.currency),
        version=number.version,
    )


def campaigns(session: Session, scope: Scope, number_id: int) -> list[CampaignUse]:
    """Return the campaigns whose primary number or pool the number is in."""
    pooled = sa.and_(CampaignNumber.campaign_id == Campaign.id, CampaignNumber.number_id == number_id)
    rows = session.execute(
        sa.select(Campaign.id, Campaign.name, Campaign.primary_number_id == number_id, CampaignNumber.number_id)
        .outerjoin(CampaignNumber, pooled)
        .where(
            scope.of(Campaign.tenant_id),
            sa.or_(Campaign.primary_number_id == number_id, CampaignNumber.number_id == number_id),
        )
        .order_by(Campaign.name)
    )
    return [CampaignUse(id, name, bool(primary), pool is not None) for id, name, primary, pool in rows]


def left_campaigns(session: Session, scope: Scope, number_id: int) -> list[str]:
    """Return the names of campaigns whose pools the number has left."""
    gone = (CampaignNumber.number_id == number_id, CampaignNumber.pool_status == PoolStatus.REMOVED)
    return list(
        session.scalars(
            sa.select(Campaign.name)
            .join(CampaignNumber, CampaignNumber.campaign_id == Campaign.id)
            .where(scope.of(CampaignNumber.tenant_id), *gone)
            .order_by(Campaign.name)
        )
    )
