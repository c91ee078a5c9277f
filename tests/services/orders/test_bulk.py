"""Orders for many numbers: previewed together, placed by a job, each settled like any other order."""

from dataclasses import replace

import pytest
from sqlmodel import Session

import db.jobs.queries
from db.base.scope import Slice
from db.models import JobState, NumberStatus, Outcome
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from services.core.errors import Forbidden, InvalidInput
from services.jobs import jobs
from services.numbers import numbers
from services.numbers.bulk import Chosen
from services.orders import bulk
from services.orders.orders import Configuration
from tests.conftest import World
from tests.world import make, reconciling, working
from tests.world.ordering import NUMBERS, ledger


def finished(session: Session, world: World, job: int) -> db.jobs.queries.JobRow:
    return working.finished(session, world.operator, job)


def outcomes(session: Session, world: World, job: int) -> dict[str, tuple[Outcome, str]]:
    found = jobs.items(session, world.operator, job, (), Slice(1, 100))
    return {item.subject: (item.outcome, item.reason) for item in found}


def imported(session: Session, world: World, sandbox: Sandbox, area: str, amount: int = 3) -> dict[str, int]:
    """Have the account hold some numbers, import them by a job, and return their ids."""
    e164s = [reconciling.held(sandbox, f"{area}{n:03}", label=f"Line {n}") for n in range(amount)]
    found = reconciling.compared(session, world, area)
    rows = [row.number for row in found.only_there]
    job = bulk.draft_import(session, world.operator, world.twilio, rows, Configuration(agent_id=world.agent))
    jobs.start(session, world.operator, job)
    done = finished(session, world, job)
    assert (done.state, done.changed, done.refused) == (JobState.DONE, amount, 0), outcomes(session, world, job)
    items = jobs.items(session, world.operator, job, (), Slice(1, 100))
    assert sorted(item.subject for item in items) == e164s
    return {item.subject: item.number_id or 0 for item in items}


def test_many_numbers_of_an_account_are_imported_by_a_job(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    ids = imported(session, world, sandbox, area)
    for e164, number_id in ids.items():
        row = numbers.get(session, world.operator, number_id)
        assert (row.e164, row.agent_id, row.status) == (e164, world.agent, NumberStatus.ACTIVE)
        assert row.label == f"Line {int(e164[-3:])}"
    again = reconciling.compared(session, world, area)
    assert (again.comparison.held, again.comparison.same) == (3, 3)


def test_a_number_that_changed_at_the_provider_since_is_refused_and_costs_no_other(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    for n in range(2):
        reconciling.held(sandbox, f"{area}{n:03}")
    rows = [row.number for row in reconciling.compared(session, world, area).only_there]
    stale = replace(rows[0], webhooks=replace(rows[0].webhooks, voice_url="https://was.example.com"))

    job = bulk.draft_import(session, world.operator, world.twilio, [stale, rows[1]], Configuration())
    jobs.start(session, world.operator, job)

    done = finished(session, world, job)
    assert (done.changed, done.refused) == (1, 1)
    assert outcomes(session, world, job)[stale.e164][0] is Outcome.REFUSED


def test_many_are_released_once_each_and_what_cannot_be_says_why(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    ids = imported(session, world, sandbox, area)
    by_hand = make.number(session, world)

    job = bulk.draft_release(session, world.operator, Chosen(ids=(*ids.values(), by_hand)))
    with pytest.raises(InvalidInput, match="Type 3 to confirm"):
        jobs.start(session, world.operator, job, "4")
    jobs.start(session, world.operator, job, "3")

    done = finished(session, world, job)
    assert (done.changed, done.refused) == (3, 1)
    assert outcomes(session, world, job)["+14155552671"] == (
        Outcome.REFUSED,
        "A BYOT number can be removed, not released.",
    )
    for e164, number_id in ids.items():
        assert numbers.get(session, world.operator, number_id).status is NumberStatus.RELEASED
        assert ledger(sandbox, e164).count("release") == 1


def test_a_release_whose_answer_is_lost_is_done_once(
    session: Session, world: World, sandbox: Sandbox, area: str, no_grace: None
) -> None:
    ids = imported(session, world, sandbox, area, 2)
    sandbox.fault(Fault(Kind.DROP_AFTER, method="DELETE", path=NUMBERS))

    job = bulk.draft_release(session, world.operator, Chosen(ids=tuple(ids.values())))
    jobs.start(session, world.operator, job, "2")

    assert finished(session, world, job).changed == 2
    assert [ledger(sandbox, e164).count("release") for e164 in ids] == [1, 1]


def test_webhooks_of_many_are_set_where_they_are_as_the_preview_showed(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    ids = imported(session, world, sandbox, area)
    same = bulk.draft_webhooks(session, world.operator, Chosen(ids=tuple(ids.values())))
    assert jobs.outcomes(session, world.operator, same).outcomes == {Outcome.UNCHANGED: 3}
    reconciling.move_webhooks(session, world)

    job = bulk.draft_webhooks(session, world.operator, Chosen(ids=tuple(ids.values())))
    (item, *_) = jobs.items(session, world.operator, job, (), Slice())
    assert item.before["voice_url"] == reconciling.OURS
    assert item.after["voice_url"] == "https://voice.example.com/v2"
    jobs.start(session, world.operator, job)

    assert finished(session, world, job).changed == 3
    again = reconciling.compared(session, world, area)
    assert (again.comparison.held, again.comparison.same) == (3, 3)


def test_webhooks_that_many_got_are_taken_back_where_nobody_changed_them_since(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    ids = imported(session, world, sandbox, area)
    reconciling.move_webhooks(session, world)
    job = bulk.draft_webhooks(session, world.operator, Chosen(ids=tuple(ids.values())))
    jobs.start(session, world.operator, job)
    assert finished(session, world, job).changed == 3
    provider = reconciling.at_twilio(session, world)
    (first, *others) = (numbers.get(session, world.operator, one).provider_sid or "" for one in ids.values())
    session.rollback()
    provider.set_webhooks(first, voice_url="https://third.example.com")
    undone = finished(session, world, jobs.undo(session, world.operator, job))
    assert (undone.changed, undone.refused) == (2, 1)
    urls = [there.webhooks.voice_url for sid in (first, *others) if (there := provider.find_owned_sid(sid))]
    assert urls == ["https://third.example.com", reconciling.OURS, reconciling.OURS]
    assert not jobs.may_undo(world.operator, undone)


def test_webhooks_of_another_connection_than_previewed_are_not_set(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    ids = imported(session, world, sandbox, area, 1)
    reconciling.move_webhooks(session, world)
    job = bulk.draft_webhooks(session, world.operator, Chosen(ids=tuple(ids.values())))
    reconciling.move_webhooks(session, world, "https://voice.example.com/v3")

    jobs.start(session, world.operator, job)

    assert finished(session, world, job).refused == 1


def test_who_may_not_order_cannot_preview(session: Session, world: World, sandbox: Sandbox) -> None:
    for draft in (bulk.draft_release, bulk.draft_webhooks):
        with pytest.raises(Forbidden):
            draft(session, world.viewer, Chosen(ids=(1,)))
    with pytest.raises(Forbidden):
        bulk.draft_import(session, world.viewer, world.twilio, [], Configuration())
