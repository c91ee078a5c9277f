"""What is told at `/api/health`, whatever the pool, the locks and the disk do."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.base.engine
from db.models import OrderState
from services.jobs import liveness
from tests.conftest import World
from tests.world import make


def told() -> tuple[bool, dict[str, Any]]:
    began = time.monotonic()
    found = asyncio.run(liveness.report())
    assert time.monotonic() - began < 1.5  # a second, and what a busy machine adds
    return found


def test_all_is_well_and_no_order_is_open(database: sa.Engine) -> None:
    assert told() == (
        True,
        {"status": "ok", "database": database.dialect.name, "writes": True, "oldest_open_order_seconds": None},
    )
    with database.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM replica").scalar() == 0


def test_it_tells_how_old_the_oldest_open_order_is(session: Session, world: World) -> None:
    for hours, state in ((9, OrderState.CONFIRMED), (2, OrderState.UNKNOWN), (1, OrderState.PLACED)):
        placed_at = datetime.now(UTC) - timedelta(hours=hours)
        make.order(session, world, f"+1415555000{hours}", state=state, placed_at=placed_at)
    session.commit()
    assert told()[1]["oldest_open_order_seconds"] in range(7200, 7210)


def test_it_answers_while_the_pool_is_exhausted(database: sa.Engine) -> None:
    held: list[sa.Connection] = []
    try:
        while len(held) < 30:
            held.append(database.connect())
        assert told()[0]
    finally:
        for connection in held:
            connection.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_while_somebody_else_writes_it_says_that_nothing_can_be_written(database: sa.Engine) -> None:
    with db.base.engine.open_session() as other:
        db.base.engine.start_write(other)
        is_well, found = told()
    assert (is_well, found["database"], found["writes"]) == (False, "sqlite", False)
    assert told()[0]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_while_the_table_is_locked_it_says_that_nothing_can_be_written(database: sa.Engine) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE replica IN EXCLUSIVE MODE")
        is_well, found = told()
    assert (is_well, found["database"], found["writes"]) == (False, "postgresql", False)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_database_that_is_away_is_told_as_such(database: sa.Engine) -> None:
    db.base.engine.use(db.base.engine.make_engine("postgresql://nobody@127.0.0.1:1/nothing"))
    is_well, found = told()
    assert (is_well, found["status"], found["database"]) == (False, "unavailable", "unreachable")
