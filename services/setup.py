"""Start-up, and the commands of an installation: `python -m services.setup create-superadmin NAME`, `rotate-key`."""

import argparse
import getpass
import logging
import sys
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

import db.connections
import db.engine
import db.users
from db.models import User
from services import audit, checks, connections, credentials, demo, sign_in
from services import settings as settings_module
from services.audit import Action, Subject
from services.errors import DatabaseUnavailable, InvalidInput
from services.settings import Settings
from services.words import amount


def start(settings: Settings | None = None) -> None:
    """Make the app ready: logs, database, newest schema, keys that open what is stored, demo.

    Raises KeyProblem when encrypted credentials exist that no key opens.
    """
    settings = settings or settings_module.current()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level.upper()])
    )
    credentials.check(settings)
    engine = db.engine.make_engine(settings.url)
    db.engine.migrate(engine)
    db.engine.use(engine)
    log = structlog.get_logger()
    if not db.engine.has_trigrams(engine):
        log.warning("search.no_trigrams", effect="only starts and ends of numbers and starts of labels are found")
    with db.engine.open_session() as session:
        credentials.prepare(settings, db.connections.all_credentials(session))
        if demo.is_wanted(session, settings):
            demo.fill(session, settings, datetime.now(UTC).date())
            log.info("demo.filled")
    log.info("app.ready", database=engine.dialect.name, demo=settings.shows_demo)


def create_superadmin(session: Session, username: str, password: str) -> None:
    """Create a superadmin. Raises InvalidInput for a name that is taken or a password that is easy to guess."""
    name = checks.username(username)
    checks.password(password, name)
    hashed = sign_in.hash_password(password)
    db.engine.start_write(session)
    db.users.take_turns(session)
    if db.users.find(session, name) is not None:
        raise InvalidInput(f"There is a user {name} already.", field="username")
    user = User(username=name, name=username.strip(), password_hash=hashed, is_superadmin=True)
    session.add(user)
    session.flush()
    audit.record(session, None, Action.USERS_CREATE, Subject("user", user.id, user.name, None))
    session.commit()


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.setup", description="Set up a Numberdesk installation.")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create-superadmin", help="create a superadmin, asking for the password")
    create.add_argument("name")
    commands.add_parser("rotate-key", help="write the stored credentials anew with the first encryption key")
    options = parser.parse_args(arguments)
    try:
        start()
        said = _rotate_key() if options.command == "rotate-key" else _create_superadmin(options.name)
    except (credentials.KeyProblem, InvalidInput) as exc:
        sys.stderr.write(f"{exc} Nothing was changed.\n")
        return 1
    except (DatabaseUnavailable, OperationalError) as exc:
        sys.stderr.write(f"The database is busy or cannot be reached. Nothing was changed.\n{exc.__cause__ or exc}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


def _create_superadmin(name: str) -> str:
    name = checks.username(name)
    try:
        password, again = (getpass.getpass(f"{prompt}: ") for prompt in ("Password", "Password again"))
    except EOFError:
        raise InvalidInput("A password is asked for, so run this in a terminal.") from None
    if password != again:
        raise InvalidInput("The passwords differ.")
    with db.engine.open_session() as session:
        create_superadmin(session, name, password)
    return f"Superadmin {name} created."


def _rotate_key() -> str:
    with db.engine.open_session() as session:
        n = connections.rotate_key(session)
    return f"{amount(n, 'connection')} written with the first key. The other keys can be removed."


if __name__ == "__main__":
    sys.exit(main())
