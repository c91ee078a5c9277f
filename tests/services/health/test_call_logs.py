"""Runs through a call log: one at a time, each day once, whatever happens between two of them."""

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
import sqlalchemy as sa
import time_machine
from dbos import DBOS
from sqlmodel import Session

from db.models import CampaignHealth, Connection, HealthPull, Tenant
from providers.sandbox.accounts import SMALL, TRIAL
from providers.sandbox.faults import Fault, Kind
from services.connections import connections
from services.connections.connections import ConnectionValues
from services.core import settings
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.health import call_log_runs, call_logs
from services.health.call_logs import Counts, State
from services.jobs import workflows
from tests.conftest import World
from tests.world.call_logs import CALLS, DAY, YESTERDAY, Log, begin, drive, events, read, seen
from tests.world.waiting import until


def test_two_cannot_read_the_same_log(session: Session, world: World, log: Log) -> None:
    run = begin(session, world, 2)
    with pytest.raises(Conflict, match="The call log of Twilio is already being read"):
        begin(session, world)
    assert seen(session, world).state is State.RUNNING
    drive(world, run)
    assert begin(session, world) != run


def test_a_run_that_fell_silent_is_given_up_and_cannot_write_any_more(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY - DAY)
    log.add(YESTERDAY)
    silent = begin(session, world, 2)
    assert call_log_runs.read_day(world.twilio, silent)
    log.fails(Fault(Kind.DELAY, "GET", CALLS, seconds=1))
    slow = Thread(target=call_log_runs.read_day, args=(world.twilio, silent))
    slow.start()
    until(lambda: not log.failing)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6)):
        found = seen(session, world)
        assert (found.state, found.days_left) == (State.STOPPED, 1)
        assert "unexpectedly" in (found.problem or "")
        following = begin(session, world)
    slow.join()
    assert (seen(session, world).days_left, seen(session, world).counts) == (1, Counts())
    assert not call_log_runs.read_day(world.twilio, silent)
    drive(world, following)
    assert seen(session, world).counts == Counts(days=1, calls=1, added=1)
    assert [(event.after["days"], bool(event.after["problem"])) for event in events(session)] == [(1, True), (1, False)]


def test_a_day_that_two_drive_at_once_counts_once(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY, times=3)
    run = begin(session, world, 1)
    log.fails(Fault(Kind.DELAY, "GET", CALLS, seconds=1))
    slow = Thread(target=call_log_runs.read_day, args=(world.twilio, run))
    slow.start()
    until(lambda: not log.failing)
    assert call_log_runs.read_day(world.twilio, run)
    slow.join()
    assert seen(session, world).counts == Counts(days=1, calls=3, added=1)


def test_a_long_day_says_that_it_lives(session: Session, world: World, log: Log) -> None:
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
        with pytest.raises(InvalidInput, match="at most 90 days ago"):
            begin(session, world, days)
    session.rollback()
    connections.set_active(session, world.admin, world.twilio, False, version=1)
    with pytest.raises(InvalidInput, match="is inactive"):
        begin(session, world, 90)
    assert not seen(session, world).is_active


def test_a_connection_that_is_deactivated_meanwhile_ends_the_run(session: Session, world: World, log: Log) -> None:
    run = begin(session, world, 2)
    assert call_log_runs.read_day(world.twilio, run)
    connections.set_active(session, world.admin, world.twilio, False, version=1)
    assert not call_log_runs.read_day(world.twilio, run)
    assert seen(session, world).problem == "Twilio was deactivated."


def test_a_failure_of_ours_ends_the_run_and_says_so(session: Session, world: World, log: Log) -> None:
    run = begin(session, world, 1)
    settings.use_sandbox("no address")
    drive(world, run)
    found = seen(session, world)
    assert found.state is State.STOPPED
    assert "on our side" in (found.problem or "")


def test_a_connection_that_was_read_can_be_deleted_and_its_run_ends(session: Session, world: World, log: Log) -> None:
    run = begin(session, world, 2)
    assert call_log_runs.read_day(world.twilio, run)
    connections.delete(session, world.admin, world.twilio, version=1)
    assert not call_log_runs.read_day(world.twilio, run)
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
    workflows.begin()
    workflows.begin()
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
    assert [schedule["schedule"] for schedule in DBOS.list_schedules()] == [workflows.NEW_DAYS_AT]
