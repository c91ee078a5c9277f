"""While the database is away or locked: said in words, and nothing that was typed is lost."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.base.engine
from services.numbers import numbers
from tests.conftest import PASSWORD, World
from tests.pages.conftest import Stock
from tests.pages.tab import (
    PAGES,
    buttons,
    fill_sign_in,
    listed,
    press,
    save,
    signed_in,
    signed_out,
    tables,
    texts,
    title,
    visit,
)

AWAY = "The database is busy or cannot be reached. Nothing was saved; try again in a moment."
CANNOT_SIGN_IN = "The database is busy or cannot be reached. Try again in a moment."


@contextmanager
def closed(database: sa.Engine) -> Iterator[None]:
    """Take *database* away: a server that refuses, or a file that another process holds for itself."""
    if database.dialect.name == "postgresql":
        with closing(socket.create_server(("127.0.0.1", 0))) as server:
            port = server.getsockname()[1]
        db.base.engine.use(db.base.engine.make_engine(f"postgresql://nobody@127.0.0.1:{port}/nothing"))
        yield
    else:
        database.dispose()
        impatient = db.base.engine.make_engine(database.url.render_as_string(), busy_seconds=0.01)
        holder = sa.create_engine(database.url, poolclass=sa.NullPool).connect()
        try:
            holder.exec_driver_sql("PRAGMA locking_mode=EXCLUSIVE")
            holder.exec_driver_sql("BEGIN EXCLUSIVE")
            db.base.engine.use(impatient)
            yield
        finally:
            holder.close()
            impatient.dispose()
    db.base.engine.use(database)


TakenAway = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def away(database: sa.Engine, session: Session) -> TakenAway:
    """A context in which the database does not answer."""

    def take_away() -> AbstractContextManager[None]:
        session.close()
        return closed(database)

    return take_away


def test_a_database_that_is_away_is_said_in_words(world: World, stock: Stock, away: TakenAway) -> None:
    tabs = [
        visit(signed_in("superadmin", world.tenant), path.name, id=stock.shown_on(path.name))
        for path in PAGES.glob("[!f]*.py")
    ]
    with away():
        for tab in tabs:
            tab.run()
            assert not tab.exception
            assert texts(tab, "error") == [AWAY]
            assert not tables(tab)
    for tab in tabs:
        tab.run()
        assert not tab.exception
        assert not texts(tab, "error")


def test_who_is_signed_in_is_not_asked_again_when_the_database_was_away(
    world: World, stock: Stock, away: TakenAway
) -> None:
    tab = signed_in("operator")
    with away():
        tab.run()
        assert buttons(tab) == ["Try again"]
    assert len(listed(press(tab, "Try again"))) == 3


def test_signing_out_everywhere_while_the_database_is_away_keeps_this_session(world: World, away: TakenAway) -> None:
    tab = signed_in("operator")
    with away():
        press(tab, "Sign out everywhere")
    assert texts(tab.run(), "error") == [AWAY]
    assert tab.session_state["signed_in"]
    press(tab, "Sign out everywhere")
    assert not tab.session_state["signed_in"]


def test_a_sign_in_while_the_database_is_away_says_so(world: World, away: TakenAway) -> None:
    tab = signed_out()
    with away():
        since = time.monotonic()
        fill_sign_in(tab, "operator", PASSWORD)
        assert time.monotonic() - since < 3.5
        assert not tab.exception
        assert texts(tab, "error") == [CANNOT_SIGN_IN]
    fill_sign_in(tab, "operator", PASSWORD)
    assert title(tab) == "Phone numbers"


def test_a_sign_in_while_somebody_else_writes_says_so_in_time(database: sa.Engine, world: World) -> None:
    tab = signed_out()
    with db.base.engine.open_session() as other:
        db.base.engine.start_write(other)
        if database.dialect.name == "postgresql":
            other.execute(sa.text("LOCK TABLE sign_in_throttle IN EXCLUSIVE MODE"))
        since = time.monotonic()
        fill_sign_in(tab, "operator", PASSWORD)
        assert time.monotonic() - since < 3.5
        assert not tab.exception
        assert texts(tab, "error") == [CANNOT_SIGN_IN]
    fill_sign_in(tab, "operator", PASSWORD)
    assert title(tab) == "Phone numbers"


def test_a_save_while_the_database_is_away_loses_nothing_that_was_typed(
    session: Session, world: World, stock: Stock, away: TakenAway
) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.sales))
    tab.text_input(key="number_label").set_value("Typed")
    with away():
        save(tab, "label")
        assert not tab.exception
        assert AWAY in texts(tab, "error")
    tab.run()
    assert tab.text_input(key="number_label").value == "Typed"
    save(tab, "label")
    session.rollback()
    assert numbers.get(session, world.operator, stock.sales).label == "Typed"
