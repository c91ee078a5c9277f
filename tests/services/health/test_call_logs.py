"""Jobs that read call logs: one at a time, each day once and in order, whatever happens between two of them."""

from datetime import UTC, datetime
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from dbos import DBOS
from sqlmodel import Session

import db.base.engine
from db.health.call_logs import Counts
from db.models import CampaignHealth, Connection, HealthPull, Job, JobState, Outcome, Role, Tenant
from providers.sandbox.accounts import SMALL, TRIAL
from providers.sandbox.faults import Fault, Kind
from services.connections import connections
from services.connections.connections import ConnectionValues
from services.core import settings
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.health import call_logs
from services.health.call_logs import State
from services.jobs import engine as steps
from services.jobs import jobs, workflows
from services.people import users
from tests.conftest import World
from tests.world.call_logs import CALLS, DAY, YESTERDAY, Log, begin, drive, events, facts, read, seen
from tests.world.waiting import until
from tests.world.working import outcomes

REFUSED = Fault(Kind.ERROR, "GET", CALLS, status=401, code=20003)


def named(day: object) -> str:
    return f"{day:%-d %b %Y}"


def test_two_cannot_read_the_same_log(session: Session, world: World, log: Log) -> None:
    job = begin(session, world, 2)
    with pytest.raises(Conflict, match="The call log of Twilio is already being read"):
        begin(session, world)
    found = seen(session, world)
    assert (found.state, found.job_id, found.waits) == (State.RUNNING, job, True)
    drive(session, world, job)
    with time_machine.travel(datetime.now(UTC) + DAY):
        assert begin(session, world) != job


def test_two_who_start_at_once_start_one_job(session: Session, world: World, log: Log) -> None:
    found: list[object] = []

    def start() -> None:
        with db.base.engine.open_session() as own:
            try:
                found.append(call_logs.begin(own, world.operator, world.twilio))
            except Conflict as exc:
                found.append(str(exc))

    both = [Thread(target=start) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    session.rollback()
    job = session.scalars(sa.select(Job)).one()
    assert sorted(map(str, found)) == sorted([str(job.id), "The call log of Twilio is already being read."])


def test_a_job_has_an_item_for_each_day_with_what_it_had(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY, seconds=30, times=2)
    log.add(YESTERDAY, "canceled")
    job = drive(session, world, begin(session, world, 2))
    assert (job.title, job.state, job.total, job.done, job.changed) == (
        *("Read the call log of Twilio", JobState.DONE),
        *(2, 2, 1),
    )
    assert jobs.summary(job) == "2 of 2 days"
    table = jobs.export(session, world.operator, job.id, ZoneInfo("UTC"))
    assert table.header[0] == "Day"
    assert [tuple(row[:3]) for row in table.rows] == [
        (named(YESTERDAY - DAY), "Unchanged", "Calls read: 0"),
        (named(YESTERDAY), "Changed", "Rows added: 1; Calls read: 3; Calls not dialed: 1"),
    ]


def test_a_day_that_cannot_be_read_ends_the_job_and_leaves_those_after_it(
    session: Session, world: World, log: Log
) -> None:
    log.add(YESTERDAY - 2 * DAY)
    log.add(YESTERDAY)
    log.fails(REFUSED, after=1)
    job = drive(session, world, begin(session, world, 3))
    assert (job.state, job.done, job.changed) == (JobState.FAILED, 1, 1)
    assert "does not accept the Account SID and auth token" in (job.problem or "")
    assert outcomes(session, world.operator, job.id) == {
        named(YESTERDAY - 2 * DAY): (Outcome.CHANGED, ""),
        named(YESTERDAY - DAY): (Outcome.CANCELLED, ""),
        named(YESTERDAY): (Outcome.CANCELLED, ""),
    }
    assert [fact[0] for fact in facts(session)] == [YESTERDAY - 2 * DAY]
    following = drive(session, world, begin(session, world))
    assert list(outcomes(session, world.operator, following.id)) == [named(YESTERDAY - DAY), named(YESTERDAY)]


def test_a_job_that_is_cancelled_keeps_its_days_and_the_next_goes_on_after_them(
    session: Session, world: World, log: Log
) -> None:
    for ago in range(3):
        log.add(YESTERDAY - ago * DAY)
    job = begin(session, world, 3)
    steps.advance(job)
    session.rollback()
    jobs.cancel(session, world.operator, job)
    assert drive(session, world, job).state is JobState.CANCELLED
    stopped = seen(session, world)
    assert (stopped.state, stopped.read_until, stopped.days_left) == (State.STOPPED, YESTERDAY - 2 * DAY, 2)
    assert (stopped.problem, stopped.counts) == ("It was cancelled.", Counts(days=1, calls=1, added=1))
    assert [event.after["days"] for event in events(session)] == [1]
    following = read(session, world)
    assert (following.state, following.counts) == (State.DONE, Counts(days=2, calls=2, added=2))
    assert [fact[:2] for fact in facts(session)] == [(YESTERDAY - ago * DAY, 1) for ago in (2, 1, 0)]


def test_who_loses_the_role_midway_has_the_job_stopped(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY - DAY)
    log.add(YESTERDAY)
    job = begin(session, world, 2)
    steps.advance(job)
    session.rollback()
    users.change_role(session, world.admin, world.operator.user_id, world.tenant, Role.VIEWER, version=None)
    assert steps.advance(job) is steps.Step.END
    session.rollback()
    found = call_logs.get(session, world.admin, world.twilio)
    assert (found.state, found.read_until) == (State.STOPPED, YESTERDAY - DAY)
    assert "no longer allowed" in (found.problem or "")
    assert [fact[0] for fact in facts(session)] == [YESTERDAY - DAY]


def test_a_day_that_two_drive_at_once_counts_once(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY - DAY, times=3)
    log.add(YESTERDAY, times=2)
    job = begin(session, world, 2)
    log.fails(Fault(Kind.DELAY, "GET", CALLS, seconds=1))
    slow = Thread(target=steps.advance, args=(job,))
    slow.start()
    until(lambda: not log.failing)
    steps.advance(job)
    slow.join()
    assert seen(session, world).counts == Counts(days=1, calls=3, added=1)
    drive(session, world, job)
    assert seen(session, world).counts == Counts(days=2, calls=5, added=2)


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


def test_a_connection_that_is_deactivated_meanwhile_ends_the_job(session: Session, world: World, log: Log) -> None:
    job = begin(session, world, 2)
    steps.advance(job)
    session.rollback()
    connections.set_active(session, world.admin, world.twilio, False, version=1)
    assert drive(session, world, job).state is JobState.FAILED
    assert seen(session, world).problem == "Twilio was deactivated."


def test_a_failure_of_ours_ends_the_job_and_says_so(session: Session, world: World, log: Log) -> None:
    job = begin(session, world, 1)
    settings.use_sandbox("no address")
    drive(session, world, job)
    found = seen(session, world)
    assert found.state is State.STOPPED
    assert "on our side" in (found.problem or "")


def test_a_connection_that_was_read_can_be_deleted_and_its_job_ends(session: Session, world: World, log: Log) -> None:
    job = begin(session, world, 2)
    steps.advance(job)
    session.rollback()
    connections.delete(session, world.admin, world.twilio, version=1)
    assert drive(session, world, job).problem == "The connection was deleted."
    with pytest.raises(NotFound):
        seen(session, world)


def test_a_log_of_another_account_is_not_read_on_by_a_job_of_the_former_one(
    session: Session, world: World, log: Log
) -> None:
    log.add(YESTERDAY)
    former = begin(session, world, 2)
    steps.advance(former)
    session.rollback()
    other = ConnectionValues("Twilio", credentials={"account_sid": SMALL.sid, "auth_token": SMALL.token})
    connections.edit(session, world.admin, world.twilio, other, version=1)
    following = begin(session, world, 1)
    assert "account of this connection has changed" in (drive(session, world, former).problem or "")
    assert (seen(session, world).state, seen(session, world).job_id) == (State.RUNNING, following)


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
    assert call_logs.start_due() == []
    log.fails(REFUSED)
    read(session, world, 1)
    assert call_logs.start_due() == []
    read(session, world)
    assert call_logs.start_due() == []
    with time_machine.travel(datetime.now(UTC) + DAY):
        (job,) = call_logs.start_due()
        assert call_logs.start_due() == []
        done = drive(session, world, job)
        assert (done.who, done.user_id, done.scheduled) == ("Schedule", world.operator.user_id, True)
        assert (seen(session, world).started_by, seen(session, world).state) == (None, State.DONE)
    assert [event.actor_name for event in events(session)][-1] == "Schedule"


def test_the_clock_leaves_what_is_inactive_or_suspended_alone(session: Session, world: World, log: Log) -> None:
    read(session, world, 1)
    with time_machine.travel(datetime.now(UTC) + DAY):
        session.get_one(Tenant, world.tenant).suspended_at = datetime.now(UTC)
        session.commit()
        assert call_logs.start_due() == []
        session.get_one(Tenant, world.tenant).suspended_at = None
        session.get_one(Connection, world.twilio).is_active = False
        session.commit()
        assert call_logs.start_due() == []


def test_what_was_read_before_there_were_jobs_is_read_on(session: Session, world: World, log: Log) -> None:
    log.add(YESTERDAY)
    read(session, world, 2)
    session.execute(sa.update(HealthPull).values(done_until=YESTERDAY - DAY, job_id=None))
    session.commit()
    found = seen(session, world)
    assert (found.state, found.days_left, found.started_at) == (State.DONE, 1, None)
    (job,) = call_logs.start_due()
    assert drive(session, world, job).done == 1
    assert seen(session, world).read_until == YESTERDAY


def test_a_job_of_the_clock_that_reads_nothing_is_no_event_of_health(session: Session, world: World, log: Log) -> None:
    read(session, world, 1)
    before = len(events(session))
    with time_machine.travel(datetime.now(UTC) + DAY):
        log.fails(REFUSED)
        (job,) = call_logs.start_due()
        drive(session, world, job)
        assert seen(session, world).state is State.STOPPED
    assert len(events(session)) == before


# By the engine


def test_the_engine_reads_a_log_to_its_end(session: Session, world: World, log: Log, engine: None) -> None:
    log.add(YESTERDAY, times=3)
    begin(session, world, 3)
    workflows.begin()
    workflows.begin()
    until(lambda: seen(session, world).state is not State.RUNNING)
    assert seen(session, world).counts == Counts(days=3, calls=3, added=1)


def test_the_engine_reads_by_its_clock_what_is_due(session: Session, world: World, log: Log, engine: None) -> None:
    log.add(YESTERDAY, times=3)
    read(session, world, 2)
    session.execute(sa.delete(CampaignHealth))
    session.execute(sa.update(HealthPull).values(done_until=YESTERDAY - DAY))
    session.commit()
    DBOS.trigger_schedule("call-logs").get_result()
    until(lambda: seen(session, world).state is not State.RUNNING)
    found = seen(session, world)
    assert (found.counts, found.started_by) == (Counts(days=1, calls=3, added=1), None)
    assert workflows.NEW_DAYS_AT in [schedule["schedule"] for schedule in DBOS.list_schedules()]
