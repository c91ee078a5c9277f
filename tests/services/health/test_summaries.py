"""Readers of stale sums: they neither add up nor write, and read the last sums when nobody can write."""

import contextlib
import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session

import db.base.engine
import db.health.summaries
from db.base.scope import Slice
from db.health.number_health import HealthQuery, HealthRow
from db.models import HealthLine, PhoneNumber, Tenant
from db.numbers.attention import Attention
from db.numbers.matching import NumberQuery
from services.health import number_health, summaries
from services.health.health_import import HealthImport
from services.jobs import imports
from services.numbers import numbers
from services.setup import builder
from tests.conftest import World
from tests.world import make
from tests.world.rows import fact_row
from tests.world.waiting import until

TODAY = date(2026, 5, 4)
READERS = 8


@pytest.fixture(autouse=True)
def _day() -> Iterator[None]:
    with time_machine.travel("2026-05-04T12:00:00Z"):
        yield


@pytest.fixture
def pool(session: Session, world: World) -> list[str]:
    """A campaign of three numbers with a month of calls that nobody has added up."""
    numbers = make.several(session, world, 3)
    builder.campaign(session, world.tenant, "Spring", numbers)
    session.commit()
    e164s = [f"+1415555200{at}" for at in range(3)]
    rows = [fact_row("Spring", e164, TODAY - timedelta(days=ago), 40, 12) for e164 in e164s for ago in range(1, 31)]
    imports.save(session, world.operator, HealthImport(), rows, source="test")
    return e164s


def bring(world: World, number: str, day: date, attempts: int) -> None:
    """Bring a day of calls in, as a dialer does."""
    with db.base.engine.open_session() as session:
        imports.save(
            session, world.operator, HealthImport(), [fact_row("Spring", number, day, attempts, 9)], source="test"
        )


def search(session: Session, world: World) -> list[HealthRow]:
    """Return the lines as they are kept."""
    return number_health.search(session, world.viewer, HealthQuery(30, TODAY), Slice(1, 100))


def at_once(act: list[threading.Thread]) -> None:
    for thread in act:
        thread.start()
    for thread in act:
        thread.join()


def test_many_readers_of_stale_sums_at_once_all_read_and_none_fails(
    session: Session, world: World, pool: list[str]
) -> None:
    for day in range(10):
        bring(world, pool[0], TODAY - timedelta(days=1 + day), 50 + day)
        start = threading.Barrier(READERS)
        problems: list[BaseException] = []

        def read(start: threading.Barrier = start, problems: list[BaseException] = problems) -> None:
            try:
                with db.base.engine.open_session() as own:
                    start.wait()
                    summaries.freshen(own, world.viewer, 30, 7)
                    search(own, world)
            except BaseException as exc:
                problems.append(exc)

        at_once([threading.Thread(target=read) for _ in range(READERS)])
        assert problems == []
        assert not summaries.freshen(session, world.viewer, 30).behind
        assert session.scalar(sa.select(sa.func.count()).where(HealthLine.days == 30)) == 3
        session.rollback()


def test_replicas_that_add_up_the_same_at_once_do_not_collide(session: Session, world: World, pool: list[str]) -> None:
    limits = summaries.limits_of(session.get_one(Tenant, world.tenant))
    session.rollback()
    for day in range(10):
        bring(world, pool[0], TODAY - timedelta(days=1 + day), 50 + day)
        start = threading.Barrier(READERS)
        problems: list[BaseException] = []

        def add_up(start: threading.Barrier = start, problems: list[BaseException] = problems) -> None:
            try:
                start.wait()
                summaries.add_up(world.tenant, 30, TODAY, limits)
            except BaseException as exc:
                problems.append(exc)

        at_once([threading.Thread(target=add_up) for _ in range(READERS)])
        assert problems == []
        assert {row.e164: row.attempts for row in search(session, world)}[pool[0]] >= 1200
        session.rollback()


def test_a_reader_of_the_first_sums_neither_makes_them_nor_waits_for_long(
    session: Session, world: World, pool: list[str]
) -> None:
    for _ in range(2):
        summaries._places.acquire()  # as if two tenants with very many calls were being added up
    try:
        found = summaries.freshen(session, world.viewer, 30, wait=0.01)
        assert (found.until, found.behind) == (None, True)
        assert search(session, world) == []
        summaries.freshen(session, world.viewer, 30, wait=0)  # a second reader begins nothing
        (thread,) = summaries.under_way()
    finally:
        for _ in range(2):
            summaries._places.release()
    thread.join()
    found = summaries.freshen(session, world.viewer, 30, wait=0)
    assert (found.until, found.behind) == (date(2026, 5, 3), False)
    assert len(search(session, world)) == 3


def test_no_number_is_called_idle_before_its_calls_are_added_up(
    session: Session, world: World, pool: list[str]
) -> None:
    make.number(session, world, "+14155553000")
    session.execute(sa.update(PhoneNumber).values(is_managed=True))
    session.commit()
    for _ in range(2):
        summaries._places.acquire()
    try:
        summaries.freshen(session, world.viewer, 30, wait=0)
        assert number_health.count_idle(session, world.viewer) == 0
    finally:
        for _ in range(2):
            summaries._places.release()
    assert not summaries.freshen(session, world.viewer, 30).behind
    idle = NumberQuery(attention=(Attention.IDLE,))
    assert numbers.count(session, world.viewer, idle) == number_health.count_idle(session, world.viewer) == 1


def test_only_one_replica_adds_up_at_a_time(
    session: Session, world: World, pool: list[str], database: sa.Engine
) -> None:
    if database.dialect.name == "sqlite":
        pytest.skip("SQLite has no replicas")
    session.rollback()
    with db.health.summaries.alone(world.tenant, 30) as mine:
        assert mine is not None
        found = summaries.freshen(session, world.viewer, 30)
        assert (found.until, found.behind) == (None, True)
    assert not summaries.freshen(session, world.viewer, 30).behind


def test_sums_can_be_read_while_sqlite_is_locked(
    session: Session, world: World, pool: list[str], database: sa.Engine
) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no such lock")
    summaries.freshen(session, world.viewer, 30)
    before = search(session, world)
    bring(world, pool[0], date(2026, 5, 1), 90)
    with database.connect() as other:
        other.execution_options(sqlite_begin="IMMEDIATE").exec_driver_sql("UPDATE tenant SET name = name")
        found = summaries.freshen(session, world.viewer, 30, wait=0.2)
        assert (found.until, found.behind) == (date(2026, 5, 3), True)
        assert search(session, world) == before
    assert not summaries.freshen(session, world.viewer, 30).behind
    assert search(session, world) != before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True)
    if made.returncode:
        pytest.skip("Mounting a small disk is not permitted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_sums_can_be_read_while_the_disk_is_full(
    session: Session,
    world: World,
    pool: list[str],
    database: sa.Engine,
    small_disk: Path,
) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("The disk of PostgreSQL is its own")
    summaries.freshen(session, world.viewer, 30)
    before = search(session, world)
    session.close()
    database.dispose()
    shutil.copy(str(database.url.database), small_disk / "test.db")
    engine = db.base.engine.make_engine(f"sqlite:///{small_disk / 'test.db'}")
    db.base.engine.use(engine)
    try:
        bring(world, pool[0], date(2026, 5, 1), 90)
        with db.base.engine.open_session() as reader:
            with contextlib.suppress(OSError), (small_disk / "rest").open("wb", buffering=0) as rest:
                while True:
                    rest.write(bytes(4096))
            found = summaries.freshen(reader, world.viewer, 30)
            assert (found.until, found.behind) == (date(2026, 5, 3), True)
            assert search(reader, world) == before
            (small_disk / "rest").unlink()
            until(lambda: not summaries.freshen(reader, world.viewer, 30).behind)  # it rests after a failure
            assert search(reader, world) != before
    finally:
        db.base.engine.use(database)
        engine.dispose()
