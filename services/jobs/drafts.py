"""Previews of jobs: what is chosen is frozen, and each item judged, before anything is done."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import Session

import db.jobs.queries
from db.base.money import Money
from db.models import Job, JobState, Outcome
from services.core.access import Actor, require, require_tenant
from services.core.errors import Conflict, InvalidInput
from services.core.transactions import writing_within
from services.jobs.kinds import LONGEST_REASON, JobKind

MOST_ITEMS = 100_000
"""Items of one job."""

KEPT = timedelta(days=1)
"""How long a preview waits to be started."""


@dataclass
class Item:
    """What a job is to do to one thing, and what would come of it. `monthly` is what the thing costs a month.

    Its `place` is by default that in the order in which items are given.
    """

    subject: str
    number_id: int | None = None
    version: int | None = None
    outcome: Outcome = Outcome.WAITING
    reason: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    monthly: Money | None = None
    place: int | None = None


def put(
    session: Session,
    actor: Actor,
    kind: JobKind,
    title: str,
    settings: dict[str, Any],
    items: Sequence[Item],
    *,
    most: int = MOST_ITEMS,
    instead_of: int | None = None,
) -> int:
    """Keep a preview, also *instead_of* another one, and return the id of its job.

    Raises InvalidInput for no items, or too many, and Conflict when the other one was started meanwhile.
    """
    require(actor, kind.permission)
    tenant_id = require_tenant(actor)
    if not items:
        raise InvalidInput("Select at least one number.", field="numbers")
    if len(items) > most:
        raise too_many()
    monthly: dict[str, Decimal] = defaultdict(Decimal)
    for item in items:
        if item.monthly and item.outcome is Outcome.WAITING:
            monthly[item.monthly.currency] += item.monthly.amount
    now = datetime.now(UTC)
    with writing_within(session):
        db.jobs.queries.drop_drafts(session, now - KEPT)
        job = Job(tenant_id=tenant_id, user_id=actor.user_id, kind=kind.name, title=title[:200])
        job.api_key_id = actor.api_key_id
        if instead_of is not None:
            job = _emptied(session, instead_of)
        job.settings, job.total = settings, len(items)
        job.done = sum(item.outcome is not Outcome.WAITING for item in items)
        job.refused = sum(item.outcome is Outcome.REFUSED for item in items)
        job.monthly = {currency: str(amount) for currency, amount in sorted(monthly.items())}
        session.add(job)
        session.flush()
        db.jobs.queries.put_items(session, [_columns(job.id, place, item) for place, item in enumerate(items)])
    return job.id


def add(session: Session, job: Job, items: Sequence[Item]) -> None:
    """Add items to a job that finds them by itself, after those that it has."""
    db.jobs.queries.put_items(session, [_columns(job.id, job.total + place, item) for place, item in enumerate(items)])


def too_many() -> InvalidInput:
    """Return the refusal of more items than a job can have."""
    return InvalidInput(
        f"A job can have at most {MOST_ITEMS:,} numbers; more are selected. Narrow the filters.", field="numbers"
    )


def _emptied(session: Session, job_id: int) -> Job:
    """Return a preview without its items, locked. Raises Conflict when it is none any more."""
    job = db.jobs.queries.lock(session, job_id)
    if job is None or job.state is not JobState.DRAFT:
        raise Conflict("This job was started or discarded in the meantime.")
    db.jobs.queries.drop_items(session, job.id)
    return job


def _columns(job_id: int, place: int, item: Item) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "place": place if item.place is None else item.place,
        "subject": item.subject[:120],
        "number_id": item.number_id,
        "version": item.version,
        "settings": item.settings,
        "outcome": item.outcome,
        "reason": item.reason[:LONGEST_REASON],
        "before": item.before,
        "after": item.after,
        "old": {},
    }
