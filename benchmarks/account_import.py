"""How long many numbers of an account take to import: `python -m benchmarks.account_import [NUMBERS]`.

The account refuses whoever asks too much at once, as Twilio does.
"""

import os
import sys
import time

from cryptography.fernet import Fernet
from sqlmodel import Session

import db.base.engine
from benchmarks import database
from benchmarks.file_import import timed, world
from db.jobs.queries import JobRow
from providers.sandbox.accounts import SMALL
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import running
from providers.sandbox.store import OwnedSeed
from services.core import settings
from services.core.access import Actor, require_tenant
from services.jobs import jobs, workflows
from services.orders import bulk, catalogue
from services.orders.orders import Configuration
from services.setup import builder

CROWD, SECONDS = 3, 0.1
"""So many requests the provider serves at once, each for so long; it refuses all others with 429."""


def main(amount: int = 300) -> None:
    """Print how long it takes, and whether a number was refused."""
    os.environ["NUMBERDESK_ENCRYPTION_KEYS"] = Fernet.generate_key().decode()
    with running() as sandbox, database() as where:
        settings.use_sandbox(sandbox.url)
        with db.base.engine.open_session() as session:
            actor = world(session)
            values = builder.at_sandbox(settings.current(), "twilio", SMALL)
            connection = builder.connection(session, require_tenant(actor), "Twilio", "twilio", **values)
            session.commit()
            seeds = [OwnedSeed(f"+1762555{n:04}", SMALL.sid) for n in range(amount)]
            sandbox.seed_owned(seeds)
            found = []
            token = None
            while True:
                page = catalogue.owned_page(session, actor, connection.id, matching="+1762555", token=token)
                found += [row.number for row in page.rows]
                token = page.next_token
                if token is None:
                    break
            sandbox.fault(Fault(Kind.CROWDED, path="/IncomingPhoneNumbers", times=None, seconds=SECONDS, at_once=CROWD))
            job = bulk.draft_import(session, actor, connection.id, found, Configuration())
            session.rollback()
            workflows.launch(settings.Settings(database_url=where.url.render_as_string(hide_password=False)))
            sys.stdout.write(f"| {amount:,} numbers, {where.dialect.name} | time | numbers a second | our own work |\n")
            sys.stdout.write("|---|---|---|---|\n")
            jobs.start(session, actor, job)
            done = timed(f"import, {CROWD} requests at once", amount, lambda: ended(session, actor, job))
            workflows.stop()
    sys.stdout.write(f"\n{done.changed:,} imported, {done.refused:,} refused.\n")


def ended(session: Session, actor: Actor, job: int) -> JobRow:
    """Return a job once it has ended."""
    while True:
        session.rollback()
        row = jobs.get(session, actor, job)
        if not row.is_unfinished:
            return row
        time.sleep(0.2)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
