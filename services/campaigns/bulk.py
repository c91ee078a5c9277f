"""Pools of campaigns changed for many numbers at once: previewed, and done by a job."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

import db.base.named
import db.campaigns
import db.numbers.queries
from db.base.scope import Scope
from db.models import Campaign, CampaignNumber, Job, JobItem, NumberStatus, Outcome, PhoneNumber, PoolStatus
from db.numbers.rows import NumberRow
from services.audit.audit import Action
from services.campaigns import campaigns
from services.core import changes
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, InvalidInput, NotFound, ServiceError
from services.jobs import drafts
from services.jobs.drafts import Item
from services.jobs.kinds import JobKind, refuse
from services.numbers import bulk
from services.numbers.bulk import Chosen
from services.text import labels

_NOT_ACTIVE = "This number is not active, so it cannot join a pool."
_CHANGED_SINCE = "Someone else changed its place in the pool since. It was left as it is."


@dataclass(frozen=True)
class Pooling(JobKind):
    """Jobs that change the places of numbers in the pools of campaigns."""

    name: str
    title: str
    action: Action
    undo: "JobKind | None" = None
    verb: str = "Change"
    permission = Permission.CAMPAIGNS_WRITE

    @abstractmethod
    def wanted(self, job: Job, item: JobItem, now: PoolStatus | None) -> PoolStatus | None:
        """Return the pool status that an item is to have, None for outside of the pool. Raises ServiceError."""

    def do(self, session: Session, actor: Actor, job: Job, items: Sequence[JobItem]) -> None:
        """Change the places that are as the preview showed them, in one change of each campaign."""
        require(actor, self.permission)
        by_campaign: dict[int, list[JobItem]] = defaultdict(list)
        for item in items:
            by_campaign[item.settings["campaign_id"]].append(item)
        for campaign_id, some in sorted(by_campaign.items()):
            self._do(session, actor, job, campaign_id, some)

    def _do(self, session: Session, actor: Actor, job: Job, campaign_id: int, items: Sequence[JobItem]) -> None:
        scope, ids = Scope(job.tenant_id), [item.number_id or 0 for item in items]
        campaign = db.base.named.lock(session, Campaign, scope, campaign_id)
        if campaign is None:
            for item in items:
                refuse(item, NotFound())
            return
        numbers = db.numbers.queries.lock_all(session, scope, ids)
        places = {place.number_id: place for _, place in db.campaigns.places(session, scope, campaign.id, ids)}

        def apply(campaign: Campaign) -> None:
            for item in items:
                number, place = numbers.get(item.number_id or 0), places.get(item.number_id or 0)
                try:
                    self.change(Placing(session, job, item, campaign, number, place))
                except ServiceError as exc:
                    refuse(item, exc)

        noun = campaigns.with_places(ids)
        changes.log(session, actor, noun, campaign, self.action, apply, details={"job": str(job.id)})

    def change(self, at: "Placing") -> None:
        """Give a number the place that it is to have. Raises a ServiceError when it has another one by now."""
        item, campaign, number, now = at.item, at.campaign, at.number, campaigns.status_of(at.place)
        if number is None:
            raise NotFound
        if item.before.get("pool_status") != (now and str(now)):
            raise Conflict(_CHANGED_SINCE)
        wanted = self.wanted(at.job, item, now)
        if wanted is now:
            item.outcome = Outcome.UNCHANGED
            return
        if now is None and number.status is not NumberStatus.ACTIVE:
            raise InvalidInput(_NOT_ACTIVE)
        item.old = {"campaign_id": campaign.id, "pool_status": now and str(now)}
        if at.place is not None and now is not None:
            item.old |= {"weight": at.place.weight, "added_at": at.place.added_at.isoformat()}
            item.old["was_primary"] = campaign.primary_number_id == number.id
        if wanted is None:
            campaigns.leave(campaign, number.id, at.place)
        else:
            campaigns.put(at.session, campaign, number.id, at.place, wanted)
        item.outcome, item.after = Outcome.CHANGED, {**item.after, "pool_status": wanted and str(wanted)}
        item.new_version = 0  # a place has none: undoing compares what is there


class Placing(NamedTuple):
    """A number, if it is there, and the place that it has in the pool of a campaign, or none, all locked."""

    session: Session
    job: Job
    item: JobItem
    campaign: Campaign
    number: PhoneNumber | None
    place: CampaignNumber | None


class Joining(Pooling):
    """Adds numbers to a pool; those in it stay as they are."""

    def wanted(self, _job: Job, _item: JobItem, now: PoolStatus | None) -> PoolStatus:
        """Return that a number takes part."""
        return now or PoolStatus.ACTIVE


class Setting(Pooling):
    """Sets the pool status of numbers: to pause them, or have them rest."""

    def wanted(self, job: Job, _item: JobItem, now: PoolStatus | None) -> PoolStatus:
        """Return the status that the job sets."""
        if now is None:
            raise InvalidInput(campaigns.NOT_IN_POOL)
        return PoolStatus(job.settings["status"])


class Leaving(Pooling):
    """Removes numbers from a pool, also as the primary number."""

    def wanted(self, _job: Job, _item: JobItem, _now: PoolStatus | None) -> None:
        """Return that a number leaves."""


class Restoring(Pooling):
    """Gives places back what they were."""

    def wanted(self, _job: Job, item: JobItem, _now: PoolStatus | None) -> PoolStatus | None:
        """Return what the place was."""
        before = item.settings["pool_status"]
        return PoolStatus(before) if before else None

    def change(self, at: Placing) -> None:
        """Give a number its place back; one that had left gets its weight, its date and its rank as well."""
        had_left = campaigns.status_of(at.place) is None
        super().change(at)
        before = at.item.settings
        if at.item.outcome is Outcome.CHANGED and had_left and at.place is not None and "added_at" in before:
            at.place.weight, at.place.added_at = before["weight"], datetime.fromisoformat(before["added_at"])
            if before["was_primary"] and at.campaign.primary_number_id is None:
                at.campaign.primary_number_id = at.place.number_id


RESTORING = Restoring("undo_pool", "Undo", Action.CAMPAIGNS_EDIT_POOL)
JOINING = Joining("pool_add", "Add to a campaign", Action.CAMPAIGNS_ADD_NUMBERS, RESTORING, "Add")
SETTING = Setting("pool_status", "Set pool status", Action.CAMPAIGNS_EDIT_POOL, RESTORING)
LEAVING = Leaving("pool_remove", "Remove from pool", Action.CAMPAIGNS_REMOVE_NUMBER, RESTORING, "Remove")


Places = Sequence[tuple[int, int]]
"""Campaigns and numbers in their pools, by ids."""


def draft_join(session: Session, actor: Actor, chosen: Chosen, *, campaign_id: int) -> int:
    """Preview that numbers join the pool of a campaign; return the id of the job."""
    require(actor, Permission.CAMPAIGNS_WRITE)
    campaign = campaigns.get(session, actor, campaign_id)
    places = [(campaign.id, row.id) for row in bulk.chosen_rows(session, actor, chosen)]
    return _draft(session, actor, JOINING, places, f"Add to {campaign.name}", PoolStatus.ACTIVE)


def draft_status(session: Session, actor: Actor, places: Places, status: PoolStatus) -> int:
    """Preview that numbers get a status in the pools where they are; return the id of the job."""
    require(actor, Permission.CAMPAIGNS_WRITE)
    campaigns.expect_settable(status)
    return _draft(session, actor, SETTING, places, f"Set pool status to {labels.POOL[status]}", status)


def draft_leave(session: Session, actor: Actor, places: Places) -> int:
    """Preview that numbers leave the pools where they are; return the id of the job."""
    require(actor, Permission.CAMPAIGNS_WRITE)
    return _draft(session, actor, LEAVING, places, "Remove from pool", None)


def everything_in_pool(session: Session, actor: Actor, campaign_id: int) -> list[tuple[int, int]]:
    """Return the places of all numbers that are in the pool of a campaign."""
    require(actor, Permission.CAMPAIGNS_READ)
    campaign = campaigns.get(session, actor, campaign_id)
    return [(campaign.id, one) for one in db.campaigns.statuses(session, Scope(campaign.tenant_id), campaign.id)]


def _draft(session: Session, actor: Actor, kind: Pooling, places: Places, title: str, wanted: PoolStatus | None) -> int:
    tenant_id = require_tenant(actor)
    rows = {row.id: row for row in bulk.chosen_rows(session, actor, Chosen(tuple(one for _, one in places)))}
    items = []
    for campaign_id in sorted({campaign_id for campaign_id, _ in places}):
        campaign = campaigns.get(session, actor, campaign_id)
        statuses = db.campaigns.statuses(session, Scope(tenant_id), campaign.id)
        for number_id in sorted({one for where, one in places if where == campaign_id}):
            item = bulk.missing(number_id)
            if row := rows.get(number_id):
                item = _judged(kind, row, statuses.get(number_id), wanted)
            item.settings = {"campaign_id": campaign.id}
            item.before["campaign"] = item.after["campaign"] = campaign.name
            items.append(item)
    return drafts.put(session, actor, kind, title, {"status": wanted and str(wanted)}, items)


def _judged(kind: Pooling, row: NumberRow, now: PoolStatus | None, wanted: PoolStatus | None) -> Item:
    item = Item(row.e164, row.id, row.version)
    after = (now or wanted) if kind is JOINING else wanted
    item.before, item.after = {"pool_status": now and str(now)}, {"pool_status": after and str(after)}
    if now is None and kind is not JOINING:
        item.outcome, item.reason = Outcome.REFUSED, campaigns.NOT_IN_POOL
    elif after is now:
        item.outcome = Outcome.UNCHANGED
    elif now is None and row.status is not NumberStatus.ACTIVE:
        item.outcome, item.reason = Outcome.REFUSED, _NOT_ACTIVE
    return item
