"""How long daily facts take to come in and to be looked at: `python -m benchmarks.health_load [FACTS]`."""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlmodel import Session

import db.base.engine
from db.base.scope import Slice
from db.health.number_health import HealthQuery
from db.models import Role, Tenant
from services.core.access import Actor
from services.health import number_health, summaries
from services.health.health_import import HealthImport
from services.jobs import imports
from services.jobs.imports import Row
from services.setup import builder
from tests.world.rows import fact_row

DAYS, CAMPAIGNS = 90, 40

Done = TypeVar("Done")


def world(session: Session, amount: int) -> Actor:
    """Write a tenant with *amount* numbers in the pools of CAMPAIGNS campaigns; return its admin."""
    at = builder.tenant(session, "Load").id
    user = builder.user(session, "load", {at: Role.ADMIN})
    campaigns = [builder.campaign(session, at, f"Campaign {i}") for i in range(CAMPAIGNS)]
    for i in range(amount):
        number = builder.number(session, at, f"+1415{i:07d}", provider="twilio", country="US", is_managed=True)
        builder.pooled(session, campaigns[i % CAMPAIGNS], number.id)
    session.commit()
    return builder.actor(user, at, Role.ADMIN)


def facts(amount: int) -> list[Row]:
    """Return DAYS days of each of *amount* numbers, as a file would hold them."""
    chance, today = random.Random(7), datetime.now(UTC).date()
    days = [(today - timedelta(days=ago)).isoformat() for ago in range(DAYS)]
    rows = []
    for number in range(amount):
        for day in days:
            attempts = chance.randint(5, 45)
            answered = min(attempts, int(attempts * chance.gauss(0.3, 0.08))) if attempts else 0
            rows.append(
                fact_row(
                    f"Campaign {number % CAMPAIGNS}", f"1415{number:07d}", day, str(attempts), str(max(0, answered))
                )
            )
    return rows


def timed(what: str, act: Callable[[], Done]) -> Done:
    """Do *act* and print how long it took."""
    began = time.perf_counter()
    done = act()
    sys.stdout.write(f"| {what} | {time.perf_counter() - began:.2f} s |\n")
    sys.stdout.flush()
    return done


def look(session: Session, actor: Actor, wanted: HealthQuery) -> None:
    """Ask all that a run of the page over all numbers asks."""
    summaries.freshen(session, actor, wanted.days)
    number_health.spread(session, actor, wanted)
    number_health.totals(session, actor, wanted.days)
    number_health.trends(session, actor, wanted, number_health.search(session, actor, wanted, Slice()))
    number_health.count_idle(session, actor)
    number_health.idle(session, actor, Slice(1, 100))


def main(amount: int = 1_000_000) -> None:
    """Print the table of the guide. The database is `DATABASE_URL`, or a SQLite file that goes away again."""
    with tempfile.TemporaryDirectory() as folder:
        engine = db.base.engine.make_engine(os.environ.get("DATABASE_URL") or f"sqlite:///{folder}/load.db")
        db.base.engine.migrate(engine)
        db.base.engine.use(engine)
        with db.base.engine.open_session() as session:
            numbers = -(-amount // DAYS)
            actor = world(session, numbers)
            rows = facts(numbers)
            sys.stdout.write(f"| {len(rows):,} facts of {numbers:,} numbers, {engine.dialect.name} | |\n|---|---|\n")
            timed("check and write all", lambda: imports.save(session, actor, HealthImport(), rows, source="benchmark"))
            timed(
                "the same again, all replaced",
                lambda: imports.save(session, actor, HealthImport(), rows, source="benchmark"),
            )
            today = datetime.now(UTC).date()
            limits = summaries.limits_of(session.get_one(Tenant, actor.tenant_id))
            session.rollback()
            for days in (7, 30, 90):
                what = partial(summaries.add_up, actor.tenant_id or 0, days, today, limits)
                timed(f"added up over {days} days", what)
            for days in (7, 30, 90):
                timed(
                    f"a run of number health over {days} days", partial(look, session, actor, HealthQuery(days, today))
                )
        engine.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
