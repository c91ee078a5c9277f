"""No transaction is open while a provider is asked: it would hold a connection, and perhaps locks, for seconds."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
import sqlalchemy as sa
from sqlmodel import Session
from tenacity import Retrying, stop_after_delay, wait_fixed

import db.base.engine
from db.models import Connection, Tenant
from providers.records import NumberSearch, NumberType
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from services.connections import connection_tests, provider_access
from services.connections.provider_access import FOR_JOB, FOR_READER, Patience
from services.jobs import workflows
from services.numbers import numbers
from services.numbers.numbers import NumberQuery, NumberRow
from services.orders import catalogue, comparisons, resync
from tests.conftest import World
from tests.world.working import finished

PEOPLE = 35
"""More than the pool of the database has connections."""

SLOW = 3.0
"""Seconds that the provider takes."""


def asks(world: World, number: NumberRow) -> dict[str, Callable[[Session], object]]:
    """Return everything that asks a provider for somebody who waits, by name."""
    sid = number.provider_sid or ""
    who, twilio = world.operator, world.twilio
    return {
        "countries": lambda s: catalogue.countries(s, who, twilio),
        "search": lambda s: catalogue.search(s, who, twilio, NumberSearch("US", NumberType.LOCAL, "", "")),
        "prices": lambda s: catalogue.prices(s, who, twilio, "US"),
        "papers": lambda s: catalogue.papers(s, who, twilio, "GB", NumberType.LOCAL),
        "the account": lambda s: catalogue.owned_page(s, who, twilio, matching=number.e164, token=None),
        "the import dialog": lambda s: catalogue.owned_by_sid(s, who, twilio, sid, number.e164),
        "webhooks": lambda s: catalogue.webhooks_now(s, who, number.id),
        "re-sync": lambda s: resync.differences(s, who, number.id),
        "reconcile": lambda s: finished(s, who, comparisons.start(s, who, twilio, matching=number.e164)),
        "the connection test": lambda s: connection_tests.test(s, world.admin, twilio),
    }


NAMES = (
    "countries",
    "search",
    "prices",
    "papers",
    "the account",
    "the import dialog",
    "webhooks",
    "re-sync",
    "reconcile",
    "the connection test",
)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_asked_inside_a_transaction(
    name: str, session: Session, world: World, sandbox: Sandbox, number: NumberRow
) -> None:
    with db.base.engine.open_session() as page, db.base.engine.open_session() as own:
        for session_so_far in (page, own):  # what a page has read, and what a click on it has
            numbers.count(session_so_far, world.operator, NumberQuery())
        asks(world, number)[name](own)


def test_an_outcome_is_not_awaited_inside_a_transaction(world: World) -> None:
    with db.base.engine.open_session() as page:
        numbers.count(page, world.operator, NumberQuery())
        workflows.await_outcome(0, 1)
        assert not db.base.engine.in_transaction()


def test_what_somebody_writes_is_not_given_up_for_a_question(session: Session, world: World, sandbox: Sandbox) -> None:
    with db.base.engine.open_session() as writing, db.base.engine.open_session() as own:
        db.base.engine.start_write(writing)
        numbers.count(writing, world.operator, NumberQuery())
        with pytest.raises(provider_access.AskedInTransaction):
            catalogue.countries(own, world.operator, world.twilio)
        assert db.base.engine.is_writing()


def test_a_question_inside_a_transaction_that_writes_is_a_failure_here(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    provider = provider_access.connect(session.get_one(Connection, world.twilio))
    with db.base.engine.open_session() as own:
        db.base.engine.start_write(own)
        own.connection()
        with pytest.raises(provider_access.AskedInTransaction):
            provider.countries()
        own.rollback()
        own.add(Tenant(name="Half-written"))
        own.connection()
        with pytest.raises(provider_access.AskedInTransaction):
            provider.countries()
        assert own.new
        own.rollback()
        assert provider.countries()


def test_a_transaction_around_a_question_that_only_reads_is_ended(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    provider = provider_access.connect(session.get_one(Connection, world.twilio))
    with db.base.engine.open_session() as page:
        connection = page.get_one(Connection, world.twilio)
        assert provider.countries()
        assert not db.base.engine.in_transaction()
        assert connection.name == "Twilio"


def test_a_provider_that_wants_a_pause_gets_it_where_nobody_waits(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    connection = session.get_one(Connection, world.twilio)
    sandbox.faults.add(Fault(Kind.TOO_MANY, retry_after=0.3))
    with pytest.raises(provider_access.ProviderProblem, match="too many requests"):
        provider_access.patient(connection, Patience(longest_pause=0.2, within=5)).countries()
    sandbox.faults.add(Fault(Kind.TOO_MANY, retry_after=0.3))
    assert provider_access.patient(connection, Patience(longest_pause=0.4, within=5)).countries()
    assert FOR_READER.longest_pause < FOR_JOB.longest_pause


def test_many_people_at_a_slow_provider_leave_the_database_to_others(
    session: Session, world: World, sandbox: Sandbox, number: NumberRow, database: sa.Engine
) -> None:
    """They wait at the provider, and hold no connection of the database meanwhile."""
    session.rollback()
    sandbox.faults.add(Fault(Kind.DELAY, path="AvailablePhoneNumbers", times=None, seconds=SLOW))
    pool, begun = cast(sa.QueuePool, database.pool), []

    def ask(_turn: int) -> None:
        with db.base.engine.open_session() as own:
            begun.append(numbers.count(own, world.operator, NumberQuery()))
            catalogue.countries(own, world.operator, world.twilio)

    with ThreadPoolExecutor(PEOPLE) as people:
        asked = [people.submit(ask, turn) for turn in range(PEOPLE)]
        for attempt in Retrying(stop=stop_after_delay(SLOW), wait=wait_fixed(0.02), reraise=True):
            with attempt:
                assert len(begun) == PEOPLE
                assert pool.checkedout() == 0
        idle, since = _idle_in_transaction(database), time.monotonic()
        with db.base.engine.open_session() as own:
            assert numbers.count(own, world.operator, NumberQuery()) == 1
        took = time.monotonic() - since
        waiting = sum(not one.done() for one in asked)
        for one in asked:
            one.result()
    assert waiting > PEOPLE // 2
    assert idle == 0
    assert took < 1


def _idle_in_transaction(database: sa.Engine) -> int:
    if database.dialect.name != "postgresql":
        return 0
    with database.connect() as connection:
        found = connection.scalar(
            sa.text(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND state = 'idle in transaction'"
            )
        )
    return int(found or 0)
