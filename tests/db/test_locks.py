"""Named locks: none waits for another one."""

import re
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

import db.base.engine
import db.orders.queries
from db.base import locks
from db.base.locks import CLAIMED_SINGLY, Lock

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_user_is_created_while_very_many_numbers_come_in(database: sa.Engine, session: Session) -> None:
    db.orders.queries.claim_all(session, [f"+1415{n:07}" for n in range(CLAIMED_SINGLY + 1)])
    with db.base.engine.open_session() as other:
        other.execute(sa.text("SET LOCAL lock_timeout = '200ms'"))
        locks.take(other, Lock.PEOPLE)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_claims_one_number_waits_for_who_claims_very_many(database: sa.Engine, session: Session) -> None:
    db.orders.queries.claim_all(session, [f"+1415{n:07}" for n in range(CLAIMED_SINGLY + 1)])
    with db.base.engine.open_session() as other:
        other.execute(sa.text("SET LOCAL lock_timeout = '200ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            db.orders.queries.claim(other, "+14155552671")


def test_no_lock_is_taken_but_by_its_name() -> None:
    assert len({lock.value for lock in Lock}) == len(Lock.__members__)
    for path in (ROOT / "db").rglob("*.py"):
        if path.name not in ("locks.py", "engine.py"):
            assert not re.search(r"advisory", path.read_text()), path
    for package in ("services", "components", "pages"):
        for path in (ROOT / package).rglob("*.py"):
            assert not re.search(r"advisory", path.read_text()), path


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_short_patience_is_that_of_one_write(database: sa.Engine, session: Session) -> None:
    with database.connect().execution_options(sqlite_begin="IMMEDIATE") as other:
        other.exec_driver_sql("UPDATE tenant SET name = name")
        with pytest.raises(OperationalError, match="locked"):
            db.base.engine.start_write(session, patience=0.05)
    session.rollback()
    with ExitStack() as several:  # the pool hands out the one that was longest idle
        for one in [several.enter_context(database.connect()) for _ in range(6)]:
            assert one.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 5_000
