"""The engine of jobs: a step does some items in one transaction, together with what is noted of them.

The rows are the truth. A step may be asked for at any time, by anybody and twice at once: it locks the job, and goes on
from what has no outcome yet. So nothing is done twice, whatever dies.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

import structlog
from sqlmodel import Session

import db.base.engine
import db.jobs.queries
import db.orders.comparisons
import db.people.tenants
import db.people.users
from db.jobs.queries import SCHEDULE
from db.models import GOING, Job, JobItem, JobState, Outcome
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core import settings
from services.core.access import Actor
from services.core.errors import OUR_FAULT, DatabaseUnavailable, ServiceError
from services.core.transactions import write
from services.jobs.kinds import JobKind, refuse
from services.jobs.registry import KINDS
from services.orders import sweep
from services.people import api_keys, sign_in

LONGEST_PROBLEM = 500
_log = structlog.get_logger()


class Step(StrEnum):
    """What comes after a step: there is `more` to do, an answer to `wait` for, or the `end`."""

    MORE = "more"
    WAIT = "wait"
    END = "end"


def advance(job_id: int) -> Step:
    """Do the next items of a job that was started. Raises DatabaseUnavailable, after which it can be asked again."""
    try:
        return _step(job_id)
    except DatabaseUnavailable:
        raise
    except Exception as exc:  # which of the items it was is found out below
        if _is_in_order(job_id):
            return _stop(job_id, exc)
        _log.exception("job.step_failed", job=job_id)
    step = Step.MORE
    for _ in range(settings.current().job_batch):
        try:
            step = _step(job_id, most=1)
        except DatabaseUnavailable:
            raise
        except ServiceError as exc:  # the database refuses it, since what it refers to has changed
            return _give_up_next(job_id, str(exc))
        except Exception:  # ours: it is logged, and costs no other item
            _log.exception("job.item_failed", job=job_id)
            return _give_up_next(job_id, OUR_FAULT)
        if step is not Step.MORE:
            break
    return step


class Looked(NamedTuple):
    """A kind that knows what it looked up for *actor*, and the places of the items that it looked at."""

    kind: JobKind
    actor: Actor
    places: frozenset[int]


def _step(job_id: int, most: int | None = None) -> Step:
    looked = _look(job_id, most)
    with write() as session:
        job = db.jobs.queries.lock(session, job_id)
        if job is None or job.state not in GOING:
            return Step.END
        kind = looked.kind if looked else KINDS[job.kind]
        _run(job)
        ordered = db.jobs.queries.next_items(session, job_id, Outcome.ORDERED, kind.at_once)
        kind.follow(session, ordered)
        _count(job, ordered)
        asked = sum(item.outcome is Outcome.ORDERED for item in ordered)
        actor = _actor(session, job, kind)
        room = min(_room(kind, most), kind.at_once - asked)
        waiting = db.jobs.queries.next_items(session, job_id, Outcome.WAITING, room) if room else []
        items = [item for item in waiting if looked and item.place in looked.places] if kind.looks else waiting
        if (actor is None or job.cancelled_at) and not (kind.acts and items):
            items = []
            db.jobs.queries.cancel_items(session, job_id)
        elif items:
            doer = actor or (looked.actor if looked else None)  # what was done at the provider is noted all the same
            assert doer is not None
            kind.do(session, doer, job, items)
            _count(job, items)
        elif waiting:
            return Step.MORE  # another process has done those that were looked at
        if not items:
            if asked:
                return Step.WAIT
            if actor is not None and not job.cancelled_at and kind.grow(session, actor, job):
                return Step.MORE
            _end(session, job)
            return Step.END
    if any(item.outcome is Outcome.ORDERED for item in items):
        sweep.wake()
    return Step.MORE


def _look(job_id: int, most: int | None) -> Looked | None:
    """Return what a job that has to look at a provider first has found there; None for any other."""
    with db.base.engine.open_session() as session:
        job = db.jobs.queries.peek(session, job_id)
        if job is None or job.state not in GOING or job.cancelled_at or not KINDS[job.kind].looks:
            return None
        kind = KINDS[job.kind]
        actor = _actor(session, job, kind)
        if actor is None:  # the step says why
            return None
        items = db.jobs.queries.next_items(session, job_id, Outcome.WAITING, _room(kind, most))
    if job.state is JobState.WAITING:  # it may look for a while, and nobody is to think that it waits
        with write() as session:
            _run(db.jobs.queries.lock(session, job_id))
    return Looked(kind.looking(job, items), actor, frozenset(item.place for item in items))


def _run(job: Job | None) -> None:
    if job is not None and job.state in GOING:
        job.state, job.started_at = JobState.RUNNING, job.started_at or datetime.now(UTC)


def _room(kind: JobKind, most: int | None) -> int:
    return min(most or settings.current().job_batch, kind.at_once)


def _actor(session: Session, job: Job, kind: JobKind) -> Actor | None:
    """Return who started a job, as the database has them now; None, noting why, when they may no longer do it."""
    user = db.people.users.get(session, job.user_id)
    if job.scheduled:
        tenant = db.people.tenants.find(session, job.tenant_id)
        if tenant is None or tenant.suspended_at:
            job.problem = "The tenant was suspended. What was done stays; the rest was left."
            return None
        return sign_in.on_schedule(session, job.user_id, job.tenant_id, kind.permission)
    if job.api_key_id is None:
        actor = sign_in.load_actor(session, user.username, datetime.now(UTC), job.tenant_id)
    else:
        actor = api_keys.still_held(session, job.tenant_id, job.api_key_id)
        if actor is None:
            job.problem = "The API key that started this was revoked. What was done stays; the rest was left."
            return None
    if actor is not None and actor.tenant_id == job.tenant_id and actor.may(kind.permission):
        return actor
    job.problem = f"{user.name} is no longer allowed to do this in this tenant. What was done stays; the rest was left."
    return None


def _count(job: Job, items: Sequence[JobItem]) -> None:
    """Add what became of *items* that had no outcome before."""
    outcomes = Counter(item.outcome for item in items)
    job.done += len(items) - outcomes[Outcome.ORDERED] - outcomes[Outcome.WAITING]
    job.changed += outcomes[Outcome.CHANGED]
    job.refused += outcomes[Outcome.REFUSED]


def _give_up_next(job_id: int, why: str) -> Step:
    with write() as session:
        job = db.jobs.queries.lock(session, job_id)
        items = db.jobs.queries.next_items(session, job_id, Outcome.WAITING, 1)
        for item in items:
            refuse(item, why)
        if job is None or job.state not in GOING:
            return Step.END
        _count(job, items)
        if items:
            return Step.MORE
        if db.jobs.queries.next_items(session, job_id, Outcome.ORDERED, 1):
            return Step.WAIT
        job.problem = why  # it is no item's fault
        _end(session, job)
        return Step.END


def _is_in_order(job_id: int) -> bool:
    with db.base.engine.open_session() as session:
        job = db.jobs.queries.peek(session, job_id)
        return job is not None and KINDS[job.kind].in_order


def _stop(job_id: int, exc: Exception) -> Step:
    """End a job of whose items none can be done after the one that could not: because of *exc*."""
    if not isinstance(exc, ServiceError):
        _log.error("job.stopped", job=job_id, exc_info=exc)
    with write() as session:
        job = db.jobs.queries.lock(session, job_id)
        if job is not None and job.state in GOING:
            job.problem = (str(exc) if isinstance(exc, ServiceError) else OUR_FAULT)[:LONGEST_PROBLEM]
            db.jobs.queries.cancel_items(session, job_id)
            _end(session, job)
    return Step.END


def _end(session: Session, job: Job) -> None:
    job.state = JobState.FAILED if job.problem else JobState.CANCELLED if job.cancelled_at else JobState.DONE
    job.ended_at = datetime.now(UTC)
    user = db.people.users.get(session, job.user_id)
    name = SCHEDULE if job.scheduled else user.name
    actor = Actor(user.id, user.username, name, tenant_id=job.tenant_id)
    after = {"items": job.total, "items_changed": job.changed, "items_refused": job.refused}
    audit.record(
        session,
        actor,
        Action.JOBS_END,
        subject_of(job),
        after={"state": str(job.state), **after, "problem": job.problem},
    )
    KINDS[job.kind].end(session, actor, job)
    _take_back(session, job)
    _log.info("job.ended", job=job.id, tenant=job.tenant_id, kind=job.kind, state=str(job.state), **after)


def _take_back(session: Session, job: Job) -> None:
    """Have the comparison that a job sees to list what it did not do, or what it has undone."""
    undone = db.jobs.queries.peek(session, job.undoes) if job.undoes is not None else None
    seeing = undone or job
    if seeing.comparison_id is None or db.jobs.queries.lock(session, seeing.comparison_id) is None:
        return
    session.flush()
    left = (Outcome.CHANGED,) if undone else db.orders.comparisons.LEFT
    db.orders.comparisons.take_back(session, seeing.comparison_id, seeing.id, job.id, left)


def subject_of(job: Job) -> Subject:
    """Return how the audit log names a job."""
    return Subject("job", job.id, job.title, job.tenant_id)
