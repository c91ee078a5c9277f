"""Processes that work beside those that serve pages: they take what others commit, and one that dies is followed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from sqlmodel import Session

from db.base.locks import Lock
from db.models import KeyScope, Tenant, User
from services.jobs import jobs
from services.numbers import bulk
from services.numbers.bulk import Chosen
from services.people import api_keys
from services.setup import demo
from tests.conftest import World
from tests.crash.test_jobs import AMOUNT, verdict
from tests.crash.worker import Installation
from tests.e2e.conftest import free_port
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


@pytest.fixture
def web(installation: Installation, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Starts processes that serve pages and do no long work; returns the address of each."""
    started: list[Process] = []

    def start() -> str:
        port = free_port()
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
        command += ["--server.address=127.0.0.1", f"--server.port={port}"]
        environment = {**environment_of(installation), "NUMBERDESK_WORKS": "0"}
        with (tmp_path / f"web-{port}.log").open("w") as log:
            started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        address = f"http://127.0.0.1:{port}"
        until(lambda: is_up(address), 60)
        return address

    yield start
    for process in started:
        process.kill()
        process.wait()


def is_up(address: str) -> bool:
    try:
        return requests.get(f"{address}/api/health", timeout=5).ok
    except requests.RequestException:
        return False


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


def test_a_job_that_a_page_started_is_done_once_by_two_workers_of_which_one_is_killed(
    session: Session, world: World, worker: Callable[..., Process], web: Callable[[], str]
) -> None:
    """Two web processes that do no work themselves, and two workers: what was at work when one died is taken over."""
    only_on_postgresql(session)
    ids = make.several(session, world, AMOUNT)
    secret = api_keys.create(session, world.admin, "Mover", [KeyScope.WRITE]).secret
    session.rollback()
    pages = [web(), web()]
    workers = [worker(NUMBERDESK_JOB_BATCH="1"), worker(NUMBERDESK_JOB_BATCH="1")]
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "once"}
    wanted = {"action": "deactivate", "numbers": {"ids": ids}}
    answers = [requests.post(f"{page}/api/v1/jobs", json=wanted, headers=headers, timeout=20) for page in pages]
    job, again = (answer.json()["id"] for answer in answers)
    assert job == again, "the second page finds what the first one started"
    until(lambda: at_work(session, world, job) > 0, 60)
    workers[0].kill()
    until(lambda: ended(session, world, job), TAKEN_OVER_WITHIN)
    verdict(session, job, ids)
    for page in pages:
        seen = requests.get(f"{page}/api/v1/jobs/{job}", headers=headers, timeout=20).json()
        assert (seen["state"], seen["outcomes"]) == ("done", {"changed": AMOUNT})


def test_two_processes_that_start_on_an_empty_database_fill_the_demo_once_though_one_dies(
    session: Session, worker: Callable[..., Process]
) -> None:
    only_on_postgresql(session)
    dying, living = worker(NUMBERDESK_DEMO="1"), worker(NUMBERDESK_DEMO="1")
    until(lambda: is_filling(session), 60)
    dying.kill()
    until(lambda: counted(session, Tenant) > 0, 60)
    assert living.poll() is None
    names = session.scalars(sa.select(Tenant.name)).all()
    assert len(names) == len(set(names)) == 3
    assert counted(session, User) == len(demo.USERS)


def is_filling(session: Session) -> bool:
    """Return whether a process holds the lock under which the demo is filled."""
    session.rollback()
    locks = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock AND granted")
    return session.scalar(locks, {"lock": Lock.FILLING.value}) > 0 or counted(session, Tenant) > 0


def counted(session: Session, model: type[Tenant] | type[User]) -> int:
    session.rollback()
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


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


def ended(session: Session, world: World, job: int) -> bool:
    session.rollback()
    return not jobs.get(session, world.operator, job).is_unfinished


def at_work(session: Session, world: World, job: int) -> int:
    session.rollback()
    return jobs.get(session, world.operator, job).done
