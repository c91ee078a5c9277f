"""Comparisons: kept and opened again, made by the clock, and what becomes of what they have found."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from db.base.scope import Slice
from db.models import Connection, Job, JobState, Tenant
from db.orders.comparisons import Section
from providers.sandbox.accounts import TRIAL
from providers.sandbox.faults import Fault
from providers.sandbox.faults import Kind as FaultKind
from providers.sandbox.server import Sandbox
from services.audit import tenant_audit
from services.audit.findings import Kind
from services.connections import connections
from services.connections.connections import ConnectionValues
from services.core.errors import Forbidden, InvalidInput
from services.jobs import engine, jobs
from services.numbers import numbers
from services.orders import bulk, comparisons, reconcile_jobs
from services.orders.orders import Configuration
from tests.conftest import World
from tests.world import make, reconciling, working


def test_what_was_given_to_a_job_is_left_out_of_a_comparison_and_what_the_job_refused_stays(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    for e164 in (f"{area}001", f"{area}002", f"{area}003"):
        reconciling.held(sandbox, e164)
    found = reconciling.compared(session, world, area)
    make.number(session, world, f"{area}003")
    chosen = [row for row in found.only_there if row.e164 != f"{area}002"]
    job = bulk.draft_import(session, world.operator, world.twilio, [row.number for row in chosen], Configuration())
    comparisons.give(session, world.operator, found.comparison.job.id, chosen, job)
    again = reconciling.listed(session, world.operator, found.comparison.job.id)
    assert {row.e164 for row in again.only_there} == {f"{area}002", f"{area}003"}
    assert (again.comparison.given, again.comparison.open[Section.ONLY_THERE], again.comparison.different) == (1, 2, 3)


def test_what_a_job_leaves_or_takes_back_is_listed_again(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberRow
) -> None:
    def given(job: int) -> tuple[int, int]:
        comparisons.give(session, world.operator, found.comparison.job.id, found.label, job)
        now = comparisons.get(session, world.operator, found.comparison.job.id)
        return now.given, now.open[Section.LABEL]

    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    found = reconciling.compared(session, world, area)
    cancelled = reconcile_jobs.draft_labels(session, world.operator, found.label, "Twilio")
    jobs.start(session, world.operator, cancelled)
    assert given(cancelled) == (1, 0)
    jobs.cancel(session, world.operator, cancelled)
    working.finished(session, world.operator, cancelled)
    assert comparisons.get(session, world.operator, found.comparison.job.id).open[Section.LABEL] == 1
    done = reconcile_jobs.draft_take_over(session, world.operator, found.label, "Twilio")
    jobs.start(session, world.operator, done)
    assert given(done) == (1, 0)
    working.finished(session, world.operator, done)
    assert comparisons.get(session, world.operator, found.comparison.job.id).open[Section.LABEL] == 0
    working.finished(session, world.operator, jobs.undo(session, world.operator, done))
    assert comparisons.get(session, world.operator, found.comparison.job.id).open[Section.LABEL] == 1


def test_another_account_or_none_forgets_what_was_compared(session: Session, world: World, area: str) -> None:
    whole = reconciling.compared(session, world, "").comparison
    assert last_one(session, world) == whole.job.id
    version = session.get_one(Connection, world.twilio).version
    account = {"account_sid": TRIAL.sid, "auth_token": TRIAL.token}
    values = ConnectionValues("Twilio", "US", reconciling.OURS, credentials=account)
    connections.edit(session, world.admin, world.twilio, values, version=version)
    assert last_one(session, world) is None
    assert comparisons.find(session, world.operator, world.twilio) is None


def test_who_may_not_reconcile_does_not_see_the_items_of_a_comparison(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    job = reconciling.compared(session, world, area).comparison.job.id
    assert jobs.get(session, world.viewer, job).done == 1
    for read in (
        lambda: jobs.items(session, world.viewer, job, (), Slice()),
        lambda: jobs.items_after(session, world.viewer, job, (), -1, 10),
        lambda: jobs.export(session, world.viewer, job, ZoneInfo("UTC")),
    ):
        with pytest.raises(Forbidden):
            read()


def test_one_comparison_at_a_time_is_enough(session: Session, world: World, area: str) -> None:
    first = comparisons.start(session, world.operator, world.twilio, matching=area)
    assert comparisons.start(session, world.admin, world.twilio, matching=f" {area}") == first
    jobs.cancel(session, world.operator, first)
    working.finished(session, world.operator, first)
    cancelled = comparisons.get(session, world.operator, first)
    assert not cancelled.agrees
    assert jobs.items(session, world.operator, first, (), Slice()) == []
    assert comparisons.start(session, world.operator, world.twilio, matching=area) != first


def test_comparisons_are_kept_and_opened_again(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    first = reconciling.compared(session, world, area).comparison
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    second = reconciling.compared(session, world, area).comparison
    assert [row.id for row in comparisons.kept(session, world.operator, world.twilio)][:2] == [
        second.job.id,
        first.job.id,
    ]
    assert comparisons.find(session, world.operator, world.twilio, area) == second
    assert comparisons.get(session, world.operator, first.job.id).different == 0
    assert comparisons.find(session, world.operator, world.twilio, "+4915") is None
    assert second.job.title.endswith(": 1 number differs")


def test_what_the_last_whole_comparison_found_is_a_finding_until_it_is_given_to_a_job(
    session: Session, world: World, number: numbers.NumberRow, area: str
) -> None:
    def findings() -> dict[Kind, int]:
        session.rollback()
        owned = tenant_audit.owned(session, world.viewer, tenant_audit.tenant(session, world.viewer))
        return {one.kind: one.n for one in owned.findings if one.kind in (Kind.DRIFT, Kind.NOT_ON_RECORD)}

    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    reconciling.compared(session, world, area)
    assert findings() == {}, "a part is not the whole account"
    found = reconciling.compared(session, world, "")
    assert findings() == {Kind.DRIFT: 1, Kind.NOT_ON_RECORD: len(found.only_there)}
    job = reconcile_jobs.draft_labels(session, world.operator, found.label, "Twilio")
    comparisons.give(session, world.operator, found.comparison.job.id, found.label, job)
    assert findings() == {Kind.NOT_ON_RECORD: len(found.only_there)}


def test_the_clock_compares_at_night_where_somebody_asked_for_it(
    session: Session, world: World, number: numbers.NumberRow
) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=4)
    assert comparisons.due(tomorrow) == []
    comparisons.schedule(session, world.operator, world.twilio, 1)
    with pytest.raises(InvalidInput, match="every day, every week, or never"):
        comparisons.schedule(session, world.operator, world.twilio, 3)
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    assert comparisons.due() == [], "not before night has come"
    (one,) = comparisons.due(tomorrow)
    job = comparisons.start_scheduled(one)
    assert job
    assert comparisons.due() == []
    assert len(comparisons.due(tomorrow)) == 1
    done = working.finished(session, world.operator, job)
    assert (done.state, done.who) == (JobState.DONE, "Schedule")
    assert reconciling.listed(session, world.operator, job).label
    assert last_one(session, world) == job
    comparisons.schedule(session, world.operator, world.twilio, 7)
    (one,) = comparisons.due(tomorrow)
    assert comparisons.start_scheduled(one)
    assert comparisons.due(tomorrow) == []
    assert len(comparisons.due(tomorrow + timedelta(days=7))) == 1
    comparisons.schedule(session, world.operator, world.twilio, None)
    assert comparisons.due(tomorrow + timedelta(days=7)) == []


def test_a_night_that_failed_is_tried_again_but_not_for_ever(session: Session, world: World, sandbox: Sandbox) -> None:
    comparisons.schedule(session, world.operator, world.twilio, 1)
    tonight = datetime.now(UTC) + timedelta(hours=1)
    session.get_one(Connection, world.twilio).compare_since = tonight - timedelta(days=2)
    session.commit()
    for _ in range(comparisons.MOST_TRIES):
        (one,) = comparisons.due(tonight)
        sandbox.fault(Fault(FaultKind.TOO_MANY, "GET", "/IncomingPhoneNumbers", retry_after=60))
        job = comparisons.start_scheduled(one)
        assert job
        assert working.finished(session, world.operator, job).state is JobState.FAILED
    assert comparisons.due(tonight) == []
    assert len(comparisons.due(tonight + timedelta(days=1))) == 1


def test_the_clock_compares_no_account_of_a_suspended_tenant(session: Session, world: World) -> None:
    comparisons.schedule(session, world.operator, world.twilio, 1)
    (one,) = comparisons.due(datetime.now(UTC) + timedelta(days=1))
    job = comparisons.start_scheduled(one)
    assert job
    session.get_one(Tenant, world.tenant).suspended_at = datetime.now(UTC)
    session.commit()
    assert comparisons.due(datetime.now(UTC) + timedelta(days=2)) == []
    assert engine.advance(job) is engine.Step.END
    session.rollback()
    assert session.get_one(Job, job).problem == "The tenant was suspended. What was done stays; the rest was left."


def last_one(session: Session, world: World) -> int | None:
    session.rollback()
    return session.get_one(Connection, world.twilio).compared_job_id
