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
from db.models import Job, Outcome
from services.core.access import Actor, require, require_tenant
from services.core.errors import InvalidInput
from services.core.transactions import writing
from services.jobs.kinds import LONGEST_REASON, JobKind

MOST_ITEMS = 100_000
"""Items of one job."""

KEPT = timedelta(days=1)
"""How long a preview waits to be started."""


@dataclass
class Item:
    """What a job is to do to one thing, and what would come of it. `monthly` is what the thing costs a month."""

    subject: str
    number_id: int | None = None
    version: int | None = None
    outcome: Outcome = Outcome.WAITING
    reason: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    monthly: Money | None = None


def put(
    session: Session, actor: Actor, kind: JobKind, title: str, settings: dict[str, Any], items: Sequence[Item]
) -> int:
    """Keep a preview and return the id of its job. Raises InvalidInput for no items, or too many."""
    require(actor, kind.permission)
    tenant_id = require_tenant(actor)
    if not items:
        raise InvalidInput("Select at least one number.", field="numbers")
    if len(items) > MOST_ITEMS:
        raise too_many()
    monthly: dict[str, Decimal] = defaultdict(Decimal)
    for item in items:
        if item.monthly and item.outcome is Outcome.WAITING:
            monthly[item.monthly.currency] += item.monthly.amount
    now = datetime.now(UTC)
    with writing(session):
        db.jobs.queries.drop_drafts(session, now - KEPT)
        job = Job(
            tenant_id=tenant_id,
            user_id=actor.user_id,
            kind=kind.name,
            title=title[:200],
            settings=settings,
            total=len(items),
            done=sum(item.outcome is not Outcome.WAITING for item in items),
            refused=sum(item.outcome is Outcome.REFUSED for item in items),
            monthly={currency: str(amount) for currency, amount in sorted(monthly.items())},
        )
        session.add(job)
        session.flush()
        db.jobs.queries.put_items(session, [_columns(job.id, place, item) for place, item in enumerate(items)])
    return job.id


def too_many() -> InvalidInput:
    """Return the refusal of more items than a job can have."""
    return InvalidInput(
        f"A job can have at most {MOST_ITEMS:,} numbers; more are selected. Narrow the filters.", field="numbers"
    )


def _columns(job_id: int, place: int, item: Item) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "place": place,
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
