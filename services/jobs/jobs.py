"""Jobs: everything long that somebody started. They are seen, started, cancelled and taken back here."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

import db.jobs.queries
from db.base.scope import Scope, Slice
from db.jobs.queries import ItemRow, JobQuery, JobRow
from db.models import GOING, Job, JobState, Outcome
from services.audit import audit, wording
from services.audit.audit import Action
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, InvalidInput, found
from services.core.transactions import writing
from services.jobs.engine import subject_of
from services.jobs.kinds import JobKind
from services.jobs.registry import KINDS
from services.text import labels
from services.text.exports import Table

MOST_REASONS = 5

_on_start: list[Callable[[], None]] = []
"""Called once a job was started; the engine of this process looks for it then."""


class Preview(NamedTuple):
    """How many items a job would change, leave and refuse, and the usual reasons for the last with their counts."""

    outcomes: dict[Outcome, int]
    reasons: list[tuple[str, int]]


class Request(NamedTuple):
    """A program's request to start something: the key by which it names it, and the hash of what it asks for."""

    key: str
    hash: str


def count(session: Session, actor: Actor, query: JobQuery) -> int:
    """Return how many jobs match."""
    require(actor, Permission.NUMBERS_READ)
    return db.jobs.queries.count(session, actor.scope, query)


def search(session: Session, actor: Actor, query: JobQuery, part: Slice) -> list[JobRow]:
    """Return the *part* of the jobs that match, newest first."""
    require(actor, Permission.NUMBERS_READ)
    return db.jobs.queries.search(session, actor.scope, query, part)


def unfinished(session: Session, actor: Actor) -> list[JobRow]:
    """Return the jobs that wait or run, oldest first."""
    require(actor, Permission.NUMBERS_READ)
    return db.jobs.queries.unfinished(session, actor.scope)


def people(session: Session, actor: Actor) -> list[str]:
    """Return who has started jobs."""
    require(actor, Permission.NUMBERS_READ)
    return db.jobs.queries.people(session, actor.scope)


def get(session: Session, actor: Actor, job_id: object) -> JobRow:
    """Return one job. Raises NotFound for one outside the actor's scope, and for the preview of somebody else."""
    require(actor, Permission.NUMBERS_READ)
    job = found(db.jobs.queries.find(session, actor.scope, validation.as_id(job_id)))
    return found(job if job.state is not JobState.DRAFT or job.user_id == actor.user_id else None)


def outcomes(session: Session, actor: Actor, job_id: int) -> Preview:
    """Return how many items of a job have each outcome, and why some were refused."""
    require(actor, Permission.NUMBERS_READ)
    job = get(session, actor, job_id)
    return Preview(db.jobs.queries.count_items(session, job.id), db.jobs.queries.reasons(session, job.id, MOST_REASONS))


def may_see(actor: Actor, job: JobRow) -> bool:
    """Return whether the actor may read what each item of a job is about."""
    return actor.may(KINDS[job.kind].sees)


def items(session: Session, actor: Actor, job_id: int, outcomes: Sequence[Outcome], part: Slice) -> list[ItemRow]:
    """Return the *part* of a job's items that have one of *outcomes*; empty means any."""
    require(actor, Permission.NUMBERS_READ)
    return db.jobs.queries.items(session, _seen(session, actor, job_id).id, outcomes, part)


def items_after(
    session: Session, actor: Actor, job_id: int, outcomes: Sequence[Outcome], last: int, most: int
) -> list[ItemRow]:
    """Return the first *most* of a job's items after the place *last* that have one of *outcomes*; empty means any."""
    require(actor, Permission.NUMBERS_READ)
    return db.jobs.queries.items_after(session, _seen(session, actor, job_id).id, outcomes, last, most)


def _seen(session: Session, actor: Actor, job_id: object) -> JobRow:
    job = get(session, actor, job_id)
    require(actor, KINDS[job.kind].sees)
    return job


def export(session: Session, actor: Actor, job_id: object, zone: ZoneInfo) -> Table:
    """Return every item of a job as a table, with times in *zone*."""
    require(actor, Permission.NUMBERS_EXPORT)
    job = _seen(session, actor, job_id)
    words = labels.OUTCOME_PREVIEW if job.state is JobState.DRAFT else labels.OUTCOME
    rows = (
        (item.subject, words[item.outcome], changes(item, zone), item.reason)
        for item in db.jobs.queries.walk(session, job.id, ())
    )
    return Table("Outcomes", (heading(job), "Outcome", "Change", "Reason"), rows)


def changes(item: ItemRow, zone: ZoneInfo) -> str:
    """Return what a job has changed about an item, or would: `Status: Active → Inactive`."""
    return "; ".join(change.text for change in wording.between(item.before, item.after, zone))


def requested(session: Session, actor: Actor, request: Request) -> JobRow | None:
    """Return the job that a *request* has started, if any. Raises Conflict when that asked for something else."""
    require(actor, Permission.NUMBERS_READ)
    job = db.jobs.queries.requested(session, actor.scope, request.key)
    if job is not None and job.request_hash != request.hash:
        raise Conflict("This Idempotency-Key was used for another request. Send a new one.")
    return get(session, actor, job.id) if job is not None else None


def start(session: Session, actor: Actor, job_id: int, typed: str = "", *, request: Request | None = None) -> None:
    """Have a preview done. *typed* is the count of what changes, where the kind wants it confirmed.

    The second click of a double click finds it started. Raises Forbidden, NotFound, and InvalidInput when nothing would
    change or the count is another one, and Conflict when the same *request* has started another job meanwhile.
    """
    job = get(session, actor, job_id)
    kind = KINDS[job.kind]
    require(actor, kind.permission)
    with writing(session):
        row = found(db.jobs.queries.lock(session, job.id))
        if row.state is not JobState.DRAFT:
            return
        left = row.total - row.done
        if not left:
            raise InvalidInput("Nothing would change.")
        if kind.confirmed and "".join(filter(str.isdigit, typed)) != str(left):
            raise InvalidInput(f"Type {left} to confirm.", field="typed")
        if request is not None:
            row.request_key, row.request_hash = request
        _begin(session, actor, row)
    _wake()


def begin(
    session: Session, actor: Actor, kind: JobKind, title: str, settings: dict[str, Any], *, scheduled: bool = False
) -> int:
    """Start a job of a *kind* that finds its items by itself, and return its id."""
    require(actor, kind.permission)
    tenant_id = require_tenant(actor)
    with writing(session):
        job = Job(tenant_id=tenant_id, user_id=actor.user_id, kind=kind.name, title=title[:200], settings=settings)
        job.api_key_id, job.scheduled = actor.api_key_id, scheduled
        session.add(job)
        session.flush()
        _begin(session, actor, job)
    _wake()
    return job.id


def start_within(session: Session, actor: Actor, job_id: int, *, scheduled: bool = False) -> None:
    """Start a job in a transaction that is open, beside what else it writes; `workflows.begin` follows its commit."""
    row = found(db.jobs.queries.lock(session, job_id))
    row.scheduled = scheduled
    _begin(session, actor, row)


def start_what_can(session: Session, actor: Actor, job_id: int) -> None:
    """Have a preview done that was agreed to already; one in which nothing would change stays, and says why."""
    job = get(session, actor, job_id)
    if job.done < job.total:
        start(session, actor, job_id)


def discard(session: Session, actor: Actor, job_id: int) -> None:
    """Delete a preview."""
    job = get(session, actor, job_id)
    with writing(session):
        row = found(db.jobs.queries.lock(session, job.id))
        if row.state is JobState.DRAFT:
            db.jobs.queries.drop(session, row)


def may_cancel(actor: Actor, job: JobRow) -> bool:
    """Return whether the actor may cancel a job: whoever may start one of its kind."""
    return job.is_unfinished and job.cancelled_at is None and actor.may(KINDS[job.kind].permission)


def cancel(session: Session, actor: Actor, job_id: int) -> None:
    """Have a job stop after the items that it is at. Raises Forbidden, NotFound, and Conflict when it has ended."""
    job = get(session, actor, job_id)
    require(actor, KINDS[job.kind].permission)
    with writing(session):
        row = found(db.jobs.queries.lock(session, job.id))
        if row.state not in GOING:
            raise Conflict("This job has ended in the meantime.")
        if row.cancelled_at is None:
            row.cancelled_at = datetime.now(UTC)
            audit.record(session, actor, Action.JOBS_CANCEL, subject_of(row))
    _wake()


def may_undo(actor: Actor, job: JobRow) -> bool:
    """Return whether what a job has changed can be taken back by the actor."""
    kind = KINDS[job.kind]
    ended = job.ended_at is not None and job.undone_by is None
    return kind.undo is not None and ended and job.changed > 0 and actor.may(kind.permission)


def undo(session: Session, actor: Actor, job_id: int) -> int:
    """Start a job that gives the numbers of another one back what they had, and return its id.

    Those that somebody changed since are refused. Raises Forbidden, NotFound, Conflict when it is undone already.
    """
    job = get(session, actor, job_id)
    require(actor, KINDS[job.kind].permission)
    with writing(session):
        done = found(db.jobs.queries.lock(session, job.id))
        if not may_undo(actor, found(db.jobs.queries.find(session, Scope(done.tenant_id), done.id))):
            raise Conflict("This job can't be undone, or has been undone already.")
        undo_kind = KINDS[done.kind].undo
        assert undo_kind is not None
        undoing = Job(
            tenant_id=done.tenant_id,
            user_id=actor.user_id,
            api_key_id=actor.api_key_id,
            kind=undo_kind.name,
            title=f"Undo: {done.title}"[:200],
            settings=done.settings,
            undoes=done.id,
            total=done.changed,
        )
        session.add(undoing)
        session.flush()
        db.jobs.queries.copy_for_undo(session, done.id, undoing.id)
        _begin(session, actor, undoing)
    _wake()
    return undoing.id


def on_start(*wake: Callable[[], None]) -> None:
    """Have *wake* called whenever a job was started in this process, or nothing."""
    _on_start[:] = wake


def _begin(session: Session, actor: Actor, job: Job) -> None:
    require(actor, KINDS[job.kind].permission)
    job.state, job.created_at = JobState.WAITING, datetime.now(UTC)
    after = {"items": job.total - job.done}
    audit.record(session, actor, Action.JOBS_START, subject_of(job), after=after)


def _wake() -> None:
    for wake in _on_start:
        wake()


def titles() -> dict[str, str]:
    """Return the kinds of jobs as readers know them, by name."""
    return {kind.name: kind.title for kind in KINDS.values()}


def is_confirmed(job: JobRow) -> bool:
    """Return whether the count has to be typed before a job starts."""
    return KINDS[job.kind].confirmed


def ends_costs(job: JobRow) -> bool:
    """Return whether the numbers that a job changes cost nothing afterwards."""
    return KINDS[job.kind].ends_costs


def noun(job: JobRow) -> str:
    """Return what an item of a job is called: `number`."""
    return KINDS[job.kind].noun


def heading(job: JobRow) -> str:
    """Return what stands over the things that a job is about: `Number`."""
    return KINDS[job.kind].heading


def note(job: JobRow) -> str:
    """Return what follows from a job besides what its preview shows; often nothing."""
    return KINDS[job.kind].note


def grows(job: JobRow) -> bool:
    """Return whether nobody knows yet how many items there will be."""
    return KINDS[job.kind].grows and job.is_unfinished


def verb(job: JobRow, amount: int) -> str:
    """Return what starting a job does: `Change 40 numbers`."""
    return f"{KINDS[job.kind].verb} {labels.amount(amount, noun(job))}"


def summary(job: JobRow) -> str:
    """Return how far a job is: `120 of 3,214 numbers`, or `120 numbers` of nobody knows how many."""
    if grows(job):
        return labels.amount(job.done, noun(job))
    return f"{job.done:,} of {labels.amount(job.total, noun(job))}"
