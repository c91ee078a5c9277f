"""Readers of stale sums: they never write in their own transaction, and read the last sums when nobody can write."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session

import db.engine
import db.health_summary
from db.models import Campaign, CampaignNumber, HealthLine
from db.scope import Slice
from services import adding_up, health_import, number_health
from services.health_import import Given
from services.number_health import Wanted
from tests.conftest import World
from tests.services import make

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
    campaign = Campaign(tenant_id=world.tenant, name="Spring")
    session.add(campaign)
    session.flush()
    session.add_all(
        CampaignNumber(campaign_id=campaign.id or 0, number_id=number, tenant_id=world.tenant) for number in numbers
    )
    session.commit()
    e164s = [f"+1415555200{at}" for at in range(3)]
    rows = [Given("Spring", e164, TODAY - timedelta(days=ago), 40, 12) for e164 in e164s for ago in range(1, 31)]
    health_import.save(session, world.operator, rows, source="test")
    return e164s


def test_many_readers_of_stale_sums_at_once_all_read_and_none_fails(
    session: Session, world: World, pool: list[str]
) -> None:
    session.rollback()
    for day in range(5):
        with db.engine.open_session() as writer:
            row = Given("Spring", pool[0], TODAY - timedelta(days=1 + day), 50 + day, 10)
            health_import.save(writer, world.operator, [row], source="test")
        start, problems = threading.Barrier(READERS), []

        def read(start: threading.Barrier = start, problems: list[BaseException] = problems) -> None:
            try:
                with db.engine.open_session() as own:
                    start.wait()
                    adding_up.freshen(own, world.viewer, 30, 7)
                    number_health.search(own, world.viewer, Wanted(30, TODAY), Slice(1, 100))
            except BaseException as exc:
                problems.append(exc)

        threads = [threading.Thread(target=read) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert not adding_up.freshen(session, world.viewer, 30).behind
        assert session.scalar(sa.select(sa.func.count()).where(HealthLine.days == 30)) == 3
        session.rollback()


def test_only_one_adds_up_at_a_time(session: Session, world: World, pool: list[str]) -> None:
    session.rollback()
    with db.health_summary.alone(world.tenant, 30) as mine:
        assert mine is not None
        found = adding_up.freshen(session, world.viewer, 30)
        assert (found.until, found.behind) == (None, True)
    assert not adding_up.freshen(session, world.viewer, 30).behind


@pytest.mark.parametrize("why", ["locked", "full"])
def test_sums_can_be_read_while_sqlite_cannot_be_written(
    session: Session, world: World, pool: list[str], database: sa.Engine, why: str
) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no such lock")
    adding_up.freshen(session, world.viewer, 30)
    before = number_health.search(session, world.viewer, Wanted(30, TODAY), Slice(1, 100))
    health_import.save(session, world.operator, [Given("Spring", pool[0], date(2026, 5, 1), 90, 9)], source="test")
    with database.connect() as other:
        if why == "locked":
            other = other.execution_options(sqlite_begin="IMMEDIATE")
            other.exec_driver_sql("UPDATE tenant SET name = name")
        else:

            @sa.event.listens_for(database, "begin")
            def fill(connection: sa.Connection) -> None:
                pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
                connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
                connection.exec_driver_sql("PRAGMA query_only = ON")

        try:
            found = adding_up.freshen(session, world.viewer, 30)
            assert found.behind
            assert found.until == date(2026, 5, 3)
            assert number_health.search(session, world.viewer, Wanted(30, TODAY), Slice(1, 100)) == before
        finally:
            if why == "full":
                sa.event.remove(database, "begin", fill)
                database.dispose()
                session.close()
    assert not adding_up.freshen(session, world.viewer, 30).behind


def test_who_adds_up_waits_for_no_lock_and_leaves_others_their_patience(
    session: Session, world: World, pool: list[str], database: sa.Engine
) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no such lock")
    session.rollback()
    with ExitStack() as several:  # the pool hands out the one that was longest idle
        for one in [several.enter_context(database.connect()) for _ in range(6)]:
            one.rollback()
    with database.connect().execution_options(sqlite_begin="IMMEDIATE") as other:
        other.exec_driver_sql("UPDATE tenant SET name = name")
        began = time.monotonic()
        assert adding_up.freshen(session, world.viewer, 30).behind
        assert time.monotonic() - began < db.engine.BUSY_TIMEOUT_SECONDS / 2
    session.rollback()
    with ExitStack() as several:
        for one in [several.enter_context(database.connect()) for _ in range(6)]:
            patience = one.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
            assert patience == db.engine.BUSY_TIMEOUT_SECONDS * 1000
