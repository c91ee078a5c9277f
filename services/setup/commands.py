"""What the commands of an installation do: create the first superadmin, write credentials with another key."""

import argparse
import getpass
import sys

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

import db.base.engine
import db.connections
import db.people.users
from db.base.locks import Lock
from db.models import User
from services.audit import audit
from services.audit.audit import Action, Subject
from services.connections import connections
from services.core import credentials, validation
from services.core.errors import DatabaseUnavailable, InvalidInput
from services.core.transactions import writing
from services.people import sign_in
from services.setup import startup
from services.text.labels import amount


def create_superadmin(session: Session, username: str, password: str) -> None:
    """Create a superadmin. Raises InvalidInput for a name that is taken or a password that is easy to guess."""
    name = validation.username(username)
    validation.password(password, name)
    hashed = sign_in.hash_password(password)
    with writing(session, lock=Lock.PEOPLE):
        if db.people.users.find(session, name) is not None:
            raise InvalidInput(f"User name “{name}” is taken.", field="username")
        user = User(username=name, name=username.strip(), password_hash=hashed, is_superadmin=True)
        session.add(user)
        session.flush()
        audit.record(session, None, Action.USERS_CREATE, Subject("user", user.id, user.name, None))


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.setup", description="Set up a Numberdesk installation.")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create-superadmin", help="create a superadmin; asks for the password")
    create.add_argument("name")
    commands.add_parser("rotate-key", help="re-encrypt the stored credentials with the first encryption key")
    options = parser.parse_args(arguments)
    try:
        startup.start()
        said = _rotate_key() if options.command == "rotate-key" else _create_superadmin(options.name)
    except (credentials.KeyProblem, startup.SchemaIsNewer, InvalidInput) as exc:
        sys.stderr.write(f"{exc} Nothing was changed.\n")
        return 1
    except (DatabaseUnavailable, OperationalError) as exc:
        sys.stderr.write(f"The database is busy or cannot be reached. Nothing was changed.\n{exc.__cause__ or exc}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


def _create_superadmin(name: str) -> str:
    name = validation.username(name)
    try:
        password, again = (getpass.getpass(f"{prompt}: ") for prompt in ("Password", "Repeat password"))
    except EOFError:
        raise InvalidInput("This asks for a password, so run it in a terminal.") from None
    if password != again:
        raise InvalidInput("The passwords don't match.")
    with db.base.engine.open_session() as session:
        create_superadmin(session, name, password)
    return f"Superadmin {name} created."


def _rotate_key() -> str:
    with db.base.engine.open_session() as session:
        n = connections.rotate_key(session)
    return f"{amount(n, 'connection')} re-encrypted with the first key. The other keys can be removed."
