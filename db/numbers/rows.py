"""Numbers as they are read: a few fields for the list, and all for the page, downloads, and to compare files with."""

import functools
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

import db.base.bulk
from db.base.money import Money
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
    PoolStatus,
    Tenant,
)

_AT_ONCE = 10_000


class ListedNumber(NamedTuple):
    """A line of the list: no field that is slow to read, since every click draws the list anew."""

    id: int
    tenant: str
    e164: str
    status: NumberStatus
    is_managed: bool
    provider: str
    connection: str | None
    label: str
    agent: str | None
    created_at: datetime


class NumberRow(NamedTuple):
    """All that is on record of a number, with the names of what it refers to.

    `tags` are in alphabetical order, `campaigns` are those that it serves; both are left out where nobody needs them.
    """

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
    voice_url: str | None
    status_callback_url: str | None
    country: str
    number_type: NumberType
    label: str
    agent_id: int | None
    agent: str | None
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
    version: int
    tags: Sequence[str] = ()
    campaigns: Sequence[str] = ()

    @property
    def is_gone(self) -> bool:
        """Whether the number was released or removed: it can be looked at, not changed."""
        return self.status in GONE

    @property
    def monthly(self) -> Money | None:
        """What the number costs a month, where that is known."""
        return Money.of(self.price, self.currency)


class CampaignUse(NamedTuple):
    """A campaign that a number serves."""

    id: int
    name: str
    is_primary: bool
    in_pool: bool


_JOINED = {
    "tenant": Tenant.name,
    "connection": Connection.name,
    "voice_url": Connection.voice_url,
    "status_callback_url": Connection.status_callback_url,
    "agent": Agent.name,
}
"""The fields of a row that come from other tables; all others are columns of the number itself."""


@functools.cache  # it takes longer to build than to answer
def selected(row: type[ListedNumber | NumberRow] = NumberRow) -> Any:
    """Select the fields of a kind of *row*, in its order, without those that have a default: tags and campaigns."""
    names = [name for name in row._fields if name not in row._field_defaults]
    columns = [_JOINED.get(name) or getattr(PhoneNumber, name) for name in names]
    return (
        sa.select(*columns)
        .join(Tenant, Tenant.id == PhoneNumber.tenant_id)
        .outerjoin(Connection, Connection.id == PhoneNumber.connection_id)
        .outerjoin(Agent, Agent.id == PhoneNumber.agent_id)
    )


def load(session: Session, numbers: Any, *, with_campaigns: bool = True) -> list[NumberRow]:
    """Return the rows of *numbers*, a query of `selected`, with their tags and campaigns."""
    found = session.execute(numbers).all()
    ids = [row.id for row in found]
    tagged = tags(session, ids)
    serving = campaigns(session, Scope(None), ids) if with_campaigns else {}
    return [NumberRow._make((*row, tagged.get(row.id, []), serving.get(row.id, []))) for row in found]


def find(session: Session, scope: Scope, number_id: int) -> NumberRow | None:
    """Return a number in *scope*, without campaigns."""
    one = selected().where(PhoneNumber.id == number_id, scope.of(PhoneNumber.tenant_id))
    return next(iter(load(session, one, with_campaigns=False)), None)


def of_ids(session: Session, scope: Scope, ids: Sequence[int]) -> dict[int, NumberRow]:
    """Return numbers in *scope* by their ids, without campaigns."""
    found = {}
    for some_ids in db.base.bulk.batches(ids):
        some = selected().where(PhoneNumber.id.in_(some_ids), scope.of(PhoneNumber.tenant_id))
        found.update({row.id: row for row in load(session, some, with_campaigns=False)})
    return found


def among(session: Session, tenant_id: int, e164s: Sequence[str]) -> dict[str, list[NumberRow]]:
    """Return the tenant's numbers of *e164s*, without campaigns: of each the one it holds, then the newest gone."""
    found: dict[str, list[NumberRow]] = {}
    for some_e164s in db.base.bulk.batches(e164s):
        wanted = PhoneNumber.e164.in_(some_e164s)
        some = selected().where(PhoneNumber.tenant_id == tenant_id, wanted)
        for number in load(session, some, with_campaigns=False):
            found.setdefault(number.e164, []).append(number)
    for numbers in found.values():
        numbers.sort(key=lambda number: (number.is_gone, -number.id))
    return found


def tags(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the tags of numbers, in alphabetical order; nothing for one that has none."""
    columns: tuple[Any, ...] = (NumberTag.number_id, NumberTag.tag)
    return _sorted(session.execute(sa.select(*columns).where(NumberTag.number_id.in_(ids))))


def campaigns(session: Session, scope: Scope, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the names of the campaigns in *scope* in whose pool numbers are, or whose primary number they are."""
    found: dict[int, list[str]] = {}
    for some_ids in db.base.bulk.batches(ids):
        found.update(_campaigns(session, scope, some_ids))
    return found


def _campaigns(session: Session, scope: Scope, ids: Sequence[int]) -> dict[int, list[str]]:
    pooled = (
        sa.select(PhoneNumber.id, Campaign.name)
        .join(
            CampaignNumber,
            sa.and_(CampaignNumber.tenant_id == PhoneNumber.tenant_id, CampaignNumber.number_id == PhoneNumber.id),
        )
        .join(Campaign, Campaign.id == CampaignNumber.campaign_id)
        .where(scope.of(PhoneNumber.tenant_id), PhoneNumber.id.in_(ids), IN_POOL)
    )
    primary = sa.select(Campaign.primary_number_id, Campaign.name)
    primary = primary.where(scope.of(Campaign.tenant_id), Campaign.primary_number_id.in_(ids))
    return _sorted(session.execute(pooled.union(primary)))


def uses(session: Session, scope: Scope, number_id: int) -> list[CampaignUse]:
    """Return the campaigns whose primary number or pool the number is in."""
    rows = session.execute(
        sa.select(
            Campaign.id,
            Campaign.name,
            Campaign.primary_number_id.is_not_distinct_from(number_id),
            CampaignNumber.number_id.is_not(None),
        )
        .outerjoin(
            CampaignNumber,
            sa.and_(CampaignNumber.campaign_id == Campaign.id, CampaignNumber.number_id == number_id, IN_POOL),
        )
        .where(
            scope.of(Campaign.tenant_id),
            sa.or_(Campaign.primary_number_id == number_id, CampaignNumber.number_id.is_not(None)),
        )
        .order_by(Campaign.name)
    )
    return [CampaignUse(*row) for row in rows]


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


def _sorted(rows: Any) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for number_id, name in rows:
        found.setdefault(number_id, []).append(name)
    for names in found.values():
        names.sort(key=lambda name: (name.casefold(), name))
    return found
