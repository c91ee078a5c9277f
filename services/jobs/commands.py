"""What a process does that serves no page: it works until it is told to stop, or compares one account."""

import argparse
import signal
import sys
import threading
import traceback
from datetime import UTC, datetime
from enum import IntEnum

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

import db.base.named
import db.connections
import db.people.users
from db.base.engine import open_session
from db.base.scope import Scope
from db.models import Connection, JobState
from services.core import credentials, settings
from services.core.access import Actor
from services.core.errors import DatabaseUnavailable, InvalidInput, ServiceError
from services.core.settings import Settings
from services.jobs import engine, workflows
from services.orders import comparisons
from services.people import sign_in
from services.setup import startup
from services.text import labels
from services.text.labels import amount

IDLE_SECONDS = 1.0
"""How often a worker looks for what other processes have committed."""


class Exit(IntEnum):
    """Exit codes: a comparison says whether there was a difference, as `diff` does."""

    FINE = 0
    DIFFERENT = 1
    FAILED = 2


def main(arguments: list[str] | None = None) -> int:
    """Work, or run one command; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.jobs", description="Without a command: do jobs until told to stop."
    )
    commands = parser.add_subparsers(dest="command")
    compare = commands.add_parser(
        "reconcile", help="compare the account of a connection with the records; exit with 1 when something differs"
    )
    compare.add_argument("--connection", type=_number, required=True, metavar="N", help="the connection's number")
    compare.add_argument("--user", help="the user name to compare as; by default the first superadmin")
    options = parser.parse_args(arguments)
    try:
        config = settings.current()
        if options.command:
            startup.start(config.model_copy(update={"demo": False}))  # to compare is no reason to fill a database
            return _compare(options.connection, options.user)
        if config.url.startswith("sqlite"):
            sys.stderr.write("On SQLite the app does all work itself. Set DATABASE_URL to PostgreSQL for a worker.\n")
            return Exit.FAILED
        startup.start(config)
        return _work(config)
    except (credentials.KeyProblem, startup.SchemaIsNewer, ServiceError) as exc:
        sys.stderr.write(f"{exc}\n")
    except (DatabaseUnavailable, OperationalError) as exc:
        sys.stderr.write(f"The database is busy or cannot be reached.\n{exc.__cause__ or exc}\n")
    except Exception:  # whatever it was, it is no difference
        traceback.print_exc()
    return Exit.FAILED


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text} is not the number of a connection")
    return int(text)


def _work(config: Settings) -> Exit:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    workflows.launch(config, IDLE_SECONDS)
    stopped.wait()
    workflows.stop()
    return Exit.FINE


def _compare(connection_id: int, username: str | None) -> Exit:
    with open_session() as session:
        actor = _actor(session, connection_id, username)
        job_id = comparisons.start(session, actor, connection_id)
    while engine.advance(job_id) is not engine.Step.END:
        pass
    with open_session() as session:
        found = comparisons.get(session, actor, job_id)
    if found.job.state is not JobState.DONE:
        raise InvalidInput(found.job.problem or "The comparison was cancelled.")
    sections = [f"{labels.SECTION[section]}: {amount(n, 'number')}" for section, n in found.open.items() if n]
    sys.stdout.write("\n".join([f"{found.job.title}. {amount(found.held, 'number')} compared.", *sections]) + "\n")
    return Exit.FINE if found.agrees else Exit.DIFFERENT


def _actor(session: Session, connection_id: int, username: str | None) -> Actor:
    """Return who compares: somebody by name, else the first superadmin, in the tenant of the connection."""
    name = username or db.people.users.first_superadmin(session)
    if name is None:
        raise InvalidInput("There is no active superadmin. Say who compares with --user.")
    connection = db.base.named.find(session, Connection, Scope(None), connection_id)
    if connection is None:
        active = db.connections.choices(session, Scope(None), active_only=True)
        known = sorted((row.id, row.name, row.tenant) for row in active if comparisons.can_compare(row))
        names = "".join(f"\n  {number}  {name} ({tenant})" for number, name, tenant in known)
        raise InvalidInput(f"There is no connection {connection_id}. Those that can be compared:{names or ' none'}")
    if connection.is_sandbox and not settings.sandbox_url():
        raise InvalidInput(
            f"{connection.name} is a connection to the sandbox, which runs inside the app. Set NUMBERDESK_SANDBOX_URL."
        )
    actor = sign_in.load_actor(session, name, datetime.now(UTC), connection.tenant_id)
    if actor is None or actor.tenant_id != connection.tenant_id:
        raise InvalidInput(f"{name} is no active user of the connection's tenant.")
    return actor
