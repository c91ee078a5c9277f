"""Replacing numbers in the pools where they are: a spare number joins, then the other one leaves, by a job."""

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile

from sqlmodel import Session

import db.campaigns
from db.base.scope import Scope
from db.campaigns import Spare
from db.models import Campaign, CampaignNumber, Job, JobItem, Outcome, PhoneNumber, PoolStatus
from services.audit.audit import Action
from services.campaigns import campaigns
from services.campaigns.bulk import RESTORING, Places, Pooling, status_of
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict
from services.jobs import drafts
from services.jobs.drafts import Item
from services.numbers import bulk
from services.numbers.bulk import Chosen

NO_SPARE = "No active number of this country is outside of all pools. Buy or add one first."
MOST_SPARES = 5_000
"""Spare numbers that are looked at: the oldest."""

_NOT_JOINED = "Its replacement is not in the pool, so it stays there."


@dataclass(frozen=True)
class Replacing(Pooling):
    """Has spare numbers join pools, and those that they replace leave. A primary number hands that over as well.

    What is to join stands before what is to leave, and names it.
    """

    def wanted(self, _job: Job, item: JobItem, _now: PoolStatus | None) -> PoolStatus | None:
        """Return that a number joins, or that it leaves because a spare one is there."""
        return None if "spare_id" in item.settings else PoolStatus.ACTIVE

    def _change(
        self,
        session: Session,
        job: Job,
        item: JobItem,
        campaign: Campaign,
        number: PhoneNumber | None,
        place: CampaignNumber | None,
    ) -> None:
        spare_id = item.settings.get("spare_id")
        if spare_id is not None:
            session.flush()
            joined = db.campaigns.place(session, Scope(campaign.tenant_id), campaign.id, spare_id)
            if status_of(joined) is None:
                raise Conflict(_NOT_JOINED)
        was_primary = number is not None and campaign.primary_number_id == number.id
        super()._change(session, job, item, campaign, number, place)
        if spare_id is not None and was_primary and item.outcome is Outcome.CHANGED:
            campaign.primary_number_id = spare_id


REPLACING = Replacing("pool_replace", "Replace in pool", Action.CAMPAIGNS_REPLACE_NUMBER, RESTORING, "Change")


def draft(session: Session, actor: Actor, places: Places) -> int:
    """Preview that each number is replaced, where it is, by a spare one of its country; return the id of the job.

    Spare are active numbers that are in no pool; of these the one that begins most like the other is taken.
    """
    require(actor, Permission.CAMPAIGNS_WRITE)
    scope = Scope(require_tenant(actor))
    rows = {row.id: row for row in bulk.chosen_rows(session, actor, Chosen(tuple(one for _, one in places)))}
    spares: dict[str, list[Spare]] = defaultdict(list)
    for spare in db.campaigns.spares(session, scope, {row.country for row in rows.values()}, MOST_SPARES):
        spares[spare.country].append(spare)
    items: list[Item] = []
    for campaign_id in sorted({campaign_id for campaign_id, _ in places}):
        campaign = campaigns.get(session, actor, campaign_id)
        statuses = db.campaigns.statuses(session, scope, campaign.id)
        about = {"campaign_id": campaign.id}
        for number_id in sorted({one for where, one in places if where == campaign_id}):
            row, now = rows.get(number_id), statuses.get(number_id)
            if row is None:
                items.append(replace(bulk.missing(number_id), settings=about))
                continue
            leaves = Item(row.e164, row.id, row.version, settings=about)
            leaves.before = {"campaign": campaign.name, "pool_status": now and str(now)}
            items.append(leaves)
            like = spares[row.country]
            if now is None or not like:
                leaves.outcome, leaves.reason = Outcome.REFUSED, campaigns.NOT_IN_POOL if now is None else NO_SPARE
                continue
            spare = max(like, key=partial(_likeness, row.e164))
            like.remove(spare)
            leaves.settings = {**about, "spare_id": spare.id}
            leaves.after = {"campaign": campaign.name, "pool_status": None, "replaced_by": spare.e164}
            joins = Item(spare.e164, spare.id, settings=about)
            joins.before = {"campaign": campaign.name, "pool_status": None}
            joins.after = {"campaign": campaign.name, "pool_status": str(PoolStatus.ACTIVE), "replaces": row.e164}
            items.insert(-1, joins)
    return drafts.put(session, actor, REPLACING, REPLACING.title, {}, items)


def _likeness(e164: str, spare: Spare) -> int:
    """Return how many digits a spare number begins with as another one does: the more, the nearer it is."""
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(e164, spare.e164, strict=False))
    return sum(1 for _ in alike)
