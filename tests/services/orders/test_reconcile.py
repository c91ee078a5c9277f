"""Reconcile: an account beside what is on record; comparing changes nothing and tells nothing of others."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests
import sqlalchemy as sa
from sqlmodel import Session

import db.base.named
from db.base.scope import Scope, Slice
from db.models import AuditEvent, Connection, JobState, NumberOrder, PhoneNumber
from db.orders.comparisons import Section
from providers.sandbox.faults import Fault
from providers.sandbox.faults import Kind as FaultKind
from providers.sandbox.server import Sandbox
from services.core.errors import DatabaseUnavailable, Forbidden, InvalidInput, NotFound
from services.jobs import engine
from services.numbers import numbers
from services.orders import bulk, comparisons, orders, reconcile_jobs, resync
from services.orders.orders import Configuration
from tests.conftest import World
from tests.world import make, reconciling, working
from tests.world.working import outcomes


def test_a_number_of_the_account_that_is_not_on_record_is_missing_here(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001", label="Front desk", voice_url=reconciling.ELSEWHERE)
    reconciling.held(sandbox, f"{area}002")
    comparison = reconciling.compared(session, world, area)
    found = {row.e164: (row.label, row.number.webhooks.voice_url, row.why_not) for row in comparison.only_there}
    assert found == {f"{area}001": ("Front desk", reconciling.ELSEWHERE, ""), f"{area}002": ("", "", "")}
    assert counts(comparison) == (2, 0, 0)
    assert comparison.connection.name == "Twilio"


def test_a_number_that_is_the_same_in_both_is_counted_and_not_shown(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    comparison = reconciling.compared(session, world, area)
    assert comparison.agrees
    assert counts(comparison) == (1, 1, 1)
    assert comparison.comparison.job.title == f"Reconcile Twilio, numbers with {area}: 0 numbers differ"


def test_every_number_of_an_account_larger_than_a_page_is_compared(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    job, read = comparisons.start(session, world.operator, world.twilio), [0]
    while engine.advance(job) is not engine.Step.END:
        session.rollback()
        read.append(comparisons.get(session, world.operator, job).held)
    held = read[-1]
    assert read[:3] == [0, 1000, 2000]
    assert held >= 2500
    rows = comparisons.rows(session, world.operator, job, Section.ONLY_THERE)
    assert len({row.e164 for row in rows}) == len(rows) == held
    assert comparisons.rows(session, world.operator, job, Section.ONLY_THERE, Slice(3, 50)) == rows[100:150]


def test_a_comparison_that_two_processes_make_at_once_has_each_number_once(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    job = comparisons.start(session, world.operator, world.twilio)

    def drive(_n: int) -> None:
        step = engine.Step.MORE
        while step is not engine.Step.END:
            with suppress(DatabaseUnavailable):  # the other one holds the job for longer than anybody waits
                step = engine.advance(job)

    with ThreadPoolExecutor(2) as both:
        list(both.map(drive, range(2)))
    session.rollback()
    found = comparisons.get(session, world.operator, job)
    assert (found.held, found.job.state) == (found.job.total, JobState.DONE)
    rows = comparisons.rows(session, world.operator, job, Section.ONLY_THERE)
    assert len({row.e164 for row in rows}) == len(rows) == found.held


def test_comparing_changes_nothing_here_and_nothing_there(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberRow
) -> None:
    def state() -> tuple[object, ...]:
        session.rollback()
        counts = [session.scalar(sa.select(sa.func.count()).select_from(table)) for table in (NumberOrder, PhoneNumber)]
        about = sa.select(sa.func.count()).where(AuditEvent.subject_type != "job")
        counts.append(session.scalar(about))
        entries = requests.get(f"{sandbox.url}/ledger", timeout=5).json()["entries"]
        return (*counts, entries, reconciling.at_twilio(session, world).find_owned_sid(number.provider_sid or ""))

    reconciling.held(sandbox, f"{area}002")
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    before = state()
    reconciling.compared(session, world, area)
    assert state() == before


def test_a_number_on_record_in_another_tenant_cannot_be_imported_and_nobody_is_named(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001")
    make.number(session, world, f"{area}001", actor=world.stranger, label="Secret")
    comparison = reconciling.compared(session, world, area)
    (row,) = comparison.only_there
    assert row.why_not.endswith("already exists. A number can be added only once.")
    assert "Other" not in repr(comparison)
    assert "Secret" not in repr(comparison)
    job = bulk.draft_import(session, world.operator, world.twilio, [row.number], Configuration())
    assert "already exists" in outcomes(session, world.operator, job)[row.e164][1]


def test_a_number_with_an_open_order_cannot_be_imported_meanwhile(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001")
    comparison = reconciling.compared(session, world, area)
    (number,) = [row.number for row in comparison.only_there]
    orders.place_import(
        session, world.operator, world.twilio, number.e164, number.sid, number.webhooks, Configuration()
    )
    (row,) = reconciling.compared(session, world, area).only_there
    assert "is already being ordered or changed" in row.why_not
    job = bulk.draft_import(session, world.operator, world.twilio, [row.number], Configuration())
    assert "is already being ordered or changed" in outcomes(session, world.operator, job)[row.e164][1]


def test_numbers_added_by_hand_or_under_another_connection_are_not_missing(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001")
    make.number(session, world, f"{area}001")
    comparison = reconciling.compared(session, world, area)
    assert (comparison.comparison.held, comparison.comparison.elsewhere, comparison.only_there) == (1, 1, [])
    assert comparison.agrees


def test_what_differs_is_shown_by_the_rule_of_a_single_re_sync(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    reconciling.at_twilio(session, world).set_webhooks(
        number.provider_sid or "", voice_url=reconciling.ELSEWHERE, status_callback=""
    )
    comparison = reconciling.compared(session, world, area)
    (label,), (webhooks,) = comparison.label, comparison.webhooks
    assert [*label.differences, *webhooks.differences] == resync.differences(session, world.viewer, number.id)
    assert [(d.name, d.ours, d.theirs) for d in label.differences] == [("Label", "Renamed", "Front desk")]
    assert [(d.name, d.ours, d.theirs) for d in webhooks.differences] == [
        ("Voice URL", reconciling.OURS, reconciling.ELSEWHERE),
        ("Status callback", "https://voice.example.com/status", "—"),
    ]


def test_a_provider_that_fails_in_the_middle_gives_no_comparison(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    job = comparisons.start(session, world.operator, world.twilio)
    assert engine.advance(job) is engine.Step.MORE
    sandbox.fault(Fault(FaultKind.TOO_MANY, "GET", "/IncomingPhoneNumbers", times=None, retry_after=0.01))
    assert engine.advance(job) is engine.Step.END
    session.rollback()
    found = comparisons.get(session, world.operator, job)
    assert (found.job.state, found.held) == (JobState.FAILED, 1000)
    assert "list the account's numbers" in (found.job.problem or "")
    assert not _last(session, world)


def test_a_comparison_that_cannot_be_made_for_a_fault_of_ours_ends_and_says_why(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    session.get_one(Connection, world.twilio).credentials = "unreadable"
    session.commit()
    job = comparisons.start(session, world.operator, world.twilio)
    done = working.finished(session, world.operator, job)
    assert done.state is JobState.FAILED
    assert "credentials" in (done.problem or "")


def test_only_active_connections_whose_provider_lists_what_it_holds_can_be_compared(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    assert [row.name for row in comparisons.connection_options(session, world.operator)] == ["Twilio"]
    for connection in (world.exotel, world.sip, world.retired, world.other_sip):
        with pytest.raises(InvalidInput, match="can be compared"):
            comparisons.start(session, world.operator, connection)
    found = db.base.named.find(session, Connection, Scope(world.tenant), world.twilio)
    assert found
    under_way = comparisons.start(session, world.operator, world.twilio)
    found.is_active = False
    session.commit()
    assert comparisons.connection_options(session, world.operator) == []
    with pytest.raises(InvalidInput, match="can be compared"):
        comparisons.start(session, world.operator, world.twilio)
    assert "was deactivated" in (working.finished(session, world.operator, under_way).problem or "")


def test_who_may_not_and_who_has_no_tenant_sees_and_changes_nothing(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    reconciling.at_twilio(session, world).set_webhooks(number.provider_sid or "", voice_url=reconciling.ELSEWHERE)
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    comparison = reconciling.compared(session, world, area)
    (row,) = comparison.label
    job = comparison.comparison.job.id
    for refused in (
        lambda: comparisons.connection_options(session, world.viewer),
        lambda: comparisons.find(session, world.viewer, world.twilio),
        lambda: comparisons.get(session, world.viewer, job),
        lambda: comparisons.kept(session, world.viewer, world.twilio),
        lambda: comparisons.rows(session, world.viewer, job, Section.LABEL),
        lambda: comparisons.give(session, world.viewer, job, [row], job),
        lambda: comparisons.schedule(session, world.viewer, world.twilio, 1),
    ):
        with pytest.raises(Forbidden):
            refused()
    with pytest.raises(Forbidden):
        reconciling.compared(session, world, area, world.viewer)
    with pytest.raises(Forbidden):
        reconcile_jobs.draft_take_over(session, world.viewer, [row], "Twilio")
    with pytest.raises(Forbidden):
        reconcile_jobs.draft_released(session, world.viewer, [], "Why")
    with pytest.raises(NotFound, match="Choose one tenant"):
        reconciling.compared(session, world, area, world.everywhere)
    with pytest.raises(InvalidInput):
        reconciling.compared(session, world, area, world.stranger)
    for hidden in (
        lambda: reconcile_jobs.draft_take_over(session, world.stranger, [row], "Twilio"),
        lambda: reconcile_jobs.draft_labels(session, world.stranger, [row], "Twilio"),
        lambda: comparisons.get(session, world.stranger, job),
        lambda: comparisons.rows(session, world.stranger, job, Section.LABEL),
        lambda: comparisons.give(session, world.stranger, job, [row], job),
    ):
        with pytest.raises(NotFound):
            hidden()
    assert comparisons.kept(session, world.stranger, world.twilio) == []
    assert comparisons.find(session, world.stranger, world.twilio, area) is None
    for actor in (world.admin, world.superadmin):
        assert len(reconciling.compared(session, world, area, actor).label) == 1


def test_numbers_are_not_missing_when_a_part_of_them_is_compared(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    reconciling.at_twilio(session, world).release(number.provider_sid or "")
    assert reconciling.compared(session, world, f"{area}9").only_here == []
    assert len(reconciling.compared(session, world, number.e164[-7:]).only_here) == 1


def counts(found: reconciling.Found) -> tuple[int, int, int]:
    """Return how many numbers are in the account, how many on record, and how many the same in both."""
    return found.comparison.held, found.comparison.on_record, found.comparison.same


def _last(session: Session, world: World) -> int | None:
    session.rollback()
    return session.get_one(Connection, world.twilio).compared_job_id
