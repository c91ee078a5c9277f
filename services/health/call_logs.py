"""Call logs of providers: how far each was read into campaign health, and the jobs that read on.

`services/health/call_log_jobs.py` does them, day by day.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Session

import db.base.engine
import db.base.named
import db.health.call_logs
import db.people.tenants
from db.base.scope import Scope
from db.health.call_logs import Counts, PullRow
from db.models import GOING, Connection, HealthPull, Job, JobState
from providers import PROVIDERS
from providers.base import Capability
from services.connections.connections import provider_named
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, InvalidInput, found
from services.core.transactions import write, writing
from services.health import call_log_jobs
from services.health.call_log_jobs import ONE_DAY, READING, last_day
from services.jobs import drafts, jobs
from services.people import sign_in

USUAL_DAYS, MOST_DAYS = 30, 90
"""How many days back the first job begins, and may begin."""

_CANCELLED = "It was cancelled."


class State(StrEnum):
    """How the reading of a call log stands. It is stopped when the last job could not go on, or was cancelled."""

    NEW = "new"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


@dataclass(frozen=True)
class CallLog:
    """The call log of a connection, how far it was read, and the last job that read it.

    `read_until` is None before any day was read. `last_day` is the newest day that is over in the tenant's zone;
    `days_left` were not read yet. A job that `waits` has another one before it; `started_by` is None for one that the
    clock started.
    """

    connection_id: int
    connection: str
    is_active: bool
    time_zone: str
    state: State
    first_day: date
    read_until: date | None
    last_day: date
    days_left: int
    job_id: int | None
    waits: bool
    started_by: str | None
    started_at: datetime | None
    ended_at: datetime | None
    problem: str | None
    counts: Counts


def search(session: Session, actor: Actor) -> list[CallLog]:
    """Return the call logs of the tenant's connections, by name."""
    require(actor, Permission.HEALTH_WRITE)
    having = [key for key, provider in PROVIDERS.items() if provider.can(Capability.CALL_LOG)]
    return [_standing(row) for row in db.health.call_logs.search(session, Scope(require_tenant(actor)), having)]


def get(session: Session, actor: Actor, connection_id: int) -> CallLog:
    """Return the call log of one connection. Raises NotFound for any that is not the tenant's."""
    require(actor, Permission.HEALTH_WRITE)
    scope = Scope(require_tenant(actor))
    return _standing(found(db.health.call_logs.find(session, scope, validation.as_id(connection_id))))


def begin(session: Session, actor: Actor, connection_id: int, *, first_day: date | None = None) -> int:
    """Start a job that reads a log, and return its id.

    It goes on after the last day that was read; *first_day* is for a log of which none was. Raises NotFound,
    InvalidInput (a provider without a call log, an inactive connection, a day too long ago, nothing to read), and
    Conflict while another job reads it.
    """
    require(actor, Permission.HEALTH_WRITE)
    with writing(session):
        scope = Scope(require_tenant(actor))
        connection = found(db.base.named.lock(session, Connection, scope, validation.as_id(connection_id)))
        provider = provider_named(connection.provider)
        if not provider.can(Capability.CALL_LOG):
            raise InvalidInput(f"{provider.name} has no call log to read.")
        if not connection.is_active:
            raise InvalidInput(f"{connection.name} is inactive, so its call log cannot be read.")
        pull = _locked(session, connection, first_day)
        pull.started_by = actor.user_id
        return _start(session, actor, connection, pull)


def start_due() -> list[int]:
    """Start a job for each active connection, of every tenant, whose log was read before and has a new day."""
    with db.base.engine.open_session() as session:
        logs = [_standing(row) for row in db.health.call_logs.read_before(session)]
    due = [log.connection_id for log in logs if log.days_left and log.state is not State.RUNNING]
    return [job_id for connection_id in due if (job_id := _start_by_clock(connection_id)) is not None]


def _start_by_clock(connection_id: int) -> int | None:
    """Start a job as whoever started the last one; return None where none can be started now."""
    with write() as session:
        connection = db.base.named.lock(session, Connection, Scope(None), connection_id)
        pull = db.health.call_logs.lock(session, connection_id)
        if connection is None or not connection.is_active or pull is None or pull.started_by is None:
            return None
        if db.health.call_logs.is_being_read(session, pull) or not _days_left(session, pull):
            return None
        actor = sign_in.on_schedule(session, pull.started_by, connection.tenant_id, READING.permission)
        return _start(session, actor, connection, pull, scheduled=True)


def _locked(session: Session, connection: Connection, first_day: date | None) -> HealthPull:
    """Return how far a log was read, for a job that reads on; Conflict while there is one."""
    pull = db.health.call_logs.lock(session, connection.id)
    if pull is not None and db.health.call_logs.is_being_read(session, pull):
        raise Conflict(f"The call log of {connection.name} is already being read.")
    if pull is not None and (first_day is None or pull.done_until >= pull.first_day):
        return pull
    day, tenant_id = _first_day(session, connection.tenant_id, first_day), connection.tenant_id
    pull = pull or HealthPull(connection_id=connection.id, tenant_id=tenant_id, first_day=day, done_until=day)
    pull.first_day, pull.done_until = day, day - ONE_DAY
    session.add(pull)
    return pull


def _start(session: Session, actor: Actor, connection: Connection, pull: HealthPull, *, scheduled: bool = False) -> int:
    items = call_log_jobs.of_days(pull.done_until + ONE_DAY, last_day(_zone(session, pull.tenant_id)))
    if not items:
        raise InvalidInput(f"The call log of {connection.name} is up to date. Today can be read when it is over.")
    title = f"Read the call log of {connection.name}"
    pull.counts = Counts()._asdict()
    pull.job_id = drafts.put(session, actor, READING, title, {"connection_id": connection.id}, items)
    jobs.start_within(session, actor, pull.job_id, scheduled=scheduled)
    return pull.job_id


def _days_left(session: Session, pull: HealthPull) -> int:
    return (last_day(_zone(session, pull.tenant_id)) - pull.done_until).days


def _zone(session: Session, tenant_id: int) -> str:
    tenant = db.people.tenants.find(session, tenant_id)
    return tenant.time_zone if tenant else "UTC"


def _first_day(session: Session, tenant_id: int, chosen: date | None) -> date:
    last = last_day(_zone(session, tenant_id))
    day = chosen or last - (USUAL_DAYS - 1) * ONE_DAY
    if not last - (MOST_DAYS - 1) * ONE_DAY <= day <= last:
        raise InvalidInput(f"Choose a finished day, at most {MOST_DAYS} days ago.", field="first_day")
    return day


def _standing(row: PullRow) -> CallLog:
    last, pull, job = last_day(row.time_zone), row.pull, row.job
    first = pull.first_day if pull else last - (USUAL_DAYS - 1) * ONE_DAY
    done = pull.done_until if pull else first - ONE_DAY
    return CallLog(
        row.connection_id,
        row.connection,
        row.is_active,
        row.time_zone,
        _state(pull, job),
        first,
        done if done >= first else None,
        last,
        max(0, (last - done).days),
        job.id if job else None,
        job is not None and job.state is JobState.WAITING,
        row.who if job and not job.scheduled else None,
        job.started_at or job.created_at if job else None,
        job.ended_at if job else None,
        _problem(job),
        Counts(**pull.counts) if pull else Counts(),
    )


def _state(pull: HealthPull | None, job: Job | None) -> State:
    if job is None:  # such as one that was read before there were jobs
        return State.DONE if pull and pull.done_until >= pull.first_day else State.NEW
    if job.state in GOING:
        return State.RUNNING
    return State.DONE if job.state is JobState.DONE else State.STOPPED


def _problem(job: Job | None) -> str | None:
    if job is None or job.problem:
        return job.problem if job else None
    return _CANCELLED if job.state is JobState.CANCELLED else None
