"""Bulk changes, undo and single changes in any order: nothing is overwritten unseen, and everything adds up."""

from collections import Counter
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import Session

from db.models import AuditEvent, Job, JobItem, JobState, NumberCount, Outcome, PhoneNumber
from services.core.errors import ServiceError
from services.jobs import engine, jobs
from services.numbers import bulk, numbers
from services.numbers.bulk import Chosen
from tests.conftest import Configure, World
from tests.world import make

AMOUNT = 4
CHANGES = st.sampled_from(
    [
        ("activate", {}),
        ("deactivate", {}),
        ("add_tags", {"tags": ["a"]}),
        ("remove_tags", {"tags": ["a"]}),
        ("restrict_inbound", {"countries": ["DE"]}),
        ("remove", {}),
    ]
)


def machine(session: Session, world: World) -> type[RuleBasedStateMachine]:
    """Return the rules on a database; each example begins with numbers of its own."""
    serial = iter(range(1_000_000))

    class Console(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.ids = [make.number(session, world, f"+1415{2_000_000 + next(serial)}") for _ in range(AMOUNT)]
            self.drafts: list[int] = []
            self.started: list[int] = []

        @rule(change=CHANGES, some=st.sets(st.integers(0, AMOUNT - 1), min_size=1))
        def preview(self, change: tuple[str, dict[str, Any]], some: set[int]) -> None:
            name, values = change
            chosen = Chosen(tuple(self.ids[place] for place in some))
            self.drafts.append(bulk.draft(name, session, world.operator, chosen, **values))

        @precondition(lambda self: self.drafts)
        @rule(data=st.data())
        def start(self, data: st.DataObject) -> None:
            job = data.draw(st.sampled_from(self.drafts))
            self.drafts.remove(job)
            row = jobs.get(session, world.operator, job)
            if row.total - row.done:
                jobs.start(session, world.operator, job, str(row.total - row.done))
                self.started.append(job)

        @precondition(lambda self: self.started)
        @rule(data=st.data())
        def step(self, data: st.DataObject) -> None:
            engine.advance(data.draw(st.sampled_from(self.started)))

        @precondition(lambda self: self.started)
        @rule(data=st.data(), undo=st.booleans())
        def cancel_or_undo(self, data: st.DataObject, undo: bool) -> None:
            job = data.draw(st.sampled_from(self.started))
            try:
                if undo:
                    self.started.append(jobs.undo(session, world.operator, job))
                else:
                    jobs.cancel(session, world.operator, job)
            except ServiceError:
                session.rollback()

        @rule(place=st.integers(0, AMOUNT - 1), label=st.sampled_from(["x", "y"]))
        def rename(self, place: int, label: str) -> None:
            session.rollback()
            row = numbers.get(session, world.admin, self.ids[place])
            if not row.is_gone:
                numbers.rename(session, world.admin, row.id, label, version=row.version)

        @invariant()
        def adds_up(self) -> None:
            session.rollback()
            fresh = {"populate_existing": True}
            rows = session.scalars(sa.select(PhoneNumber).execution_options(**fresh)).all()
            events = Counter(
                session.scalars(sa.select(AuditEvent.subject_id).where(AuditEvent.subject_type == "number"))
            )
            assert {row.id: row.version for row in rows} == dict(events)
            kept = session.execute(
                sa.select(NumberCount.status, sa.func.sum(NumberCount.n)).group_by(NumberCount.status)
            )
            counted = Counter(row.status for row in rows)
            assert {status: n for status, n in kept if n} == dict(counted)
            for job in session.scalars(sa.select(Job).execution_options(**fresh)):
                items = session.scalars(
                    sa.select(JobItem).where(JobItem.job_id == job.id).execution_options(**fresh)
                ).all()
                outcomes = Counter(item.outcome for item in items)
                left = outcomes[Outcome.WAITING] + outcomes[Outcome.ORDERED] + outcomes[Outcome.CANCELLED]
                assert (job.total, job.done) == (len(items), len(items) - left)
                assert (job.changed, job.refused) == (outcomes[Outcome.CHANGED], outcomes[Outcome.REFUSED])
                assert (job.ended_at is None) == (job.state not in ENDED)
                changed = [item for item in items if item.outcome is Outcome.CHANGED]
                assert all(item.new_version == (item.version or 0) + 1 for item in changed)

    return Console


ENDED = (JobState.DONE, JobState.CANCELLED, JobState.FAILED)


def test_whatever_is_interleaved_adds_up(session: Session, world: World, configure: Configure) -> None:
    configure(job_batch=2)
    run_state_machine_as_test(
        machine(session, world),
        settings=settings(
            max_examples=6, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
