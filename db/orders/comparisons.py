"""Queries over comparisons of accounts: jobs of the kind RECONCILE, and the items that are what differs."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

import db.base.bulk
import db.jobs.queries
from db.base.scope import Scope, Slice
from db.jobs.queries import JobRow
from db.models import Connection, Job, JobItem, JobState, Outcome, Tenant

KIND = "reconcile"
"""The kind of these jobs."""


class Section(StrEnum):
    """The ways in which a number differs; one may differ in several."""

    ONLY_HERE = "only_here"
    LABEL = "label"
    SID = "sid"
    WEBHOOKS = "webhooks"
    ONLY_THERE = "only_there"


LEFT = (Outcome.REFUSED, Outcome.CANCELLED)
"""Outcomes of items that a job did not see to."""


class Scheduled(NamedTuple):
    """An active connection that is compared every so many `days`, `since` when and for whom.

    The `last` comparison by the clock is one that did not fail; `failed` are those of this day that did.
    """

    connection_id: int
    tenant_id: int
    time_zone: str
    days: int
    user_id: int
    since: datetime
    last: datetime | None
    failed: int


def compared(session: Session, job_id: int) -> set[str]:
    """Return every number that a comparison has an item of."""
    return set(session.scalars(sa.select(JobItem.subject).where(JobItem.job_id == job_id)))


def known(session: Session, job_id: int, e164s: Sequence[str]) -> set[str]:
    """Return which of *e164s* a comparison has an item of."""
    among = (JobItem.job_id == job_id, JobItem.subject.in_(e164s))
    return set(session.scalars(sa.select(JobItem.subject).where(*among)))


def drop_same(session: Session, job_id: int) -> None:
    """Delete the items of numbers that do not differ: only how many these are is kept."""
    session.execute(sa.delete(JobItem).where(JobItem.job_id == job_id, JobItem.outcome == Outcome.UNCHANGED))


def open_counts(session: Session, job_id: int) -> dict[Section, int]:
    """Return how many numbers differ in each section and were not given to a job."""
    counts = [sa.func.sum(sa.case((_is_open(section), 1), else_=0)) for section in Section]
    row = session.execute(sa.select(*counts).where(*_differing(job_id))).one()
    return {section: int(n or 0) for section, n in zip(Section, row, strict=True)}


def count_given(session: Session, job_id: int) -> int:
    """Return how many of the numbers that differ were given to jobs."""
    given = JobItem.settings["given"].as_string().is_not(None)
    return session.scalar(sa.select(sa.func.count()).where(*_differing(job_id), given)) or 0


def rows(session: Session, job_id: int, section: Section, part: Slice | None) -> list[tuple[int, str, int | None, Any]]:
    """Return place, number, its id and what is kept of those that differ in a *section* and were given to no job."""
    columns = (JobItem.place, JobItem.subject, JobItem.number_id, JobItem.settings)
    found = sa.select(*columns).where(*_differing(job_id), _is_open(section)).order_by(JobItem.place)
    if part is not None:
        found = found.limit(part.size).offset(part.offset)
    return [(place, e164, number_id, kept) for place, e164, number_id, kept in session.execute(found)]


def give(session: Session, job_id: int, section: Section, places: Sequence[int], job: int) -> None:
    """Note that a *job* sees to what differs in a *section* about the items at *places* of a locked comparison."""
    for some in db.base.bulk.batches(places):
        for item in session.scalars(sa.select(JobItem).where(*_differing(job_id), JobItem.place.in_(some))):
            item.settings = {**item.settings, "given": {**item.settings.get("given", {}), section: job}}


def take_back(session: Session, job_id: int, job: int, ended: int, left_with: Sequence[Outcome]) -> None:
    """Have a locked comparison list again what it gave to a *job*, and one that has *ended* left with some outcome."""
    left = sa.select(JobItem.subject).where(JobItem.job_id == ended, JobItem.outcome.in_(left_with))
    for item in session.scalars(sa.select(JobItem).where(*_differing(job_id), JobItem.subject.in_(left))):
        given = item.settings.get("given", {})
        still = {section: other for section, other in given.items() if other != job}
        if still != given:
            kept = {name: value for name, value in item.settings.items() if name != "given"}
            item.settings = kept | ({"given": still} if still else {})


def forget(session: Session, tenant_id: int, connection_id: int) -> None:
    """Have no comparison be one of a connection any more, which is deleted or leads to another account."""
    for job in session.scalars(sa.select(Job).where(Job.tenant_id == tenant_id, *_of(connection_id))):
        job.settings = {**job.settings, "connection_id": 0}


def drop_old(session: Session, tenant_id: int, connection_id: int, before: datetime) -> None:
    """Delete what comparisons of a connection found *before* a moment; that they were made stays."""
    old = sa.select(Job.id).where(Job.tenant_id == tenant_id, Job.created_at < before, *_of(connection_id))
    session.execute(sa.delete(JobItem).where(JobItem.job_id.in_(old)))


def kept(session: Session, scope: Scope, connection_id: int, most: int, matching: str | None = None) -> list[JobRow]:
    """Return the newest *most* comparisons of a connection; only those of the numbers with *matching*, unless None."""
    part = [Job.settings["matching"].as_string() == matching] if matching is not None else []
    return db.jobs.queries.newest(session, scope, most, *_of(connection_id), *part)


def scheduled(session: Session, today: datetime) -> list[Scheduled]:
    """Return the connections, of every tenant that is not suspended, that are compared by the clock.

    What failed is counted from *today* on.
    """
    own = (Job.tenant_id == Connection.tenant_id, Job.scheduled, *_of(Connection.id))
    went_well = Job.state.not_in((JobState.FAILED, JobState.CANCELLED))
    last = sa.select(sa.func.max(Job.created_at)).where(*own, went_well).correlate(Connection).scalar_subquery()
    failed = sa.select(sa.func.count()).where(*own, ~went_well, Job.created_at >= today).correlate(Connection)
    columns = (Connection.id, Connection.tenant_id, Tenant.time_zone, Connection.compare_days)
    rows = session.execute(
        sa.select(*columns, Connection.compare_set_by, Connection.compare_since, last, failed.scalar_subquery())
        .join(Tenant, Tenant.id == Connection.tenant_id)
        .where(Connection.is_active.is_(True), Tenant.suspended_at.is_(None), Connection.compare_days.is_not(None))
        .order_by(Connection.id)
    )
    return [Scheduled(*row) for row in rows]


def drifting(*sections: Section) -> tuple[Any, Any]:
    """Return what joins connections to the items of their last comparison, and which of these differ in some sections.

    Those that were given to jobs are left out.
    """
    differing = sa.join(Connection, JobItem, JobItem.job_id == Connection.compared_job_id)
    is_open = sa.or_(*map(_is_open, sections))
    return differing, sa.and_(Connection.is_active.is_(True), JobItem.outcome == Outcome.DIFFERENT, is_open)


def _differing(job_id: int) -> tuple[Any, ...]:
    return JobItem.job_id == job_id, JobItem.outcome == Outcome.DIFFERENT


def _is_open(section: Section) -> Any:
    given = JobItem.settings[("given", section)].as_string()
    return sa.and_(JobItem.settings[section].as_string().is_not(None), given.is_(None))


def _of(connection_id: Any) -> tuple[Any, ...]:
    return Job.kind == KIND, Job.settings["connection_id"].as_integer() == connection_id
