"""Whole records of numbers, many at a time: for downloads, and to compare files with."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.base.scope import Scope
from db.models import (
    GONE,
    IN_POOL,
    Agent,
    Campaign,
    CampaignNumber,
    Connection,
    NumberStatus,
    NumberTag,
    NumberType,
    PhoneNumber,
    Tenant,
)
from db.numbers.queries import NumberQuery, matching
from db.numbers.text_search import holding

_AT_ONCE = 10_000


class NumberRecord(NamedTuple):
    """All that is on record of a number, in words that read alone. `campaigns` are those that it serves."""

    id: int
    e164: str
    status: NumberStatus
    is_managed: bool
    label: str
    country: str
    number_type: NumberType
    provider: str
    provider_sid: str | None
    connection: str | None
    agent: str | None
    tenant: str
    allowed_inbound: list[str]
    allowed_outbound: list[str]
    provider_fields: dict[str, str]
    notes: str
    price: Decimal | None
    currency: str | None
    created_at: datetime
    updated_at: datetime
    released_at: datetime | None
    buy_back_until: datetime | None
    tags: Sequence[str]
    campaigns: Sequence[str]

    @property
    def is_gone(self) -> bool:
        """Whether the number was released or removed."""
        return self.status in GONE


def walk(session: Session, scope: Scope, query: NumberQuery, batch: int = 1000) -> Iterator[NumberRecord]:
    """Yield every number that matches, in the order of ids, holding *batch* records at a time."""
    searched = [holding(session, query.search)] if query.search else []
    after = 0
    while True:
        found = session.execute(
            _records()
            .where(PhoneNumber.id > after, *matching(scope, query), *searched)
            .order_by(PhoneNumber.id)
            .limit(batch)
        ).all()
        ids = [row[0] for row in found]
        tags, campaigns = _tags(session, ids), _campaigns(session, ids)
        for row in found:
            yield NumberRecord._make((*row, tags.get(row[0], ()), campaigns.get(row[0], ())))
        if len(found) < batch:
            return
        after = ids[-1]


def among(session: Session, tenant_id: int, e164s: Sequence[str]) -> dict[str, list[NumberRecord]]:
    """Return the tenant's records of *e164s*, without campaigns: of each the one it holds, then the newest gone."""
    found: dict[str, list[NumberRecord]] = {}
    for start in range(0, len(e164s), _AT_ONCE):
        wanted = PhoneNumber.e164.in_(e164s[start : start + _AT_ONCE])
        rows = session.execute(_records().where(PhoneNumber.tenant_id == tenant_id, wanted)).all()
        tags = _tags(session, [row[0] for row in rows])
        for row in rows:
            record = NumberRecord._make((*row, tags.get(row[0], ()), ()))
            found.setdefault(record.e164, []).append(record)
    for records in found.values():
        records.sort(key=lambda record: (record.is_gone, -record.id))
    return found


def _records() -> Any:
    columns: tuple[Any, ...] = (
        PhoneNumber.id,
        PhoneNumber.e164,
        PhoneNumber.status,
        PhoneNumber.is_managed,
        PhoneNumber.label,
        PhoneNumber.country,
        PhoneNumber.number_type,
        PhoneNumber.provider,
        PhoneNumber.provider_sid,
        Connection.name,
        Agent.name,
        Tenant.name,
        PhoneNumber.allowed_inbound,
        PhoneNumber.allowed_outbound,
        PhoneNumber.provider_fields,
        PhoneNumber.notes,
        PhoneNumber.price,
        PhoneNumber.currency,
        PhoneNumber.created_at,
        PhoneNumber.updated_at,
        PhoneNumber.released_at,
        PhoneNumber.buy_back_until,
    )
    return (
        sa.select(*columns)
        .join(Tenant, Tenant.id == PhoneNumber.tenant_id)
        .outerjoin(Connection, Connection.id == PhoneNumber.connection_id)
        .outerjoin(Agent, Agent.id == PhoneNumber.agent_id)
    )


def _tags(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the tags of numbers, in alphabetical order; nothing for one that has none."""
    columns: tuple[Any, ...] = (NumberTag.number_id, NumberTag.tag)
    return _sorted(session.execute(sa.select(*columns).where(NumberTag.number_id.in_(ids))))


def _campaigns(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the names of the campaigns in whose pool numbers are, or whose primary number they are."""
    pooled = (
        sa.select(PhoneNumber.id, Campaign.name)
        .join(
            CampaignNumber,
            sa.and_(CampaignNumber.tenant_id == PhoneNumber.tenant_id, CampaignNumber.number_id == PhoneNumber.id),
        )
        .join(Campaign, Campaign.id == CampaignNumber.campaign_id)
        .where(PhoneNumber.id.in_(ids), IN_POOL)
    )
    primary = sa.select(Campaign.primary_number_id, Campaign.name).where(Campaign.primary_number_id.in_(ids))
    return _sorted(session.execute(pooled.union(primary)))


def _sorted(rows: Any) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for number_id, name in rows:
        found.setdefault(number_id, []).append(name)
    for names in found.values():
        names.sort(key=lambda name: (name.casefold(), name))
    return found
