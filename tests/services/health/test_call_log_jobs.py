"""Calls become daily facts: each counts as what it is, in the campaign that it belongs to, or is told."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session

import db.base.engine
import db.health.facts
from db.health.call_logs import Counts
from db.health.facts import Fact
from db.models import CampaignHealth, CampaignNumber, CampaignStatus, PoolStatus, Tenant
from providers.sandbox.faults import Fault, Kind
from services.campaigns import campaigns
from services.core.errors import InvalidInput
from services.health import call_logs
from services.health.call_logs import State
from services.text import labels
from tests.conftest import World
from tests.world import make
from tests.world.call_logs import (
    CALLS,
    DAY,
    OTHER,
    OURS,
    SHARED,
    YESTERDAY,
    Log,
    drive,
    events,
    facts,
    pool,
    read,
    seen,
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
    with pytest.raises(InvalidInput, match="up to date"):
        read(session, world)
    assert seen(session, world).counts.calls == 1001
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
        (Fault(Kind.ERROR, "GET", CALLS, times=3, status=500), "it returned an internal error (HTTP 500)"),
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
        drive(session, world, call_logs.begin(session, world.operator, world.twilio, first_day=day - DAY))
    assert [fact[:2] for fact in facts(session)] == [(day - DAY, 1), (day, 2), (day + DAY, 1)]


def test_calls_that_no_campaign_can_be_found_for_are_told_by_reason(session: Session, world: World, log: Log) -> None:
    pool(session, world, "Summer", SHARED)
    make.number(session, world, "+14155552674", world.stranger)
    gone = make.number(session, world, "+14155552675")
    left = campaigns.add(session, world.operator, "Left", CampaignStatus.ACTIVE)
    campaigns.add_numbers(session, world.operator, left, [gone], version=1)
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
    campaign, number = place
    db.health.facts.put(session, world.tenant, [Fact(campaign, number, YESTERDAY, 40, 7, 6, 1)])
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
    assert "2 calls are still in progress" in (stopped.problem or "")
    with time_machine.travel(midnight + DAY + timedelta(seconds=1)):
        assert read(session, world).counts == Counts(days=2, calls=4, added=1, inbound=1, not_dialed=2)
    assert facts(session) == [(YESTERDAY, 1, 0, 0, 0, 0)]


def test_where_machines_are_detected_they_are_attempts_and_not_answered(
    session: Session, world: World, log: Log
) -> None:
    for who in ("human", "machine_start", "machine_end_beep", "fax", "unknown", None):
        log.add(YESTERDAY, seconds=30, answered_by=who)
    log.add(YESTERDAY, "busy")
    read(session, world, 1)
    assert facts(session) == [(YESTERDAY, 7, 3, 3, 0, 0)]
    fact = session.scalars(sa.select(CampaignHealth)).one()
    assert (fact.detected, fact.machines) == (5, 3)
    assert labels.answered_by(fact) == "mixed: detection on for 83%"
