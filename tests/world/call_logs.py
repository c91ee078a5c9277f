"""A call log for tests: calls that it holds, requests that fail, and what reading it has written."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count

import sqlalchemy as sa
from sqlmodel import Session

import db.health.facts
from db.base.scope import Scope
from db.jobs.queries import JobRow
from db.models import AuditEvent, CampaignHealth
from providers.sandbox.accounts import TRIAL
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from providers.sandbox.store import CallSeed
from services.health import call_logs
from services.health.call_logs import CallLog
from services.setup import builder
from tests.conftest import World
from tests.world import make, working

OURS, OTHER, SHARED = "+14155552671", "+14155552672", "+14155552673"
CALLS = "/Calls.json"
DAY = timedelta(days=1)
YESTERDAY = datetime.now(UTC).date() - DAY
NOON = time(12, tzinfo=UTC)

_serial = count()


class Log:
    """The call log of an account that no other test uses."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def add(
        self,
        at: datetime | date,
        status: str = "completed",
        seconds: int = 0,
        *,
        number: str = OURS,
        inbound: bool = False,
        times: int = 1,
        answered_by: str | None = None,
    ) -> None:
        """Have *number* called out, or in, at a time or at noon of a day."""
        started = at if isinstance(at, datetime) else datetime.combine(at, NOON)
        ends = ("+13055550100", number) if inbound else (number, "+13055550100")
        self._sandbox.store.seed_calls(
            CallSeed(
                sid=f"CA{next(_serial):032x}",
                account_sid=TRIAL.sid,
                from_number=ends[0],
                to_number=ends[1],
                started=started,
                direction="inbound" if inbound else "outbound-api",
                status=status,
                duration=seconds,
                answered_by=answered_by,
            )
            for _ in range(times)
        )

    def fails(self, fault: Fault, *, after: int = 0) -> None:
        """Have the requests after so many fail."""
        if after:
            self._sandbox.fault(Fault(Kind.DELAY, "GET", CALLS, times=after))
        self._sandbox.fault(fault)

    @property
    def failing(self) -> bool:
        """Whether a failure is still to come."""
        return bool(self._sandbox.faults.listing())


def pool(session: Session, world: World, name: str, *numbers: str, since: datetime | None = None) -> int:
    """Add a campaign whose pool has these numbers for a hundred days, or *since*."""
    session.commit()
    known = db.health.facts.numbers(session, Scope(world.tenant), numbers)
    ids = [known.get(e164) or make.number(session, world, e164) for e164 in numbers]
    campaign = builder.campaign(session, world.tenant, name)
    for number in ids:
        builder.pooled(session, campaign, number, added_at=since or datetime.now(UTC) - 100 * DAY)
    session.commit()
    return campaign.id


def begin(session: Session, world: World, days: int | None = None) -> int:
    """Start a job, of a new log over the last *days*."""
    session.rollback()
    first = None if days is None else YESTERDAY - (days - 1) * DAY
    return call_logs.begin(session, world.operator, world.twilio, first_day=first)


def drive(session: Session, world: World, job: int) -> JobRow:
    """Return a job once it has ended."""
    session.rollback()
    return working.finished(session, world.operator, job)


def read(session: Session, world: World, days: int | None = None) -> CallLog:
    """Read the log to its end, or as far as it goes."""
    drive(session, world, begin(session, world, days))
    return seen(session, world)


def seen(session: Session, world: World) -> CallLog:
    session.rollback()
    return call_logs.get(session, world.operator, world.twilio)


def facts(session: Session) -> list[tuple[object, ...]]:
    """Return day, attempts, answered, completed, short and failed calls of every fact."""
    of = CampaignHealth
    session.rollback()
    return [
        tuple(row)
        for row in session.execute(
            sa.select(of.day, of.attempts, of.answered, of.completed, of.short_calls, of.failed).order_by(
                of.day, of.number_id
            )
        )
    ]


def events(session: Session) -> list[AuditEvent]:
    session.rollback()
    return list(
        session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "health:pull").order_by(AuditEvent.id))
    )
