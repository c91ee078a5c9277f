"""How long it takes to change very many numbers at once: `python -m benchmarks.bulk [NUMBERS]`."""

import sys

from sqlmodel import Session

import db.base.engine
import db.numbers.registration
from benchmarks import analyze, database
from benchmarks.file_import import timed, world
from db.models import NumberType
from db.numbers.matching import NumberQuery
from db.numbers.registration import NewNumber
from services import agents
from services.connections import connections
from services.core.access import Actor, require_tenant
from services.core.transactions import writing
from services.jobs import engine, jobs
from services.numbers import bulk
from services.numbers.bulk import Chosen


def fill(session: Session, actor: Actor, amount: int) -> None:
    """Write *amount* numbers of the tenant."""
    connection = connections.choices(session, actor)[0]
    numbers = [
        NewNumber(
            f"+1415{n:07}", "sip", connection.id, "US", NumberType.LOCAL, f"Line {n}", None, [], [], {}, "", ["bench"]
        )
        for n in range(amount)
    ]
    with writing(session):
        db.numbers.registration.put(session, require_tenant(actor), numbers)


def main(amount: int = 20_000) -> None:
    """Print the table of the guide."""
    with database() as where, db.base.engine.open_session() as session:
        actor = world(session)
        fill(session, actor, amount)
        analyze()
        agent = agents.choices(session, actor)[0]
        sys.stdout.write(f"| {amount:,} numbers, {where.dialect.name} | time | numbers a second | our own work |\n")
        sys.stdout.write("|---|---|---|---|\n")

        def draft() -> int:
            return bulk.draft("assign_agent", session, actor, Chosen(query=NumberQuery()), agent_id=agent.id)

        def work(job: int) -> None:
            while engine.advance(job) is not engine.Step.END:
                pass
            session.rollback()

        job = timed("preview an agent for all", amount, draft)
        jobs.start(session, actor, job)
        timed("assign the agent", amount, lambda: work(job))
        undoing = timed("begin to undo it", amount, lambda: jobs.undo(session, actor, job))
        timed("undo it", amount, lambda: work(undoing))
        changed = jobs.get(session, actor, undoing).changed
    sys.stdout.write(f"\n{changed:,} changed and changed back.\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
