"""Campaigns: each calls from a pool of numbers and has a primary number."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from sqlmodel import Session

import db.base.engine
import db.campaigns
import db.numbers.queries
from db.base.scope import Scope, Slice
from db.campaigns import CampaignDetail, CampaignQuery, Candidate, PoolRow
from db.models import Campaign, CampaignNumber, CampaignStatus, NumberStatus, PoolStatus
from services.audit.audit import Action
from services.core import changes, validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, InvalidInput, found
from services.health import number_health
from services.text import numbering

__all__ = ["CampaignQuery"]

WINDOW = 30
"""Days of calls that the health of a pool is shown over."""

SHORTEST_SEARCH = 2
MOST_CANDIDATES = 20
MOST_AT_ONCE = 100
LARGEST_WEIGHT = 1000.0
NOT_IN_POOL = "This number is not in the pool."

SETTABLE = tuple(status for status in PoolStatus if status is not PoolStatus.REMOVED)
"""The pool statuses that can be set; `remove_number` removes a number."""


def count(session: Session, actor: Actor, query: CampaignQuery) -> int:
    """Return how many campaigns match."""
    require(actor, Permission.CAMPAIGNS_READ)
    return db.campaigns.count(session, actor.scope, query)


def search(session: Session, actor: Actor, query: CampaignQuery, part: Slice) -> list[CampaignDetail]:
    """Return the *part* of the campaigns that match *query*."""
    require(actor, Permission.CAMPAIGNS_READ)
    return db.campaigns.search(session, actor.scope, query, part)


def get(session: Session, actor: Actor, campaign_id: object) -> CampaignDetail:
    """Return one campaign. Raises NotFound for one outside the actor's scope."""
    require(actor, Permission.CAMPAIGNS_READ)
    return found(db.campaigns.find_detail(session, actor.scope, validation.as_id(campaign_id)))


def pool(session: Session, actor: Actor, campaign_id: int, today: date, part: Slice) -> list[PoolRow]:
    """Return the *part* of a campaign's pool, each number with its calls of the last WINDOW whole days."""
    require(actor, Permission.CAMPAIGNS_READ)
    require(actor, Permission.HEALTH_READ)
    window = number_health.window(WINDOW, today)
    return db.campaigns.pool(session, actor.scope, campaign_id, window.since, window.until, part)


def candidates(session: Session, actor: Actor, campaign_id: int, typed: str) -> list[Candidate]:
    """Return at most MOST_CANDIDATES active numbers that hold what was *typed* and could join the pool."""
    require(actor, Permission.CAMPAIGNS_WRITE)
    campaign = get(session, actor, campaign_id)
    text = numbering.search_text(typed)
    if text is None or len(text.text) < SHORTEST_SEARCH:
        return []
    return db.campaigns.candidates(session, Scope(campaign.tenant_id), campaign_id, text, MOST_CANDIDATES)


def add(session: Session, actor: Actor, name: str, status: CampaignStatus) -> int:
    """Add a campaign with an empty pool and return its id.

    Raises Forbidden, InvalidInput, NotFound when no tenant is chosen.
    """
    require(actor, Permission.CAMPAIGNS_WRITE)
    tenant_id = require_tenant(actor)

    def make() -> Campaign:
        free = changes.free_name(session, _NOUN, tenant_id, name)
        return Campaign(tenant_id=tenant_id, name=free, status=CampaignStatus(status))

    return changes.add(session, actor, _NOUN, make, Action.CAMPAIGNS_ADD)


def edit(session: Session, actor: Actor, campaign_id: int, name: str, status: CampaignStatus, *, version: int) -> int:
    """Change a campaign's name and status.

    Return the new version. Raises Forbidden, NotFound, InvalidInput, or Conflict when the campaign is
    no longer at *version*.
    """
    require(actor, Permission.CAMPAIGNS_WRITE)

    def apply(campaign: Campaign) -> None:
        campaign.name = changes.free_name(session, _NOUN, campaign.tenant_id, name, but=campaign.id)
        campaign.status = CampaignStatus(status)

    return changes.change(session, actor, _NOUN, campaign_id, Action.CAMPAIGNS_EDIT, apply, version=version)


def set_primary(session: Session, actor: Actor, campaign_id: int, number_id: int | None, *, version: int) -> int:
    """Set or clear the primary number. Returns and raises as `edit`."""
    require(actor, Permission.CAMPAIGNS_WRITE)

    def apply(campaign: Campaign) -> None:
        if number_id is not None:
            _pooled(session, campaign, number_id)
        campaign.primary_number_id = number_id

    return changes.change(session, actor, _NOUN, campaign_id, Action.CAMPAIGNS_SET_PRIMARY, apply, version=version)


def add_numbers(session: Session, actor: Actor, campaign_id: int, number_ids: Sequence[int], *, version: int) -> int:
    """Add active numbers of the tenant to the pool; those already in it stay as they are.

    Returns and raises as `edit`; a number that cannot be added is an InvalidInput, and then none is.
    """
    require(actor, Permission.CAMPAIGNS_WRITE)
    if not 0 < len(number_ids) <= MOST_AT_ONCE:
        raise InvalidInput(f"Choose 1 to {MOST_AT_ONCE} numbers.", field="numbers")

    def apply(campaign: Campaign) -> None:
        scope = Scope(campaign.tenant_id)
        for number_id in number_ids:
            number = found(db.numbers.queries.find(session, scope, validation.as_id(number_id)))
            if number.status is not NumberStatus.ACTIVE:
                raise InvalidInput(f"{numbering.display(number.e164)} is not active, so it cannot join a pool.")
            place = db.campaigns.place(session, scope, campaign_id, number_id)
            if status_of(place) is None:
                put(session, campaign, number_id, place, PoolStatus.ACTIVE)

    noun = with_places(number_ids)
    return changes.change(session, actor, noun, campaign_id, Action.CAMPAIGNS_ADD_NUMBERS, apply, version=version)


def edit_place(
    session: Session,
    actor: Actor,
    campaign_id: int,
    number_id: int,
    status: PoolStatus,
    weight: float | None,
    *,
    version: int,
) -> int:
    """Set a number's pool status and weight. Returns and raises as `edit`."""
    require(actor, Permission.CAMPAIGNS_WRITE)
    expect_settable(status)
    if weight is not None and not 0 <= weight <= LARGEST_WEIGHT:
        raise InvalidInput(f"A weight is between 0 and {LARGEST_WEIGHT:,.0f}.", field="weight")

    def apply(campaign: Campaign) -> None:
        place = _pooled(session, campaign, number_id)
        place.pool_status, place.weight = PoolStatus(status), weight

    noun = with_places([number_id])
    return changes.change(session, actor, noun, campaign_id, Action.CAMPAIGNS_EDIT_POOL, apply, version=version)


def remove_number(session: Session, actor: Actor, campaign_id: int, number_id: int, *, version: int) -> int:
    """Remove a number from the pool, also as the primary number. Returns and raises as `edit`."""
    require(actor, Permission.CAMPAIGNS_WRITE)

    def apply(campaign: Campaign) -> None:
        leave(campaign, number_id, _pooled(session, campaign, number_id))

    noun = with_places([number_id])
    return changes.change(session, actor, noun, campaign_id, Action.CAMPAIGNS_REMOVE_NUMBER, apply, version=version)


def expect_settable(status: PoolStatus) -> None:
    """Raise InvalidInput for a pool status that cannot be set."""
    if status not in SETTABLE:
        raise InvalidInput("Choose a pool status from the list.", field="pool_status")


def status_of(place: CampaignNumber | None) -> PoolStatus | None:
    """Return a place's status in its pool; None when there is none, or it was left."""
    return None if place is None or place.pool_status is PoolStatus.REMOVED else place.pool_status


def put(session: Session, campaign: Campaign, number_id: int, place: CampaignNumber | None, status: PoolStatus) -> None:
    """Give a number a status in the pool of a locked campaign, where it may have a *place* or have left one.

    One that joins begins without a weight. It leaves by `leave`.
    """
    if place is None:
        place = CampaignNumber(campaign_id=campaign.id, number_id=number_id, tenant_id=campaign.tenant_id)
        session.add(place)
        place.pool_status = PoolStatus.REMOVED
    if place.pool_status is PoolStatus.REMOVED:
        place.weight, place.added_at, place.left_at = None, datetime.now(UTC), None
    place.pool_status = status


def leave(campaign: Campaign, number_id: int, place: CampaignNumber | None) -> None:
    """Remove a number from the pool of a campaign, where it may have a *place*, and as the primary number."""
    if place is not None and place.pool_status is not PoolStatus.REMOVED:
        place.pool_status, place.left_at = PoolStatus.REMOVED, datetime.now(UTC)
    if campaign.primary_number_id == number_id:
        campaign.primary_number_id = None


def _pooled(session: Session, campaign: Campaign, number_id: int) -> CampaignNumber:
    """Return a number's place in the pool. Raises Conflict when it has none, or has left it."""
    place = db.campaigns.place(session, Scope(campaign.tenant_id), campaign.id, validation.as_id(number_id))
    if place is None or place.pool_status is PoolStatus.REMOVED:
        raise Conflict("This number is no longer in the pool. Nothing was saved.")
    return place


def _words(session: Session, campaign: Campaign) -> dict[str, Any]:
    primary = campaign.primary_number_id
    number = db.numbers.queries.find(session, Scope(campaign.tenant_id), primary) if primary else None
    return {
        "name": campaign.name,
        "status": str(campaign.status),
        "primary_number": number.e164 if number else None,
    }


def with_places(number_ids: Sequence[int]) -> changes.Noun[Campaign]:
    """Return the noun whose words also tell the places of these numbers in the pool, each under its number."""

    def words(session: Session, campaign: Campaign) -> dict[str, Any]:
        told = _words(session, campaign)
        for e164, place in db.campaigns.places(session, Scope(campaign.tenant_id), campaign.id, number_ids):
            weight = "" if place.weight is None else f", weight {place.weight:g}"
            told[e164] = f"{place.pool_status}{weight}"
        return told

    return replace(_NOUN, words=words)


_NOUN = changes.Noun("campaign", Permission.CAMPAIGNS_WRITE, Campaign, _words)
