"""Comparisons of accounts: started by hand, by a command or by the clock, kept, and opened again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlmodel import Session

import db.base.named
import db.connections
import db.jobs.queries
import db.numbers.rows
import db.orders.comparisons
from db.base.engine import open_session
from db.base.scope import Scope, Slice
from db.connections import ConnectionRow
from db.jobs.queries import JobRow
from db.models import Connection, JobState
from db.orders.comparisons import Scheduled, Section
from providers.base import Capability
from services.audit import audit
from services.audit.audit import Action, Subject
from services.connections.connections import provider_named
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import InvalidInput, NotFound, found
from services.core.transactions import reading, writing
from services.jobs import jobs
from services.orders import reconcile
from services.orders.comparing import COMPARING, begin_settings
from services.orders.reconcile import Drift
from services.people import sign_in
from services.text import days

MOST_LISTED = 30
"""How many comparisons of a connection can be chosen from; older ones are among the jobs."""

EVERY_DAYS = (1, 7)
"""How often the clock can compare an account, in days."""

MOST_TRIES = 3
"""How often a night's comparison is tried, an hour apart."""

NIGHT = time(3)
"""When the clock compares, in the tenant's zone."""


@dataclass(frozen=True)
class Comparison:
    """What an account held against what was on record on *connection*.

    Numbers without *matching* in them were left out. `held` are in the account, `on_record` are managed through the
    connection, `same` agree in everything. `elsewhere` are in the account and on record in the tenant, but added
    manually or under another connection: these were not compared. `different` were found to differ; of those `given`
    were given to jobs since, and `open` are the others by section.
    """

    job: JobRow
    connection: ConnectionRow
    matching: str
    held: int
    on_record: int
    same: int
    elsewhere: int
    different: int
    given: int
    open: dict[Section, int]

    @property
    def agrees(self) -> bool:
        """Whether there was nothing to reconcile."""
        return self.job.state is JobState.DONE and not self.different


def is_comparison(job: JobRow) -> bool:
    """Return whether a job compares an account."""
    return job.kind == COMPARING.name


def connection_options(session: Session, actor: Actor) -> list[ConnectionRow]:
    """Return the tenant's active connections whose provider can list what an account holds, by name."""
    require(actor, Permission.NUMBERS_RECONCILE)
    rows = db.connections.choices(session, Scope(require_tenant(actor)), active_only=True)
    return [row for row in rows if can_compare(row)]


def can_compare(connection: ConnectionRow) -> bool:
    """Return whether the provider of a connection can list what an account holds."""
    return provider_named(connection.provider).can(Capability.LIST_OWNED)


def start(session: Session, actor: Actor, connection_id: int, *, matching: str = "", scheduled: bool = False) -> int:
    """Start to compare the account of a connection; return the id of the job that does, or that does so already.

    *matching* is a part of the numbers to compare. Raises InvalidInput for a connection that cannot be asked.
    """
    require(actor, Permission.NUMBERS_RECONCILE)
    connection, part = _option(session, actor, connection_id), _part(matching)
    newest = find(session, actor, connection.id, part)
    if newest is not None and newest.job.is_unfinished:
        return newest.job.id
    title = f"Reconcile {connection.name}{f', numbers with {part}' if part else ''}"
    return jobs.begin(session, actor, COMPARING, title, begin_settings(connection.id, part), scheduled=scheduled)


def find(
    session: Session, actor: Actor, connection_id: int, matching: str = "", *, complete: bool = False
) -> Comparison | None:
    """Return the newest comparison of a connection's numbers with *matching*; a *complete* one if that is asked for."""
    require(actor, Permission.NUMBERS_RECONCILE)
    scope, part = Scope(require_tenant(actor)), _part(matching)
    rows = db.orders.comparisons.kept(session, scope, connection_id, MOST_LISTED if complete else 1, part)
    row = next((row for row in rows if not complete or row.state is JobState.DONE), None)
    return _of(session, actor, row) if row else None


def get(session: Session, actor: Actor, job_id: object) -> Comparison:
    """Return one comparison. Raises NotFound for any that is not the tenant's."""
    require(actor, Permission.NUMBERS_RECONCILE)
    require_tenant(actor)
    return _of(session, actor, _job(session, actor, job_id))


def kept(session: Session, actor: Actor, connection_id: int) -> list[JobRow]:
    """Return the last comparisons of a connection, newest first."""
    require(actor, Permission.NUMBERS_RECONCILE)
    return db.orders.comparisons.kept(session, Scope(require_tenant(actor)), connection_id, MOST_LISTED)


def rows(session: Session, actor: Actor, job_id: int, section: Section, part: Slice | None = None) -> list[Drift]:
    """Return the *part* of the numbers that differ in a *section* and were given to no job; all without a part."""
    require(actor, Permission.NUMBERS_RECONCILE)
    job = _job(session, actor, job_id)
    items = db.orders.comparisons.rows(session, job.id, section, part)
    return [reconcile.drift(section, *item) for item in items]


def give(session: Session, actor: Actor, job_id: int, drifts: Sequence[Drift], given_to: int) -> None:
    """Note that the job *given_to* sees to what differs: a comparison lists it no longer.

    What that job refuses, or leaves when it ends, is listed again.
    """
    require(actor, Permission.NUMBERS_RECONCILE)
    job = _job(session, actor, job_id)
    given_job = jobs.get(session, actor, given_to)
    with writing(session):
        found(db.jobs.queries.lock(session, given_job.id)).comparison_id = job.id
        db.jobs.queries.lock(session, job.id)
        walked = db.jobs.queries.walk(session, given_job.id, db.orders.comparisons.LEFT)
        refused = {item.subject for item in walked}
        for section in {one.section for one in drifts}:
            places = [one.place for one in drifts if one.section is section and one.e164 not in refused]
            db.orders.comparisons.give(session, job.id, section, places, given_to)


def attached(session: Session, actor: Actor, drifts: Sequence[Drift]) -> dict[int, list[str]]:
    """Return the campaigns that each of the numbers would leave, by the id of the number."""
    require(actor, Permission.NUMBERS_READ)
    ids = [one.number_id for one in drifts if one.number_id is not None]
    return db.numbers.rows.campaigns(session, Scope(require_tenant(actor)), ids)


def schedule(session: Session, actor: Actor, connection_id: int, every_days: int | None) -> None:
    """Have the clock compare the account of a connection *every_days*, at night; never with None."""
    require(actor, Permission.NUMBERS_RECONCILE)
    if every_days is not None and every_days not in EVERY_DAYS:
        raise InvalidInput("Choose every day, every week, or never.", field="every")
    option = _option(session, actor, connection_id)
    with writing(session):
        scope = Scope(require_tenant(actor))
        connection = found(db.base.named.lock(session, Connection, scope, option.id))
        before = connection.compare_days
        if before == every_days:
            return
        connection.compare_days, connection.compare_set_by = every_days, actor.user_id
        connection.compare_since = datetime.now(UTC)
        subject = Subject("connection", connection.id, connection.name, connection.tenant_id)
        old, new = {"compare_days": before or 0}, {"compare_days": every_days or 0}
        audit.record(session, actor, Action.CONNECTIONS_EDIT, subject, before=old, after=new)


def due(now: datetime | None = None) -> list[Scheduled]:
    """Return the connections, of every tenant, that the clock is to compare now."""
    moment = now or datetime.now(UTC)
    with open_session() as session:
        today = moment - timedelta(hours=20)
        return [one for one in db.orders.comparisons.scheduled(session, today) if _is_due(one, moment)]


def start_due() -> None:
    """Start to compare the accounts that are due, each by a job."""
    for one in due():
        start_scheduled(one)


def start_scheduled(one: Scheduled) -> int | None:
    """Start to compare an account because it is due; None where that cannot be done, as it is no longer active."""
    with open_session() as session:
        actor = sign_in.on_schedule(session, one.user_id, one.tenant_id, COMPARING.permission)
        try:
            return start(session, actor, one.connection_id, scheduled=True)
        except (InvalidInput, NotFound):
            return None


def _is_due(one: Scheduled, now: datetime) -> bool:
    zone = days.zone(one.time_zone)
    night = datetime.combine(now.astimezone(zone).date(), NIGHT, zone)
    if now < night:
        night -= timedelta(days=1)
    if one.failed >= MOST_TRIES:
        return False
    if one.last is None or one.last < one.since:
        return one.since < night
    return one.last < night - timedelta(days=one.days - 1)


def _job(session: Session, actor: Actor, job_id: object) -> JobRow:
    job = jobs.get(session, actor, job_id)
    return found(job if is_comparison(job) else None)


def _part(matching: str) -> str:
    return "".join(c for c in matching if c in "+0123456789")


def _option(session: Session, actor: Actor, connection_id: int) -> ConnectionRow:
    wanted = validation.as_id(connection_id)
    option = next((row for row in connection_options(session, actor) if row.id == wanted), None)
    if option is None:
        raise InvalidInput("Choose an active connection that can be compared.", field="connection")
    return option


def _of(session: Session, actor: Actor, job: JobRow) -> Comparison:
    settings = job.settings
    with reading(session):
        options = db.connections.choices(session, Scope(require_tenant(actor)))
        connection = found(next((row for row in options if row.id == settings["connection_id"]), None))
        open_counts = db.orders.comparisons.open_counts(session, job.id)
        given = db.orders.comparisons.count_given(session, job.id)
    return Comparison(
        job,
        connection,
        settings["matching"],
        settings["held"],
        settings["on_record"],
        settings["same"],
        settings["elsewhere"],
        settings["different"],
        given,
        open_counts,
    )
