"""The command that compares one account: what it prints, and its exit code."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from db.models import Connection
from providers.sandbox.accounts import TRIAL
from providers.sandbox.server import Sandbox
from services.core import credentials, settings
from services.core.settings import Settings
from services.jobs import commands
from services.jobs.commands import Exit
from services.orders import comparisons
from tests.conftest import Configure, World


@pytest.fixture(autouse=True)
def _on_the_test_database(database: sa.Engine, _settings: Settings, configure: Configure) -> None:
    key = (_settings.data_dir / "encryption.key").read_text()
    configure(database_url=database.url.render_as_string(hide_password=False), encryption_keys=key)


def reconcile(*arguments: str) -> int:
    return commands.main(["reconcile", *arguments])


@contextmanager
def emptied(sandbox: Sandbox) -> Iterator[None]:
    """Have the trial account hold nothing in the block."""
    with sandbox.store.writing() as store:
        held = store.execute("SELECT * FROM owned WHERE account_sid = ?", (TRIAL.sid,)).fetchall()
        store.execute("DELETE FROM owned WHERE account_sid = ?", (TRIAL.sid,))
    yield
    with sandbox.store.writing() as store:
        for row in held:
            marks = ", ".join("?" * len(row))
            store.execute(f"INSERT INTO owned VALUES ({marks})", tuple(row))  # noqa: S608


def test_its_exit_code_says_whether_something_differs(
    session: Session, world: World, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reconcile("--connection", str(world.twilio), "--user", world.operator.username) == Exit.DIFFERENT.value
    said = capsys.readouterr().out
    assert re.match(r"Reconcile Twilio: [\d,]+ numbers differ\.", said), "and no line of the log before it"
    assert re.search(r"Only in the account: [\d,]+ numbers", said)
    session.rollback()
    (kept,) = comparisons.kept(session, world.operator, world.twilio)
    assert kept.who == world.operator.name
    session.rollback()
    holding_nothing = {"account_sid": TRIAL.sid, "auth_token": TRIAL.token}
    session.get_one(Connection, world.twilio).credentials = credentials.seal(settings.current(), holding_nothing)
    session.commit()
    with emptied(sandbox):
        assert reconcile("--connection", str(world.twilio)) == Exit.FINE.value  # as the first superadmin
    assert "Reconcile Twilio: 0 numbers differ. 0 numbers compared." in capsys.readouterr().out


def test_what_cannot_be_compared_is_said_in_a_sentence(
    session: Session, world: World, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, said in (
        (["--connection", "999999"], f"{world.twilio}  Twilio (Acme)"),
        (["--connection", str(world.sip)], "Choose an active connection that can be compared."),
        (["--connection", str(world.twilio), "--user", world.viewer.username], "Your role does not allow this."),
        (["--connection", str(world.twilio), "--user", world.stranger.username], "is no active user"),
    ):
        assert reconcile(*arguments) == Exit.FAILED.value
        assert said in capsys.readouterr().err
    for wrong in ("one", "99999999999999999999", "-1"):
        with pytest.raises(SystemExit) as exits:
            reconcile(f"--connection={wrong}")
        assert exits.value.code == 2
