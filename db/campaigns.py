"""Queries over campaigns and their pools."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

import db.base.named
from db.base.rows import columns_for
from db.base.scope import Scope, Slice
from db.base.tables import table_of
from db.models import (
    GONE,
    IN_POOL,
    Campaign,
    CampaignHealth,
    CampaignNumber,
    CampaignStatus,
    NumberStatus,
    PhoneNumber,
    PoolStatus,
    Tenant,
)
from db.numbers.attention import FLAGGED
from db.numbers.text_search import SearchText, holding, names_holding


class CampaignSort(StrEnum):
    """Orders of the list. Each ends in the primary key, so that pages never overlap."""

    NAME = "name"
    NEWEST = "newest"


class Trouble(StrEnum):
    """Problems of an active or paused campaign (a flagged number: only of an active one)."""

    NO_PRIMARY = "no_primary"
    EMPTY_POOL = "empty_pool"
    FLAGGED_NUMBER = "flagged_number"


@dataclass(frozen=True)
class CampaignQuery:
    """Filters over campaigns. Empty means any."""

    text: str = ""
    statuses: tuple[CampaignStatus, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    sort: CampaignSort = CampaignSort.NAME


@dataclass(frozen=True)
class CampaignDetail:
    """A campaign with its primary number and how many numbers its pool holds."""

    id: int
    tenant_id: int
    tenant: str
    name: str
    status: CampaignStatus
    primary_number_id: int | None
    primary_number: str | None
    pool: int
    created_at: datetime
    version: int


@dataclass(frozen=True)
class PoolRow:
    """A number in a campaign's pool, with its calls in the campaign since a day. `weight` is None for none."""

    number_id: int
    e164: str
    label: str
    number_status: NumberStatus
    pool_status: PoolStatus
    weight: float | None
    is_primary: bool
    attempts: int
    answered: int
    detected: int
    machines: int


@dataclass(frozen=True)
class Candidate:
    """A number that could be added to a pool."""

    id: int
    e164: str
    label: str
    country: str


def count(session: Session, scope: Scope, query: CampaignQuery) -> int:
    """Return how many campaigns match."""
    return db.base.named.count(session, Campaign, _matching(scope, query))


def search(session: Session, scope: Scope, query: CampaignQuery, part: Slice) -> list[CampaignDetail]:
    """Return the *part* of the campaigns in *scope* that match *query*, in its order."""
    rows = session.execute(
        _details().where(*_matching(scope, query)).order_by(*_order(query.sort)).limit(part.size).offset(part.offset)
    )
    return [CampaignDetail(*row) for row in rows]


def find_detail(session: Session, scope: Scope, campaign_id: int) -> CampaignDetail | None:
    """Return a campaign in *scope*."""
    row = session.execute(_details().where(Campaign.id == campaign_id, scope.of(Campaign.tenant_id))).first()
    return CampaignDetail(*row) if row else None


def _details() -> Any:
    others = {"tenant": Tenant.name, "primary_number": PhoneNumber.e164, "pool": _pool_size()}
    return (
        sa.select(*columns_for(CampaignDetail, Campaign, **others))
        .join(Tenant, Tenant.id == Campaign.tenant_id)
        .outerjoin(PhoneNumber, PhoneNumber.id == Campaign.primary_number_id)
    )


def pool(session: Session, scope: Scope, campaign_id: int, since: date, until: date, part: Slice) -> list[PoolRow]:
    """Return the *part* of a campaign's pool, the primary number first, with its calls from *since* to *until*."""
    places = (
        sa.select(CampaignNumber)
        .where(
            scope.of(CampaignNumber.tenant_id),
            CampaignNumber.campaign_id == campaign_id,
            IN_POOL,
        )
        .subquery()
    )
    calls = (
        sa.select(
            CampaignHealth.number_id,
            sa.func.sum(CampaignHealth.attempts).label("attempts"),
            sa.func.sum(CampaignHealth.answered).label("answered"),
            sa.func.sum(CampaignHealth.detected).label("detected"),
            sa.func.sum(CampaignHealth.machines).label("machines"),
        )
        .where(
            scope.of(CampaignHealth.tenant_id),
            CampaignHealth.campaign_id == campaign_id,
            CampaignHealth.day >= since,
            CampaignHealth.day <= until,
        )
        .group_by(CampaignHealth.number_id)
        .subquery()
    )
    is_primary = sa.func.coalesce(Campaign.primary_number_id == PhoneNumber.id, sa.false())
    rows = session.execute(
        sa.select(
            PhoneNumber.id,
            PhoneNumber.e164,
            PhoneNumber.label,
            PhoneNumber.status,
            places.c.pool_status,
            places.c.weight,
            is_primary,
            sa.func.coalesce(calls.c.attempts, 0),
            sa.func.coalesce(calls.c.answered, 0),
            sa.func.coalesce(calls.c.detected, 0),
            sa.func.coalesce(calls.c.machines, 0),
        )
        .select_from(places)
        .join(Campaign, Campaign.id == places.c.campaign_id)
        .join(PhoneNumber, PhoneNumber.id == places.c.number_id)
        .outerjoin(calls, calls.c.number_id == PhoneNumber.id)
        .order_by(sa.case((is_primary, 0), else_=1), PhoneNumber.e164, PhoneNumber.id)
        .limit(part.size)
        .offset(part.offset)
    )
    return [PoolRow(*row) for row in rows]


def place(session: Session, scope: Scope, campaign_id: int, number_id: int) -> CampaignNumber | None:
    """Return a number's place in a campaign's pool, also one that it has left."""
    return session.scalar(
        sa.select(CampaignNumber).where(
            scope.of(CampaignNumber.tenant_id),
            CampaignNumber.campaign_id == campaign_id,
            CampaignNumber.number_id == number_id,
        )
    )


def places(
    session: Session, scope: Scope, campaign_id: int, number_ids: Sequence[int]
) -> list[tuple[str, CampaignNumber]]:
    """Return these numbers' places in a campaign's pool, each with its number."""
    rows = session.execute(
        sa.select(PhoneNumber.e164, CampaignNumber)
        .join(PhoneNumber, PhoneNumber.id == CampaignNumber.number_id)
        .where(
            scope.of(CampaignNumber.tenant_id),
            CampaignNumber.campaign_id == campaign_id,
            CampaignNumber.number_id.in_(number_ids),
        )
        .order_by(PhoneNumber.e164)
    )
    return [(e164, place) for e164, place in rows]


def statuses(session: Session, scope: Scope, campaign_id: int) -> dict[int, PoolStatus]:
    """Return the pool status of each number in a campaign's pool."""
    columns: tuple[Any, ...] = (CampaignNumber.number_id, CampaignNumber.pool_status)
    mine = (scope.of(CampaignNumber.tenant_id), CampaignNumber.campaign_id == campaign_id, IN_POOL)
    return dict(session.execute(sa.select(*columns).where(*mine)).all())


class Spare(NamedTuple):
    """An active number that is in no pool."""

    id: int
    e164: str


def spares(session: Session, scope: Scope, country: str, rested: datetime, limit: int) -> list[Spare]:
    """Return the oldest *limit* active numbers of a country that are in no pool, in the order of their digits.

    Those that left a pool after *rested* are not spare: they may have left it for a reason.
    """
    left = CampaignNumber.left_at >= rested
    pooled = sa.select(CampaignNumber.number_id).where(scope.of(CampaignNumber.tenant_id), sa.or_(IN_POOL, left))
    rows = session.execute(
        sa.select(PhoneNumber.id, PhoneNumber.e164)
        .where(
            scope.of(PhoneNumber.tenant_id),
            PhoneNumber.status == NumberStatus.ACTIVE,
            PhoneNumber.country == country,
            PhoneNumber.id.not_in(pooled),
        )
        .order_by(PhoneNumber.id)
        .limit(limit)
    )
    return sorted((Spare(*row) for row in rows), key=lambda one: one.e164)


def ever_pooled(session: Session, scope: Scope, campaign_id: int) -> set[int]:
    """Return the numbers that are, or once were, in a campaign's pool."""
    mine = (scope.of(CampaignNumber.tenant_id), CampaignNumber.campaign_id == campaign_id)
    return set(session.scalars(sa.select(CampaignNumber.number_id).where(*mine)))


def is_pooled(session: Session, scope: Scope, number_id: int) -> bool:
    """Return whether a number is in the pool of any campaign."""
    mine = (scope.of(CampaignNumber.tenant_id), CampaignNumber.number_id == number_id, IN_POOL)
    return bool(session.scalar(sa.select(sa.exists().where(*mine))))


def candidates(session: Session, scope: Scope, campaign_id: int, text: SearchText, limit: int) -> list[Candidate]:
    """Return at most *limit* active numbers that hold what was typed and are not in the campaign's pool."""
    pooled = sa.select(CampaignNumber.number_id).where(CampaignNumber.campaign_id == campaign_id, IN_POOL)
    rows = session.execute(
        sa.select(PhoneNumber.id, PhoneNumber.e164, PhoneNumber.label, PhoneNumber.country)
        .where(
            scope.of(PhoneNumber.tenant_id),
            PhoneNumber.status == NumberStatus.ACTIVE,
            PhoneNumber.id.not_in(pooled),
            holding(session, text),
        )
        .order_by(PhoneNumber.e164, PhoneNumber.id)
        .limit(limit)
    )
    return [Candidate(*row) for row in rows]


def dialing(session: Session, connection_id: int) -> list[str]:
    """Return the numbers that are managed through a connection and are in the pool of an active campaign."""
    pooled = (
        sa.select(CampaignNumber.number_id)
        .join(Campaign, Campaign.id == CampaignNumber.campaign_id)
        .where(IN_POOL, Campaign.status == CampaignStatus.ACTIVE)
    )
    return list(
        session.scalars(
            sa.select(PhoneNumber.e164)
            .where(
                PhoneNumber.connection_id == connection_id,
                PhoneNumber.is_managed.is_(True),
                PhoneNumber.id.in_(pooled),
            )
            .order_by(PhoneNumber.e164)
        )
    )


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


def in_trouble(kind: Trouble) -> Any:
    """Return the condition that a campaign has a trouble."""
    in_use = Campaign.status.in_((CampaignStatus.ACTIVE, CampaignStatus.PAUSED))
    match kind:
        case Trouble.NO_PRIMARY:
            gone = sa.select(PhoneNumber.id).where(
                PhoneNumber.id == Campaign.primary_number_id, PhoneNumber.status.in_(GONE)
            )
            return sa.and_(in_use, sa.or_(Campaign.primary_number_id.is_(None), gone.exists()))
        case Trouble.EMPTY_POOL:
            return sa.and_(in_use, ~sa.select(CampaignNumber.number_id).where(*_pooled()).exists())
        case Trouble.FLAGGED_NUMBER:
            flagged = sa.select(CampaignNumber.number_id).where(CampaignNumber.campaign_id == Campaign.id, FLAGGED)
            return sa.and_(Campaign.status == CampaignStatus.ACTIVE, flagged.exists())


def _pooled() -> tuple[Any, ...]:
    return CampaignNumber.campaign_id == Campaign.id, IN_POOL


def _pool_size() -> Any:
    return sa.select(sa.func.count()).where(*_pooled()).correlate(Campaign).scalar_subquery()


def _order(sort: CampaignSort) -> tuple[Any, ...]:
    campaign = table_of(Campaign).c
    return {
        CampaignSort.NAME: (campaign.name, campaign.id),
        CampaignSort.NEWEST: (campaign.created_at.desc(), campaign.id.desc()),
    }[sort]


def _matching(scope: Scope, query: CampaignQuery) -> list[Any]:
    """The shared conditions of `count` and `search`."""
    conditions = [scope.of(Campaign.tenant_id)]
    if query.text:
        conditions.append(names_holding(Campaign.name, query.text))
    if query.statuses:
        conditions.append(Campaign.status.in_(query.statuses))
    if query.troubles:
        conditions.append(sa.or_(*map(in_trouble, query.troubles)))
    return conditions
