"""Replacing numbers in the pools where they are: a spare number joins, then the other one leaves, by a job."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from sqlmodel import Session

import db.campaigns
from db.base.scope import Scope
from db.campaigns import Spare
from db.models import Job, JobItem, Outcome, PoolStatus
from services.audit.audit import Action
from services.campaigns import campaigns
from services.campaigns.bulk import RESTORING, Places, Placing, Pooling
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict
from services.jobs import drafts
from services.jobs.drafts import Item
from services.numbers import bulk
from services.numbers.bulk import Chosen
from services.text import numbering

NO_SPARE = (
    "There is no spare number of this country: an active one that is in no pool and rested. Buy or add one first."
)
RESTED = timedelta(days=30)
"""How long a number that left a pool is not spare. To the same pool it does not come back."""
MOST_SPARES = 5_000
"""Spare numbers of a country that are looked at: the oldest."""

_JOINED_ELSEWHERE = "It has joined a pool since, so it is not spare any more."
_TIRED_CHANGED = "The number that it was to replace has changed in the pool since."
_NOT_JOINED = "Its replacement is not in the pool, so it stays there."


@dataclass(frozen=True)
class Replacing(Pooling):
    """Has spare numbers join pools, and those that they replace leave. A primary number hands that over as well.

    What is to join stands before what is to leave, and names it.
    """

    def wanted(self, _job: Job, item: JobItem, _now: PoolStatus | None) -> PoolStatus | None:
        """Return that a number joins, or that it leaves because a spare one is there."""
        return None if "spare_id" in item.settings else PoolStatus.ACTIVE

    def change(self, at: Placing) -> None:
        """Have a spare number join, or the one that it replaces leave. Raises Conflict when the other one can't."""
        settings = at.item.settings
        if "tired_id" in settings:
            self._expect_spare(at, settings["tired_id"], settings["tired_status"])
        if "spare_id" in settings:
            at.session.flush()
            if _status(at, settings["spare_id"]) is None:
                raise Conflict(_NOT_JOINED)
        super().change(at)
        if "spare_id" in settings and at.item.old.get("was_primary"):
            at.campaign.primary_number_id = settings["spare_id"]

    def _expect_spare(self, at: Placing, tired_id: int, tired_status: str) -> None:
        if at.number is not None and db.campaigns.is_pooled(at.session, Scope(at.campaign.tenant_id), at.number.id):
            raise Conflict(_JOINED_ELSEWHERE)
        if str(_status(at, tired_id)) != tired_status:
            raise Conflict(_TIRED_CHANGED)


def _status(at: Placing, number_id: int) -> PoolStatus | None:
    """Return the status of another number in the same pool."""
    return campaigns.status_of(db.campaigns.place(at.session, Scope(at.campaign.tenant_id), at.campaign.id, number_id))


REPLACING = Replacing("pool_replace", "Replace in pool", Action.CAMPAIGNS_REPLACE_NUMBER, RESTORING, "Change")


def draft(session: Session, actor: Actor, places: Places) -> int:
    """Preview that each number is replaced, where it is, by a spare one of its country; return the id of the job.

    Spare are active numbers that are in no pool, left none of late, and were never in this one; of these the one that
    begins most like the other is taken.
    """
    require(actor, Permission.CAMPAIGNS_WRITE)
    scope = Scope(require_tenant(actor))
    rows = {row.id: row for row in bulk.chosen_rows(session, actor, Chosen(tuple(one for _, one in places)))}
    countries = {row.country for row in rows.values()}
    rested = datetime.now(UTC) - RESTED
    spares = {one: db.campaigns.spares(session, scope, one, rested, MOST_SPARES) for one in countries}
    taken: set[int] = set()
    items: list[Item] = []
    for campaign_id in sorted({campaign_id for campaign_id, _ in places}):
        campaign = campaigns.get(session, actor, campaign_id)
        statuses = db.campaigns.statuses(session, scope, campaign.id)
        about, ever = {"campaign_id": campaign.id}, db.campaigns.ever_pooled(session, scope, campaign.id) | taken
        fresh = {one: [spare for spare in some if spare.id not in ever] for one, some in spares.items()}
        for number_id in sorted({one for where, one in places if where == campaign_id}):
            row, now = rows.get(number_id), statuses.get(number_id)
            if row is None:
                items.append(replace(bulk.missing(number_id), settings=about))
                continue
            leaves = Item(row.e164, row.id, row.version, settings=about)
            leaves.before = {"campaign": campaign.name, "pool_status": now and str(now)}
            items.append(leaves)
            like = fresh[row.country]
            if now is None or not like:
                leaves.outcome, leaves.reason = Outcome.REFUSED, campaigns.NOT_IN_POOL if now is None else NO_SPARE
                continue
            spare = like.pop(_most_like(row.e164, like))
            taken.add(spare.id)
            leaves.settings = {**about, "spare_id": spare.id}
            leaves.after = {
                "campaign": campaign.name,
                "pool_status": None,
                "replaced_by": numbering.display(spare.e164),
            }
            joins = Item(spare.e164, spare.id)
            joins.settings = {**about, "tired_id": row.id, "tired_status": str(now)}
            joins.before = {"campaign": campaign.name, "pool_status": None}
            joins.after = {
                "campaign": campaign.name,
                "pool_status": str(PoolStatus.ACTIVE),
                "replaces": numbering.display(row.e164),
            }
            items.insert(-1, joins)
    return drafts.put(session, actor, REPLACING, REPLACING.title, {}, items)


def _most_like(e164: str, spares: Sequence[Spare]) -> int:
    """Return the place of the spare number that begins with the most digits as another does.

    They are in the order of their digits, in which the likest are neighbors.
    """
    at = bisect_left(spares, e164, key=lambda one: one.e164)
    return max((place for place in (at - 1, at) if 0 <= place < len(spares)), key=lambda one: _alike(e164, spares[one]))


def _alike(e164: str, spare: Spare) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(e164, spare.e164, strict=False)))
