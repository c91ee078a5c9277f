"""How long a call log takes to become daily facts: `python -m benchmarks.call_log [CALLS]`."""

import os
import random
import resource
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from cryptography.fernet import Fernet

import db.base.engine
from benchmarks.health_load import timed, world
from db.models import CampaignNumber
from providers.sandbox.accounts import TRIAL
from providers.sandbox.server import running
from providers.sandbox.store import CallSeed
from services.core import settings
from services.health import call_logs
from services.jobs import engine
from services.setup import builder

NUMBERS, DAYS = 1_000, 30
_OUTCOMES = ("completed",) * 8 + ("no-answer",) * 9 + ("busy", "failed", "canceled")


def calls(amount: int) -> Iterator[CallSeed]:
    """Yield *amount* calls of NUMBERS numbers over the last DAYS days, most of them going out."""
    chance, today = random.Random(7), datetime.now(UTC).replace(hour=0, minute=0, second=0)
    for index in range(amount):
        status = chance.choice(_OUTCOMES)
        yield CallSeed(
            f"CA{index:032x}",
            TRIAL.sid,
            f"+1415{chance.randrange(NUMBERS):07d}",
            "+13055550100",
            today - timedelta(seconds=chance.randint(1, DAYS * 86400)),
            "outbound-api" if chance.random() < 0.9 else "inbound",
            status,
            chance.randint(1, 300) if status == "completed" else 0,
        )


def read(job_id: int) -> None:
    """Read the whole log, as a workflow does."""
    while engine.advance(job_id) is not engine.Step.END:
        pass


def main(amount: int = 100_000) -> None:
    """Print how long it takes. The database is `DATABASE_URL`, or a SQLite file that goes away again."""
    with tempfile.TemporaryDirectory() as folder, running() as sandbox:
        key = Fernet.generate_key().decode()
        os.environ |= {"NUMBERDESK_ENCRYPTION_KEYS": key, "NUMBERDESK_SANDBOX_URL": sandbox.url}
        database = db.base.engine.make_engine(os.environ.get("DATABASE_URL") or f"sqlite:///{folder}/load.db")
        db.base.engine.migrate(database)
        db.base.engine.use(database)
        sandbox.store.seed_calls(calls(amount))
        with db.base.engine.open_session() as session:
            actor = world(session, NUMBERS)
            trial = builder.at_sandbox(settings.current(), "twilio", TRIAL)
            connection = builder.connection(session, actor.tenant_id or 0, "Load", "twilio", **trial)
            session.execute(sa.update(CampaignNumber).values(added_at=datetime.now(UTC) - timedelta(days=99)))
            session.commit()
            connection_id = connection.id
            job_id = call_logs.begin(session, actor, connection_id)
            sys.stdout.write(f"| {amount:,} calls over {DAYS} days, {database.dialect.name} | |\n|---|---|\n")
            timed("read, added up and written", lambda: read(job_id))
            sys.stdout.write(f"| facts | {call_logs.get(session, actor, connection_id).counts.added:,} |\n")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        sys.stdout.write(f"| memory at most, with the sandbox | {memory:,} MB |\n")
        database.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
