"""The call log becomes daily facts: each day once, whatever happens between two of them."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from dbos import DBOS
from sqlmodel import Session

import db.engine
import db.health
from db.health import Fact
from db.models import AuditEvent, Campaign, CampaignHealth, CampaignNumber, Connection, HealthPull, PoolStatus, Tenant
from db.scope import Scope
from providers.sandbox.accounts import SMALL, TRIAL
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from providers.sandbox.store import CallSeed
from services import call_logs, call_reading, campaigns, connections, credentials, durable, settings
from services.access import Actor
from services.call_logs import CallLog, Counts, State
from services.connections import ConnectionValues
from services.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.settings import Settings
from tests.conftest import World
from tests.crash.desk import until
from tests.services import make

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


@pytest.fixture
def log(session: Session, world: World, sandbox: Sandbox, _settings: Settings) -> Log:
    """An empty call log behind the Twilio connection, and three numbers, two of them in the pool of `Spring`."""
    with sandbox.store.writing() as store:
        store.execute("DELETE FROM calls WHERE account_sid = ?", (TRIAL.sid,))
    connection = session.get_one(Connection, world.twilio)
    connection.credentials = credentials.seal(_settings, {"account_sid": TRIAL.sid, "auth_token": TRIAL.token})
    session.commit()
    pool(session, world, "Spring", OURS, SHARED)
    make.number(session, world, OTHER)
    return Log(sandbox)


def pool(session: Session, world: World, name: str, *numbers: str, since: datetime | None = None) -> int:
    """Add a campaign whose pool has these numbers for a hundred days, or *since*."""
    campaign = Campaign(tenant_id=world.tenant, name=name)
    session.add(campaign)
    session.commit()
    known = db.health.numbers(session, Scope(world.tenant), numbers)
    ids = [known.get(e164) or make.number(session, world, e164) for e164 in numbers]
    session.add_all(
        CampaignNumber(
            campaign_id=campaign.id or 0,
            number_id=number,
            tenant_id=world.tenant,
            added_at=since or datetime.now(UTC) - 100 * DAY,
        )
        for number in ids
    )
    session.commit()
    return campaign.id or 0


def begin(session: Session, world: World, days: int | None = None) -> str:
    """Begin a run, of a new log over the last *days*."""
    session.rollback()
    first = None if days is None else YESTERDAY - (days - 1) * DAY
    return call_logs.begin(session, world.operator, world.twilio, first_day=first)


def drive(world: World, run: str) -> None:
    while call_reading.read_day(world.twilio, run):
        pass


def read(session: Session, world: World, days: int | None = None) -> CallLog:
    """Read the log to its end, or as far as it goes."""
    drive(world, begin(session, world, days))
    return seen(session, world)


def seen(session: Session, world: World, actor: Actor | None = None) -> CallLog:
    session.rollback()
    return call_logs.get(session, actor or world.operator, world.twilio)


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


def test_calls_become_facts_by_their_status_and_length(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY, seconds=12, times=3)
    log.add(YESTERDAY, seconds=11, times=2)
    log.add(YESTERDAY, "busy")
    log.add(YESTERDAY, "no-answer", times=4)
    log.add(YESTERDAY, "failed", times=2)
    log.add(YESTERDAY, "canceled")
    log.add(YESTERDAY, seconds=60, inbound=True, times=5)
    found = read(session, world, 2)
    assert facts(session) == [(YESTERDAY, 10, 5, 3, 2, 2)]
    assert found.counts == Counts(days=2, calls=18, added=1, inbound=5, not_dialed=1)
    assert (found.state, found.first_day, found.read_until) == (State.DONE, YESTERDAY - DAY, YESTERDAY)
    assert (found.days_left, found.started_by, found.problem) == (0, "Operator", None)
    (event,) = events(session)
    assert (event.actor_name, event.subject_label, event.tenant_id) == ("Operator", "Twilio", world.tenant)
    assert event.after == {
        "source": "Twilio",
        **found.counts._asdict(),
        "first_day": (YESTERDAY - DAY).isoformat(),
        "last_day": YESTERDAY.isoformat(),
        "problem": None,
    }


def test_the_first_run_reads_thirty_days_and_today_is_never_read(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY - 30 * DAY)
    log.add(YESTERDAY - 29 * DAY)
    log.add(YESTERDAY)
    log.add(datetime.combine(YESTERDAY + DAY, time(tzinfo=UTC)))
    assert read(session, world).counts.days == 30
    assert [fact[0] for fact in facts(session)] == [YESTERDAY - 29 * DAY, YESTERDAY]


def test_reading_again_reads_nothing_and_leaves_no_trace(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY, seconds=30, times=1001)  # two pages
    assert read(session, world, 1).counts.calls == 1001
    assert facts(session) == [(YESTERDAY, 1001, 1001, 1001, 0, 0)]
    again = read(session, world)
    assert (again.counts, again.state, again.read_until) == (Counts(), State.DONE, YESTERDAY)
    assert facts(session) == [(YESTERDAY, 1001, 1001, 1001, 0, 0)]
    assert len(events(session)) == 1


def test_the_next_run_goes_on_after_the_last_day(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY)
    read(session, world, 1)
    log.add(YESTERDAY)
    log.add(YESTERDAY + DAY)
    with time_machine.travel(datetime.now(UTC) + DAY):
        assert read(session, world).counts == Counts(days=1, calls=1, added=1)
    assert [fact[:2] for fact in facts(session)] == [(YESTERDAY, 1), (YESTERDAY + DAY, 1)]


def test_a_run_that_ends_in_the_midst_of_a_day_keeps_whole_days_and_goes_on(
    session: Session, world: World, log: Log
) -> None:
    first = YESTERDAY - 2 * DAY
    log.add(first, seconds=30, times=2)
    log.add(first + DAY, seconds=30, times=1500)
    log.add(YESTERDAY, "busy")
    log.fails(Fault(Kind.UNAVAILABLE, "GET", CALLS, times=3), after=2)  # one page of the first day, one of the second
    stopped = read(session, world, 3)
    assert facts(session) == [(first, 2, 2, 2, 0, 0)]
    assert (stopped.state, stopped.read_until, stopped.days_left) == (State.STOPPED, first, 2)
    assert stopped.problem
    assert stopped.problem.startswith("Twilio could not show the call log")
    assert stopped.counts == Counts(days=1, calls=2, added=1)
    assert read(session, world).counts == Counts(days=2, calls=1501, added=2)
    assert facts(session) == [
        (first, 2, 2, 2, 0, 0),
        (first + DAY, 1500, 1500, 1500, 0, 0),
        (YESTERDAY, 1, 0, 0, 0, 0),
    ]
    assert [event.after["days"] for event in events(session)] == [1, 2]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault(Kind.ERROR, "GET", CALLS, status=401, code=20003), "does not accept the Account SID and auth token"),
        (Fault(Kind.TOO_MANY, "GET", CALLS, times=3, retry_after=0), "it is handling too many requests"),
        (Fault(Kind.ERROR, "GET", CALLS, times=3, status=500), "it answered with an error of its own (HTTP 500)"),
        (Fault(Kind.DROP_BEFORE, "GET", CALLS, times=3), "the connection broke"),
    ],
)
def test_what_the_provider_refuses_ends_the_run_with_the_reason(
    session: Session, world: World, log: Log, fault: Fault, told: str
) -> None:
    log.add(YESTERDAY)
    log.fails(fault, after=1)
    stopped = read(session, world, 2)
    assert stopped.state is State.STOPPED
    assert told in (stopped.problem or "")
    assert stopped.counts.days == 1
    assert events(session)[0].after["problem"] == stopped.problem
    assert read(session, world).state is State.DONE
    assert len(facts(session)) == 1


@pytest.mark.parametrize("kind", [Kind.TOO_MANY, Kind.UNAVAILABLE])
def test_a_provider_that_is_busy_for_a_moment_is_asked_again(
    session: Session, world: World, log: Log, kind: Kind
) -> None:
    log.add(YESTERDAY, times=1001)
    log.fails(Fault(kind, "GET", CALLS, times=1, retry_after=0), after=1)
    assert read(session, world, 1).counts.calls == 1001


def test_a_run_that_fails_at_once_may_begin_with_another_day(session: Session, world: World, log: Log) -> None:
    log.fails(Fault(Kind.ERROR, "GET", CALLS, status=401, code=20003))
    stopped = read(session, world, 5)
    assert (stopped.first_day, stopped.read_until, stopped.days_left) == (YESTERDAY - 4 * DAY, None, 5)
    assert read(session, world, 2).counts.days == 2


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 7, 1), 24)])
def test_a_day_is_the_tenants_also_when_the_clocks_change(
    session: Session, world: World, log: Log, day: date, hours: int
) -> None:
    zone = ZoneInfo("America/New_York")
    session.get_one(Tenant, world.tenant).time_zone = zone.key
    session.commit()
    with time_machine.travel(datetime.combine(day + 3 * DAY, time(9), zone)):
        pool(session, world, "Autumn", OTHER)
        midnight = datetime.combine(day, time(), zone).astimezone(UTC)
        ends = midnight + timedelta(hours=hours)
        assert ends == datetime.combine(day + DAY, time(), zone).astimezone(UTC)
        second = timedelta(seconds=1)
        for at in (midnight - second, midnight, ends - second, ends):
            log.add(at, number=OTHER)
        drive(world, call_logs.begin(session, world.operator, world.twilio, first_day=day - DAY))
    assert [fact[:2] for fact in facts(session)] == [(day - DAY, 1), (day, 2), (day + DAY, 1)]


def test_calls_that_no_campaign_can_be_found_for_are_told_by_reason(session: Session, world: World, log: Log) -> None:
    pool(session, world, "Summer", SHARED)
    make.number(session, world, "+14155552674", world.stranger)
    gone = make.number(session, world, "+14155552675")
    left = campaigns.add(session, world.operator, "Left", campaigns.CampaignStatus.ACTIVE)
    campaigns.add_numbers(session, world.operator, left, [gone])
    session.execute(sa.update(CampaignNumber).values(added_at=datetime.now(UTC) - 50 * DAY))
    session.commit()
    campaigns.remove_number(session, world.operator, left, gone, version=2)
    log.add(YESTERDAY, number=OURS)
    log.add(YESTERDAY, number=SHARED, times=2)
    log.add(YESTERDAY, number=OTHER, times=3)
    log.add(YESTERDAY, number="+14155552675", times=4)
    log.add(YESTERDAY, number="+14155552674", times=5)
    log.add(YESTERDAY, "failed", number="+14155552676", times=6)
    found = read(session, world, 1)
    assert found.counts == Counts(days=1, calls=21, added=1, in_several_pools=2, in_no_pool=3 + 4, not_on_record=5 + 6)
    assert [fact[:2] for fact in facts(session)] == [(YESTERDAY, 1)]


def test_a_number_counts_from_the_day_on_which_it_joined_the_pool(session: Session, world: World, log: Log) -> None:
    pool(session, world, "Late", OTHER, since=datetime.combine(YESTERDAY, time(23, 59), UTC))
    log.add(YESTERDAY - DAY, number=OTHER)
    log.add(YESTERDAY, number=OTHER)
    found = read(session, world, 2)
    assert [fact[0] for fact in facts(session)] == [YESTERDAY]
    assert found.counts.in_no_pool == 1


@pytest.mark.parametrize("status", [status for status in PoolStatus if status is not PoolStatus.REMOVED])
def test_a_number_counts_whatever_its_pool_status(session: Session, world: World, log: Log, status: PoolStatus) -> None:
    session.execute(sa.update(CampaignNumber).values(pool_status=status))
    session.commit()
    log.add(YESTERDAY)
    assert read(session, world, 1).counts.added == 1


def test_what_the_dialer_sent_stays(session: Session, world: World, log: Log) -> None:
    place = session.execute(sa.select(CampaignNumber.campaign_id, CampaignNumber.number_id)).first()
    assert place
    db.health.put(session, Scope(world.tenant), [Fact(*place, YESTERDAY, 40, 7, 6, 1)])
    session.commit()
    log.add(YESTERDAY, times=3)
    log.add(YESTERDAY - DAY)
    assert read(session, world, 2).counts == Counts(days=2, calls=4, added=1, kept=1)
    assert facts(session) == [(YESTERDAY - DAY, 1, 1, 0, 1, 0), (YESTERDAY, 40, 7, 6, 1, 0)]


def test_a_day_waits_for_calls_that_are_under_way_but_not_for_ever(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY - DAY, "in-progress")
    log.add(YESTERDAY, "busy")
    log.add(YESTERDAY, "in-progress", times=2)
    log.add(YESTERDAY, "in-progress", inbound=True)
    midnight = datetime.combine(YESTERDAY + DAY, time(), UTC)
    with time_machine.travel(midnight + timedelta(minutes=30)):
        stopped = read(session, world, 3)
    assert (stopped.state, stopped.read_until) == (State.STOPPED, YESTERDAY - DAY)
    assert "2 calls are still under way" in (stopped.problem or "")
    with time_machine.travel(midnight + DAY + timedelta(seconds=1)):
        assert read(session, world).counts == Counts(days=2, calls=4, added=1, inbound=1, not_dialed=2)
    assert facts(session) == [(YESTERDAY, 1, 0, 0, 0, 0)]


def test_two_cannot_read_the_same_log(session: Session, world: World, log: Log) -> None:
    run = begin(session, world, 2)
    with pytest.raises(Conflict, match="The call log of Twilio is being read already"):
        begin(session, world)
    assert seen(session, world).state is State.RUNNING
    drive(world, run)
    assert begin(session, world) != run


def test_a_run_that_fell_silent_is_given_up_and_cannot_write_any_more(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY - DAY)
    log.add(YESTERDAY)
    silent = begin(session, world, 2)
    assert call_reading.read_day(world.twilio, silent)
    log.fails(Fault(Kind.DELAY, "GET", CALLS, seconds=1))
    slow = Thread(target=call_reading.read_day, args=(world.twilio, silent))
    slow.start()
    until(lambda: not log.failing)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        found = seen(session, world)
        assert (found.state, found.days_left) == (State.STOPPED, 1)
        assert "without a word" in (found.problem or "")
        following = begin(session, world)
    slow.join()
    assert (seen(session, world).days_left, seen(session, world).counts) == (1, Counts())
    assert not call_reading.read_day(world.twilio, silent)
    drive(world, following)
    assert seen(session, world).counts == Counts(days=1, calls=1, added=1)
    assert [(event.after["days"], bool(event.after["problem"])) for event in events(session)] == [(1, True), (1, False)]


def test_a_day_that_two_drive_at_once_counts_once(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY, times=3)
    run = begin(session, world, 1)
    log.fails(Fault(Kind.DELAY, "GET", CALLS, seconds=1))
    slow = Thread(target=call_reading.read_day, args=(world.twilio, run))
    slow.start()
    until(lambda: not log.failing)
    assert call_reading.read_day(world.twilio, run)
    slow.join()
    assert seen(session, world).counts == Counts(days=1, calls=3, added=1)


def test_a_long_day_says_that_it_lives(
    session: Session, world: World, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_reading, "BEAT_SECONDS", 0.0)
    log.add(YESTERDAY, times=1001)
    run = begin(session, world, 1)
    long_ago = datetime.now(UTC) - timedelta(minutes=4)
    session.execute(sa.update(HealthPull).values(updated_at=long_ago))
    session.commit()
    log.fails(Fault(Kind.ERROR, "GET", CALLS, status=401, code=20003), after=1)
    drive(world, run)
    session.rollback()
    assert session.get_one(HealthPull, world.twilio).updated_at > long_ago


def test_who_may_read_a_call_log(session: Session, world: World, log: Log) -> None:
    for refused in (world.viewer, world.nowhere):
        with pytest.raises(Forbidden):
            call_logs.begin(session, refused, world.twilio)
        with pytest.raises(Forbidden):
            call_logs.search(session, refused)
        with pytest.raises(Forbidden):
            call_logs.get(session, refused, world.twilio)
    for actor in (world.stranger, world.everywhere):
        with pytest.raises(NotFound):
            call_logs.begin(session, actor, world.twilio)
        session.rollback()
        with pytest.raises(NotFound):
            call_logs.get(session, actor, world.twilio)
    assert call_logs.search(session, world.stranger) == []
    assert [found.connection for found in call_logs.search(session, world.admin)] == ["Twilio"]


def test_what_cannot_be_read_is_said(session: Session, world: World, log: Log) -> None:
    with pytest.raises(InvalidInput, match="Exotel has no call log"):
        call_logs.begin(session, world.operator, world.exotel)
    session.rollback()
    for days in (0, 91):
        with pytest.raises(InvalidInput, match="at most 90 days back"):
            begin(session, world, days)
    session.rollback()
    connections.deactivate(session, world.admin, world.twilio, version=1)
    with pytest.raises(InvalidInput, match="is inactive"):
        begin(session, world, 90)
    assert not seen(session, world).is_active


def test_a_connection_that_is_deactivated_meanwhile_ends_the_run(session: Session, world: World, log: Log) -> None:
    run = begin(session, world, 2)
    assert call_reading.read_day(world.twilio, run)
    connections.deactivate(session, world.admin, world.twilio, version=1)
    assert not call_reading.read_day(world.twilio, run)
    assert seen(session, world).problem == "Twilio was deactivated."


def test_a_failure_of_ours_ends_the_run_and_says_so(
    session: Session, world: World, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(session, world, 1)
    settings.use_sandbox("no address")
    drive(world, run)
    found = seen(session, world)
    assert found.state is State.STOPPED
    assert "on our side" in (found.problem or "")


def test_a_connection_that_was_read_can_be_deleted_and_its_run_ends(session: Session, world: World, log: Log) -> None:
    run = begin(session, world, 2)
    assert call_reading.read_day(world.twilio, run)
    connections.delete(session, world.admin, world.twilio, version=1)
    assert not call_reading.read_day(world.twilio, run)
    with pytest.raises(NotFound):
        seen(session, world)


def test_another_account_has_another_log(session: Session, world: World, log: Log) -> None:
    read(session, world, 2)
    same = ConnectionValues("Twilio", credentials={"auth_token": TRIAL.token})
    version = connections.edit(session, world.admin, world.twilio, same, version=1)
    assert seen(session, world).read_until == YESTERDAY
    other = ConnectionValues("Twilio", credentials={"account_sid": SMALL.sid, "auth_token": SMALL.token})
    connections.edit(session, world.admin, world.twilio, other, version=version)
    assert seen(session, world).state is State.NEW


# By the clock


def test_the_clock_reads_on_where_a_day_was_read_before(session: Session, world: World, log: Log) -> None:
    assert call_logs.due() == []
    log.fails(Fault(Kind.ERROR, "GET", CALLS, status=401, code=20003))
    read(session, world, 1)
    assert call_logs.due() == []
    read(session, world)
    assert call_logs.due() == []
    with time_machine.travel(datetime.now(UTC) + DAY):
        assert call_logs.due() == [world.twilio]
        run = call_logs.begin_by_clock(world.twilio)
        assert run
        assert call_logs.due() == []
        assert call_logs.begin_by_clock(world.twilio) is None
        drive(world, run)
        assert (seen(session, world).started_by, seen(session, world).state) == (None, State.DONE)
    assert [event.actor_name for event in events(session)][-1] == "System"


def test_the_clock_leaves_what_is_inactive_or_suspended_alone(session: Session, world: World, log: Log) -> None:
    read(session, world, 1)
    with time_machine.travel(datetime.now(UTC) + DAY):
        session.get_one(Tenant, world.tenant).suspended_at = datetime.now(UTC)
        session.commit()
        assert call_logs.due() == []
        session.get_one(Tenant, world.tenant).suspended_at = None
        session.get_one(Connection, world.twilio).is_active = False
        session.commit()
        assert call_logs.due() == []
        assert call_logs.begin_by_clock(world.twilio) is None


def test_a_look_of_the_clock_that_reads_nothing_leaves_no_event(session: Session, world: World, log: Log) -> None:
    read(session, world, 1)
    before = len(events(session))
    with time_machine.travel(datetime.now(UTC) + DAY):
        log.fails(Fault(Kind.ERROR, "GET", CALLS, status=401, code=20003))
        run = call_logs.begin_by_clock(world.twilio)
        assert run
        drive(world, run)
        assert seen(session, world).state is State.STOPPED
    assert len(events(session)) == before


# By the engine


def test_the_engine_reads_a_log_to_its_end(session: Session, world: World, log: Log, engine: None) -> None:
    log.add(YESTERDAY, times=3)
    run = begin(session, world, 3)
    durable.read_call_log(world.twilio, run)
    durable.read_call_log(world.twilio, run)
    DBOS.retrieve_workflow(f"call-log-{run}").get_result()
    assert seen(session, world).counts == Counts(days=3, calls=3, added=1)


def test_the_engine_reads_by_its_clock_what_is_due(session: Session, world: World, log: Log, engine: None) -> None:
    log.add(YESTERDAY, times=3)
    read(session, world, 2)
    session.execute(sa.delete(CampaignHealth))
    session.execute(sa.update(HealthPull).values(done_until=YESTERDAY - DAY))
    session.commit()
    DBOS.trigger_schedule("call-logs").get_result()
    found = seen(session, world)
    assert (found.counts, found.started_by) == (Counts(days=1, calls=3, added=1), None)
    assert [schedule["schedule"] for schedule in DBOS.list_schedules()] == [durable.NEW_DAYS_AT]
