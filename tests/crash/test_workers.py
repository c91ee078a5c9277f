"""Processes that work beside those that serve pages: they take what others commit, and one that dies is followed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from services.jobs import jobs
from services.numbers import bulk
from services.numbers.bulk import Chosen
from services.orders import comparisons
from tests.conftest import World
from tests.crash.test_jobs import AMOUNT, verdict
from tests.crash.worker import Installation
from tests.world import make
from tests.world.waiting import until

ROOT = Path(__file__).parents[2]
TAKEN_OVER_WITHIN = 45.0
Process = subprocess.Popen[bytes]


def environment_of(installation: Installation) -> dict[str, str]:
    """Return what a process of an installation is told."""
    return {
        **os.environ,
        "DATABASE_URL": installation.database,
        "NUMBERDESK_SANDBOX_URL": installation.sandbox,
        "NUMBERDESK_DATA_DIR": installation.data_dir,
        "NUMBERDESK_ENCRYPTION_KEYS": (Path(installation.data_dir) / "encryption.key").read_text(),
        "NUMBERDESK_DEMO": "0",
    }


@pytest.fixture
def worker(installation: Installation) -> Iterator[Callable[..., Process]]:
    """Starts worker processes of the installation; what still runs is killed."""
    started: list[Process] = []

    def start(**environment: str) -> Process:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.jobs"],
            cwd=ROOT,
            env={**environment_of(installation), **environment},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def only_on_postgresql(session: Session) -> None:
    if session.get_bind().dialect.name != "postgresql":
        pytest.skip("on SQLite the app does all work itself")


def test_a_worker_does_what_a_page_starts_and_ends_when_told(
    session: Session, world: World, worker: Callable[..., Process]
) -> None:
    only_on_postgresql(session)
    ids = make.several(session, world, AMOUNT)
    process = worker()
    job = bulk.draft("deactivate", session, world.operator, Chosen(tuple(ids)))
    jobs.start(session, world.operator, job)
    until(lambda: ended(session, world, job), 60)
    verdict(session, job, ids)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_a_job_of_a_worker_that_is_killed_is_taken_over_once(
    session: Session, world: World, worker: Callable[..., Process]
) -> None:
    only_on_postgresql(session)
    ids = make.several(session, world, AMOUNT)
    workers = [worker(NUMBERDESK_JOB_BATCH="1"), worker(NUMBERDESK_JOB_BATCH="1")]
    job = bulk.draft("deactivate", session, world.operator, Chosen(tuple(ids)))
    session.execute(sa.text("SELECT 1"))
    jobs.start(session, world.operator, job)
    until(lambda: at_work(session, world, job) > 0, 60)
    killed = time.monotonic()
    for process in workers[:1]:
        process.kill()
    until(lambda: ended(session, world, job), TAKEN_OVER_WITHIN)
    assert time.monotonic() - killed < TAKEN_OVER_WITHIN
    verdict(session, job, ids)


def test_on_sqlite_a_worker_says_that_it_is_not_needed(tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": "", "NUMBERDESK_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "services.jobs"]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert found.stderr == "On SQLite the app does all work itself. Set DATABASE_URL to PostgreSQL for a worker.\n"


def test_a_process_older_than_the_schema_says_so_in_a_sentence(
    session: Session, worker: Callable[..., Process]
) -> None:
    only_on_postgresql(session)
    session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    session.commit()
    try:
        process = worker()
        _, said = process.communicate(timeout=60)
        assert process.returncode == 2
        assert said.decode().startswith("The database belongs to a newer version of Numberdesk than this process.")
        assert b"Traceback" not in said
    finally:
        newest = max(path.name[:4] for path in (ROOT / "db" / "migrations" / "versions").glob("0*.py"))
        session.execute(sa.text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest})
        session.commit()


def test_a_command_compares_an_account_and_its_exit_code_says_whether_something_differs(
    session: Session, world: World, installation: Installation
) -> None:
    def reconcile(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "services.jobs", "reconcile", *arguments]
        environment = environment_of(installation)
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    found = reconcile("--connection", str(world.twilio), "--user", world.operator.username)
    assert found.returncode == 1, found.stderr
    assert re.search(r"Reconcile Twilio: [\d,]+ numbers differ\.", found.stdout)
    assert "numbers: Only in the account" in found.stdout
    assert comparisons.kept(session, world.operator, world.twilio)[0].who == world.operator.name
    for arguments, said in (
        (["--connection", "999999"], f"{world.twilio}  Twilio (Acme)"),
        (["--connection", str(world.sip)], "Choose an active connection that can be compared."),
        (["--connection", str(world.twilio), "--user", world.viewer.username], "Your role does not allow this."),
        (["--connection", str(world.twilio), "--user", world.stranger.username], "is no active user"),
    ):
        found = reconcile(*arguments)
        assert (found.returncode, "Traceback" in found.stderr) == (2, False)
        assert said in found.stderr


def ended(session: Session, world: World, job: int) -> bool:
    session.rollback()
    return not jobs.get(session, world.operator, job).is_unfinished


def at_work(session: Session, world: World, job: int) -> int:
    session.rollback()
    return jobs.get(session, world.operator, job).done
