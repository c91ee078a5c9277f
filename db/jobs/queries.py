"""Queries over jobs and their items."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session

import db.base.bulk
import db.base.named
from db.base.rows import columns_for
from db.base.scope import Scope, Slice
from db.base.tables import table_of
from db.models import GOING, Job, JobItem, JobState, Outcome, Tenant, User
from db.numbers.text_search import names_holding

SCHEDULE = "Schedule"
"""Who started the jobs that the clock starts."""

UNFINISHED = sa.text("job.state IN ('waiting', 'running')")
"""Written with its literals, for the partial index."""

_WHO = sa.case((Job.scheduled, SCHEDULE), else_=User.name)


@dataclass(frozen=True)
class JobRow:
    """A job with the names of what it refers to. `undone_by` is the job that takes it back."""

    id: int
    tenant_id: int
    tenant: str
    user_id: int
    who: str
    kind: str
    title: str
    settings: dict[str, Any]
    state: JobState
    total: int
    done: int
    changed: int
    refused: int
    monthly: dict[str, str]
    problem: str | None
    undoes: int | None
    undone_by: int | None
    scheduled: bool
    created_at: datetime
    started_at: datetime | None
    cancelled_at: datetime | None
    ended_at: datetime | None

    @property
    def is_unfinished(self) -> bool:
        """Whether it was started and has not ended."""
        return self.state in GOING


@dataclass(frozen=True)
class JobQuery:
    """Which jobs are wanted. Empty means any that was started."""

    text: str = ""
    states: tuple[JobState, ...] = ()
    kinds: tuple[str, ...] = ()
    who: tuple[str, ...] = ()


class ItemRow(NamedTuple):
    """An item of a job."""

    place: int
    subject: str
    number_id: int | None
    outcome: Outcome
    reason: str
    before: dict[str, Any]
    after: dict[str, Any]
    settings: dict[str, Any]

    @property
    def e164(self) -> str:
        """The number that the item is about."""
        return self.subject


def find(session: Session, scope: Scope, job_id: int) -> JobRow | None:
    """Return a job in *scope*."""
    row = session.execute(_rows().where(Job.id == job_id, scope.of(Job.tenant_id))).first()
    return JobRow(*row) if row else None


def lock(session: Session, job_id: int) -> Job | None:
    """Return the row of a job of any tenant, locked for a change where the database can."""
    return db.base.named.lock(session, Job, Scope(None), job_id)


def peek(session: Session, job_id: int) -> Job | None:
    """Return the row of a job of any tenant as it is now, without locking it."""
    return db.base.named.find(session, Job, Scope(None), job_id)


def count(session: Session, scope: Scope, query: JobQuery) -> int:
    """Return how many jobs match."""
    return db.base.named.count(session, Job, _matching(scope, query))


def search(session: Session, scope: Scope, query: JobQuery, part: Slice) -> list[JobRow]:
    """Return the *part* of the jobs in *scope* that match *query*, newest first."""
    rows = _rows().where(*_matching(scope, query)).order_by(Job.id.desc()).limit(part.size).offset(part.offset)
    return [JobRow(*row) for row in session.execute(rows)]


def unfinished(session: Session, scope: Scope) -> list[JobRow]:
    """Return the jobs in *scope* that were started and have not ended, oldest first."""
    job = table_of(Job).c
    if session.scalar(sa.select(job.id).where(scope.of(job.tenant_id), UNFINISHED).limit(1)) is None:
        return []  # as on nearly every page, which asks; the rows themselves take longer to ask for
    rows = session.execute(_rows().where(scope.of(Job.tenant_id), UNFINISHED).order_by(Job.id))
    return [JobRow(*row) for row in rows]


def to_be_done(session: Session) -> list[tuple[int, int, str]]:
    """Return id, tenant and kind of every job that was started and has not ended."""
    rows = session.execute(sa.select(Job.id, Job.tenant_id, Job.kind).where(UNFINISHED).order_by(Job.id))
    return [(job_id, tenant_id, kind) for job_id, tenant_id, kind in rows]


def put_items(session: Session, items: Sequence[Mapping[str, Any]]) -> None:
    """Write items by the names of their columns; all have the same ones."""
    db.base.bulk.insert(session, table_of(JobItem), items)


def items(session: Session, job_id: int, outcomes: Sequence[Outcome], part: Slice) -> list[ItemRow]:
    """Return the *part* of a job's items, in their order, that have one of *outcomes*; empty means any."""
    some = _item_rows(job_id, outcomes).order_by(JobItem.place).limit(part.size).offset(part.offset)
    return [ItemRow(*row) for row in session.execute(some)]


def requested(session: Session, scope: Scope, request_key: str) -> Job | None:
    """Return the job in *scope* that a program's request has started."""
    return session.scalar(sa.select(Job).where(scope.of(Job.tenant_id), Job.request_key == request_key))


def items_after(session: Session, job_id: int, outcomes: Sequence[Outcome], last: int, most: int) -> list[ItemRow]:
    """Return the first *most* items after the place *last* that have one of *outcomes*; empty means any."""
    some = _item_rows(job_id, outcomes).where(JobItem.place > last).order_by(JobItem.place).limit(most)
    return [ItemRow(*row) for row in session.execute(some)]


def walk(session: Session, job_id: int, outcomes: Sequence[Outcome], batch: int = 1000) -> Iterator[ItemRow]:
    """Yield the items of a job in their order, *batch* rows at a time."""
    after = -1
    while True:
        found = items_after(session, job_id, outcomes, after, batch)
        yield from found
        if len(found) < batch:
            return
        after = found[-1].place


def next_items(session: Session, job_id: int, outcome: Outcome, most: int) -> list[JobItem]:
    """Return the first *most* items of a locked job that have an *outcome*, to be changed."""
    some = sa.select(JobItem).where(JobItem.job_id == job_id, JobItem.outcome == outcome)
    return list(session.scalars(some.order_by(JobItem.place).limit(most).execution_options(populate_existing=True)))


def note_changed(session: Session, job_id: int, items: Sequence[JobItem], number_ids: Sequence[int | None]) -> None:
    """Note of *items* of a job that they were changed, with their numbers: in one statement, as they are many."""
    item = table_of(JobItem).c
    one = (item.job_id == job_id, item.place == sa.bindparam("at"))
    noting = sa.update(table_of(JobItem)).where(*one).values(outcome=Outcome.CHANGED, number_id=sa.bindparam("number"))
    rows = [{"at": item.place, "number": number} for item, number in zip(items, number_ids, strict=True)]
    session.connection().execute(noting, rows)
    for done, number in zip(items, number_ids, strict=True):
        set_committed_value(done, "outcome", Outcome.CHANGED)
        set_committed_value(done, "number_id", number)


def count_items(session: Session, job_id: int) -> dict[Outcome, int]:
    """Return how many items have each outcome."""
    rows = session.execute(
        sa.select(JobItem.outcome, sa.func.count().label("n")).where(JobItem.job_id == job_id).group_by(JobItem.outcome)
    )
    return {row.outcome: row.n for row in rows}


def count_by(session: Session, job_id: int, setting: str) -> list[tuple[Outcome, str, bool, int]]:
    """Return how many items have each outcome and *setting*, and a reason or none."""
    by = (JobItem.outcome, JobItem.settings[setting].as_string(), JobItem.reason != "")
    rows = session.execute(sa.select(*by, sa.func.count()).where(JobItem.job_id == job_id).group_by(*by))
    return [(outcome, found, bool(has_reason), n) for outcome, found, has_reason, n in rows]


def reasons(session: Session, job_id: int, most: int) -> list[tuple[str, int]]:
    """Return the *most* usual reasons why items were refused, and how many each stopped."""
    n = sa.func.count()
    rows = session.execute(
        sa.select(JobItem.reason, n)
        .where(JobItem.job_id == job_id, JobItem.outcome == Outcome.REFUSED)
        .group_by(JobItem.reason)
        .order_by(n.desc(), JobItem.reason)
        .limit(most)
    )
    return [(reason, count) for reason, count in rows]


def cancel_items(session: Session, job_id: int) -> None:
    """Let be what is not done yet."""
    left = (JobItem.job_id == job_id, JobItem.outcome == Outcome.WAITING)
    session.execute(sa.update(JobItem).where(*left).values(outcome=Outcome.CANCELLED))


def drop_drafts(session: Session, before: datetime) -> None:
    """Delete the previews that nobody started since a moment."""
    old = sa.select(Job.id).where(Job.state == JobState.DRAFT, Job.created_at < before)
    session.execute(sa.delete(JobItem).where(JobItem.job_id.in_(old)))
    session.execute(sa.delete(Job).where(Job.id.in_(old)))


def drop(session: Session, job: Job) -> None:
    """Delete a job and its items."""
    drop_items(session, job.id)
    session.delete(job)


def drop_items(session: Session, job_id: int) -> None:
    """Delete the items of a job."""
    session.execute(sa.delete(JobItem).where(JobItem.job_id == job_id))


_COPIED = ("job_id", "place", "subject", "number_id", "version", "settings")


def copy_for_undo(session: Session, job_id: int, undoing: int) -> None:
    """Give the job *undoing* an item for each that another job has changed.

    Each expects the version that the change left, and has the values before it as its settings.
    """
    item = table_of(JobItem).c
    nothing = sa.literal({}, item.old.type)
    changed = sa.select(
        sa.literal(undoing),
        sa.func.row_number().over(order_by=item.place) - 1,
        *(item.subject, item.number_id, item.new_version, item.old),
        sa.literal(Outcome.WAITING.value),
        sa.literal(""),
        *(item.after, item.before, nothing),
    ).where(item.job_id == job_id, item.outcome == Outcome.CHANGED)
    into = [*_COPIED, "outcome", "reason", "before", "after", "old"]
    session.execute(sa.insert(JobItem).from_select(into, changed))


def drafts(session: Session, scope: Scope, user_id: int, kind: str) -> list[JobRow]:
    """Return the previews that a user made of one kind of jobs, newest first."""
    own = (scope.of(Job.tenant_id), Job.state == JobState.DRAFT, Job.user_id == user_id, Job.kind == kind)
    return [JobRow(*row) for row in session.execute(_rows().where(*own).order_by(Job.id.desc()))]


def newest(session: Session, scope: Scope, most: int, *conditions: Any) -> list[JobRow]:
    """Return the newest *most* jobs in *scope* that meet some conditions."""
    some = _rows().where(scope.of(Job.tenant_id), *conditions).order_by(Job.id.desc()).limit(most)
    return [JobRow(*row) for row in session.execute(some)]


def people(session: Session, scope: Scope) -> list[str]:
    """Return the names of those who started jobs."""
    names = (
        sa.select(_WHO).select_from(Job).join(User, User.id == Job.user_id).where(scope.of(Job.tenant_id)).distinct()
    )
    return sorted(session.scalars(names), key=str.casefold)


@functools.cache
def _rows() -> Any:
    undoing = aliased(Job, name="undoing")
    undone_by = (
        sa.select(sa.func.max(undoing.id))
        .where(undoing.undoes == Job.id, undoing.state != JobState.DRAFT)
        .correlate(Job)
        .scalar_subquery()
    )
    names = {"tenant": Tenant.name, "who": _WHO, "undone_by": undone_by}
    return (
        sa.select(*columns_for(JobRow, Job, **names))
        .join(Tenant, Tenant.id == Job.tenant_id)
        .join(User, User.id == Job.user_id)
    )


def _item_rows(job_id: int, outcomes: Sequence[Outcome]) -> Any:
    columns = [getattr(JobItem, name) for name in ItemRow._fields]
    among = [JobItem.outcome.in_(outcomes)] if outcomes else []
    return sa.select(*columns).where(JobItem.job_id == job_id, *among)


def _matching(scope: Scope, query: JobQuery) -> list[Any]:
    conditions = [scope.of(Job.tenant_id)]
    states = query.states or [state for state in JobState if state is not JobState.DRAFT]
    conditions.append(Job.state.in_(states))
    if query.text:
        conditions.append(names_holding(Job.title, query.text))
    if query.kinds:
        conditions.append(Job.kind.in_(query.kinds))
    if query.who:
        started = Job.user_id.in_(sa.select(User.id).where(User.name.in_(query.who))) & Job.scheduled.is_(False)
        conditions.append(sa.or_(started, Job.scheduled) if SCHEDULE in query.who else started)
    return conditions
