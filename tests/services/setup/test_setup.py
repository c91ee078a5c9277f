"""Start-up and the command that makes the first superadmin."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from sqlmodel import Session

import db.base.engine
import db.people.users
from db.models import Connection
from services.core import credentials
from services.core.errors import InvalidInput
from services.core.settings import Settings
from services.setup import commands, startup
from tests.conftest import World


def test_a_superadmin_is_created_once_and_with_a_long_password(session: Session) -> None:
    with pytest.raises(InvalidInput, match="at least 12"):
        commands.create_superadmin(session, "Root", "short")
    commands.create_superadmin(session, " Root ", "long-enough-password")
    user = db.people.users.find(session, "root")
    assert user
    assert user.is_superadmin
    with pytest.raises(InvalidInput, match="is taken"):
        commands.create_superadmin(session, "ROOT", "long-enough-password")


def test_starting_twice_fills_the_demo_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, demo=True)
    startup.start(settings)
    before = _numbers()
    startup.start(settings)
    assert _numbers() == before > 0


def test_without_the_demo_nothing_is_filled(tmp_path: Path) -> None:
    startup.start(Settings(data_dir=tmp_path, demo=False))
    assert _numbers() == 0


def test_start_up_stops_when_the_key_does_not_open_what_is_stored(
    session: Session, world: World, database: object, tmp_path: Path
) -> None:
    url = db.base.engine.current().url.render_as_string(hide_password=False)
    with pytest.raises(credentials.KeyProblem, match="Set NUMBERDESK_ENCRYPTION_KEYS"):
        startup.start(Settings(data_dir=tmp_path, database_url=url, demo=False))
    other = Settings(data_dir=tmp_path, database_url=url, demo=False, encryption_keys=Fernet.generate_key().decode())
    with pytest.raises(credentials.KeyProblem, match="Restore the key"):
        startup.start(other)


def test_start_up_stops_when_the_key_opens_only_some_of_what_is_stored(
    session: Session, world: World, tmp_path: Path
) -> None:
    url = db.base.engine.current().url.render_as_string(hide_password=False)
    kept, lost = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    both = Settings(data_dir=tmp_path, database_url=url, demo=False, encryption_keys=f"{kept},{lost}")
    rows = session.scalars(sa.select(Connection).order_by(Connection.id)).all()
    for row in rows:
        with_lost = row is rows[-1]
        one = both.model_copy(update={"encryption_keys": lost if with_lost else kept})
        row.credentials = credentials.seal(one, {"token": "secret"})
    session.commit()
    startup.start(both)
    with pytest.raises(credentials.KeyProblem, match="Restore the key"):
        startup.start(both.model_copy(update={"encryption_keys": kept}))


def test_an_installation_whose_key_was_lost_does_not_start_and_gets_no_new_one(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, demo=True)
    startup.start(settings)
    (tmp_path / "encryption.key").unlink()
    with pytest.raises(credentials.KeyProblem, match="encryption key is missing"):
        startup.start(settings)
    assert not (tmp_path / "encryption.key").exists()


@pytest.mark.parametrize(
    ("environment", "arguments", "said"),
    [
        ({}, ["create-superadmin", "root"], "run it in a terminal. Nothing was changed."),
        ({}, ["create-superadmin", "two words"], "A user name has 2 to 64 letters"),
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}, ["rotate-key"], "cannot be reached"),
    ],
)
def test_a_command_that_cannot_do_it_says_why(
    environment: dict[str, str], arguments: list[str], said: str, tmp_path: Path
) -> None:
    known = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    known |= {"NUMBERDESK_DATA_DIR": str(tmp_path), "NUMBERDESK_DEMO": "0", **environment}
    known |= {"NUMBERDESK_ENCRYPTION_KEYS": Fernet.generate_key().decode()}
    command = [sys.executable, "-m", "services.setup", *arguments]
    done = subprocess.run(
        command, env=known, stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def _numbers() -> int:
    with db.base.engine.current().connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM phone_number").scalar() or 0)
