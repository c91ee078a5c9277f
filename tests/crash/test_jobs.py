"""A process that dies in the midst of a job: another one goes on, and every number is changed once and logged once."""

import sys
from collections import Counter
from random import Random

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.jobs.queries
from db.models import AuditEvent, JobItem, JobState, NumberStatus, Outcome, PhoneNumber
from services.jobs import jobs
from services.numbers import bulk, numbers
from services.numbers.bulk import Chosen
from tests.conftest import World
from tests.crash import worker
from tests.crash.worker import Installation, Worker
from tests.world import make
from tests.world.working import finished

AMOUNT, BATCH = 10, 3


def begun(session: Session, world: World, index: int, ids: list[int], undo: int | None) -> int:
    """Start a job over all numbers, which changes each, or have one undone; return its id."""
    if undo is not None:
        return jobs.undo(session, world.operator, undo)
    session.rollback()
    now, chosen = numbers.get(session, world.operator, ids[0]), Chosen(tuple(ids))
    if index % 2:
        name = "deactivate" if now.status is NumberStatus.ACTIVE else "activate"
        job = bulk.draft(name, session, world.operator, chosen)
    else:
        other = world.second_agent if now.agent_id == world.agent else world.agent
        job = bulk.draft("assign_agent", session, world.operator, chosen, agent_id=other)
    jobs.start(session, world.operator, job)
    return job


def verdict(session: Session, job: int, ids: list[int]) -> None:
    """See that each number was changed once by a job and tells so."""
    session.rollback()
    items = session.scalars(sa.select(JobItem).where(JobItem.job_id == job)).all()
    assert Counter(item.outcome for item in items) == {Outcome.CHANGED: AMOUNT}
    events = list(session.scalars(sa.select(AuditEvent).where(AuditEvent.subject_type == "number")))
    assert Counter(event.subject_id for event in events if event.after.get("job") == job) == dict.fromkeys(ids, 1)
    of_each = Counter(event.subject_id for event in events)
    for number in session.scalars(sa.select(PhoneNumber).execution_options(populate_existing=True)):
        assert number.version == of_each[number.id], "each change has one event, and the other way round"
    assert {item.number_id: item.new_version for item in items} == dict(of_each)


def test_every_number_is_changed_once_wherever_the_process_dies(
    session: Session,
    world: World,
    installation: Installation,
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rounds, chance = pytestconfig.getoption("--rounds"), Random(pytestconfig.getoption("--seed"))
    ids, moments, killed, last = make.several(session, world, AMOUNT), 60, 0, None
    for index in range(rounds):
        undo = last if index % 3 == 2 else None
        job = begun(session, world, index, ids, undo)
        last = None if undo else job
        dying = Worker(worker.advance, installation, job, BATCH, chance.randrange(moments))
        said = dying.says()
        dying.kill()
        killed += dying.was_killed and said is None
        done = finished(session, world.operator, job)
        assert (done.state, done.done, done.changed) == (JobState.DONE, AMOUNT, AMOUNT), f"round {index}"
        verdict(session, job, ids)
    assert killed > rounds / 2, "most rounds are to die in the midst"
    with capsys.disabled():
        sys.stdout.write(f"\n{rounds} rounds, {killed} killed in the midst, {rounds * AMOUNT} items: 0 lost, 0 twice\n")


def test_a_job_of_a_killed_process_is_done_by_the_next_start(
    session: Session, world: World, installation: Installation
) -> None:
    ids = make.several(session, world, AMOUNT)
    job = begun(session, world, 0, ids, None)
    dying = Worker(worker.advance, installation, job, BATCH, 40)
    assert dying.says() is None
    dying.kill()
    session.rollback()
    assert [waiting[0] for waiting in db.jobs.queries.to_be_done(session)] == [job]
    session.rollback()

    following = Worker(worker.start, installation)
    following.awaits("worked")
    following.kill()
    verdict(session, job, ids)
