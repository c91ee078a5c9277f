"""Call logs of providers: how far each was read into campaign health, and the runs that read them.

A run is recorded before the provider is asked. `services/health/call_log_runs.py` drives it, day by day.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

import db.base.engine
import db.base.named
import db.health.call_logs
import db.people.tenants
import db.people.users
from db.base.scope import Scope
from db.health.call_logs import Counts, PullRow
from db.models import Connection, HealthPull
from providers import PROVIDERS
from providers.base import Capability
from services.audit import audit
from services.audit.audit import Action, Subject
from services.connections.connections import provider_named
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, InvalidInput, found
from services.core.transactions import write, writing
from services.text import days

__all__ = ["CallLog", "Counts", "State"]

ONE_DAY = timedelta(days=1)
USUAL_DAYS, MOST_DAYS = 30, 90
"""How many days back the first run begins, and may begin."""

SILENT = timedelta(minutes=5)
"""A run that has not said for so long that it lives is given up: the process that drove it is gone."""

_WITHOUT_A_WORD = "It stopped unexpectedly, probably because the app restarted."


class State(StrEnum):
    """How the reading of a call log stands. It is stopped when the last run could not go on."""

    NEW = "new"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


@dataclass(frozen=True)
class CallLog:
    """The call log of a connection, how far it was read, and its last run.

    `read_until` is None before any day was read. `last_day` is the newest day that is over in the tenant's zone;
    `days_left` were not read yet. `started_by` is None for a run that the clock began.
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


def begin(session: Session, actor: Actor, connection_id: int, *, first_day: date | None = None) -> str:
    """Start a run and return its name. The provider is not asked yet.

    It goes on after the last day that was read; *first_day* is for a log of which none was. Raises NotFound,
    InvalidInput (a provider without a call log, an inactive connection, a day too long ago), and Conflict while
    another run is under way.
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
        return _begin(session, connection, actor.user_id, first_day)


def due() -> list[int]:
    """Return the active connections, of every tenant, whose log was read before and has a new day."""
    with db.base.engine.open_session() as session:
        logs = [_standing(row) for row in db.health.call_logs.read_before(session)]
    return [log.connection_id for log in logs if log.days_left and log.state is not State.RUNNING]


def begin_by_clock(connection_id: int) -> str | None:
    """Begin a run for nobody in particular; return None where none can begin now."""
    with write() as session:
        connection = db.base.named.lock(session, Connection, Scope(None), connection_id)
        if connection is None or not connection.is_active:
            return None
        try:
            run = _begin(session, connection, None, None)
        except Conflict:
            return None
        return run


def mine(session: Session, connection_id: int, run: str) -> HealthPull | None:
    """Return the row of a run, locked; None when the run has ended or was given up."""
    pull = db.health.call_logs.lock(session, connection_id)
    return pull if pull and pull.run == run and pull.ended_at is None else None


def end(connection_id: int, run: str, problem: str | None = None) -> None:
    """End a run that has read all there is, or that cannot go on because of *problem*."""
    with write() as session:
        pull = mine(session, connection_id, run)
        connection = db.base.named.find(session, Connection, Scope(None), connection_id)
        if pull is None or connection is None:
            return
        _end(session, pull, connection.name, problem)


def last_day(time_zone: str) -> date:
    """Return the newest day that is over in a zone."""
    return days.today_in(time_zone) - ONE_DAY


def _begin(session: Session, connection: Connection, user_id: int | None, first_day: date | None) -> str:
    now = datetime.now(UTC)
    pull = db.health.call_logs.lock(session, connection.id)
    if pull is None:
        day = _first_day(session, connection.tenant_id, first_day)
        pull = HealthPull(
            connection_id=connection.id,
            tenant_id=connection.tenant_id,
            first_day=day,
            done_until=day - ONE_DAY,
            run="",
        )
        session.add(pull)
    elif pull.ended_at is None and now - pull.updated_at < SILENT:
        raise Conflict(f"The call log of {connection.name} is already being read.")
    else:
        if pull.ended_at is None:
            _end(session, pull, connection.name, _WITHOUT_A_WORD)
        if first_day and pull.done_until < pull.first_day:
            pull.first_day = _first_day(session, connection.tenant_id, first_day)
            pull.done_until = pull.first_day - ONE_DAY
    pull.run = uuid.uuid4().hex
    pull.started_by = user_id
    pull.started_at = pull.updated_at = now
    pull.ended_at = pull.problem = None
    pull.counts = Counts()._asdict()
    return pull.run


def _first_day(session: Session, tenant_id: int, chosen: date | None) -> date:
    tenant = db.people.tenants.find(session, tenant_id)
    last = last_day(tenant.time_zone if tenant else "UTC")
    day = chosen or last - (USUAL_DAYS - 1) * ONE_DAY
    if not last - (MOST_DAYS - 1) * ONE_DAY <= day <= last:
        raise InvalidInput(f"Choose a finished day, at most {MOST_DAYS} days ago.", field="first_day")
    return day


def _end(session: Session, pull: HealthPull, name: str, problem: str | None) -> None:
    """End a run and log what it did, unless it was scheduled and read nothing."""
    pull.ended_at = datetime.now(UTC)
    pull.problem = problem[:500] if problem else None
    counts = Counts(**pull.counts)
    if not counts.days and (problem is None or pull.started_by is None):
        return
    details: dict[str, object] = {"source": name, **counts._asdict(), "problem": pull.problem}
    if counts.days:
        details["first_day"] = (pull.done_until - (counts.days - 1) * ONE_DAY).isoformat()
        details["last_day"] = pull.done_until.isoformat()
    audit.record(
        session, _who(session, pull), Action.HEALTH_PULL, Subject("health", None, name, pull.tenant_id), after=details
    )


def _who(session: Session, pull: HealthPull) -> Actor | None:
    if pull.started_by is None:
        return None
    user = db.people.users.get(session, pull.started_by)
    return Actor(user.id, user.username, user.name, tenant_id=pull.tenant_id)


def _standing(row: PullRow) -> CallLog:
    last, pull = last_day(row.time_zone), row.pull
    first = pull.first_day if pull else last - (USUAL_DAYS - 1) * ONE_DAY
    done = pull.done_until if pull else first - ONE_DAY
    state, problem = State.NEW, pull.problem if pull else None
    if pull and pull.ended_at:
        state = State.STOPPED if problem else State.DONE
    elif pull and datetime.now(UTC) - pull.updated_at < SILENT:
        state = State.RUNNING
    elif pull:
        state, problem = State.STOPPED, _WITHOUT_A_WORD
    return CallLog(
        row.connection_id,
        row.connection,
        row.is_active,
        row.time_zone,
        state,
        first,
        done if done >= first else None,
        last,
        max(0, (last - done).days),
        row.started_by,
        pull.started_at if pull else None,
        pull.ended_at if pull else None,
        problem,
        Counts(**pull.counts) if pull else Counts(),
    )
