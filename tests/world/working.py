"""Jobs as tests do them: started, and advanced step by step, with the orders that they wait for."""

from sqlmodel import Session

import db.orders.queries
from db.base.scope import Scope, Slice
from db.jobs.queries import JobRow
from db.models import Outcome
from services.core.access import Actor
from services.jobs import engine, jobs
from services.orders import fulfilment


def run(session: Session, actor: Actor, job: int, typed: str = "") -> JobRow:
    """Start a job and return it once it has ended."""
    jobs.start(session, actor, job, typed)
    return finished(session, actor, job)


def finished(session: Session, actor: Actor, job: int) -> JobRow:
    """Return a job that was started, once it has ended."""
    for _ in range(1_000):
        step = engine.advance(job)
        session.rollback()
        if step is engine.Step.END:
            return jobs.get(session, actor, job)
        if step is engine.Step.WAIT:
            still_open = [order.id for order in db.orders.queries.still_open(session, Scope(None))]
            session.rollback()
            for order in still_open:
                fulfilment.drive(order, even_early=True)
    raise AssertionError("the job does not end")


def outcomes(session: Session, actor: Actor, job: int) -> dict[str, tuple[Outcome, str]]:
    """Return the outcome and the reason of each item, by what it is about."""
    found = jobs.items(session, actor, job, (), Slice(1, 1_000))
    return {item.subject: (item.outcome, item.reason) for item in found}
