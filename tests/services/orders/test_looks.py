"""When orders are looked at: for ever, by anybody, at the pace that the provider bears, until they are cancelled."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session

import db.orders.queries
from db.base.money import exact
from db.base.scope import Slice
from db.models import Connection, NumberOrder, OrderState
from providers.errors import ProviderUnavailable
from providers.records import NumberSearch
from providers.sandbox.accounts import MAIN
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from providers.sandbox.store import OwnedSeed
from services.audit import audit
from services.connections.provider_access import ProviderProblem
from services.core.errors import Conflict, Forbidden, NotFound
from services.jobs import workflows
from services.orders import catalogue, fulfilment, orders, transitions
from services.orders.orders import Configuration, Purchase
from services.text import numbering
from tests.conftest import World
from tests.world import ordering
from tests.world.ordering import (
    NUMBERS,
    PRICE,
    bought,
    buy,
    for_sale,
    looked_up,
    on_record,
    place,
    state,
    sweeping,
)
from tests.world.waiting import until


def test_an_order_that_is_uncertain_for_thirty_days_is_still_looked_at(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(Kind.DROP_AFTER, method="POST", path=NUMBERS))
    order = buy(session, world, e164)
    sandbox.fault(Fault(Kind.UNAVAILABLE, method="GET", path=NUMBERS, times=None))
    pauses: list[float] = []
    while len(pauses) < len(transitions.PAUSES) + 2:
        before = looked_up(session, world, order)
        assert before.next_look_at
        with time_machine.travel(before.next_look_at - timedelta(milliseconds=200), tick=False):
            fulfilment.drive(order)
            assert looked_up(session, world, order).last_looked_at == before.last_looked_at  # it is not due
        with time_machine.travel(before.next_look_at, tick=False):
            fulfilment.drive(order)
        after = looked_up(session, world, order)
        assert after.last_looked_at == before.next_look_at
        assert after.next_look_at
        pauses.append((after.next_look_at - before.next_look_at).total_seconds())
    assert pauses == [*transitions.PAUSES[1:], 3600, 3600, 3600]
    sandbox.faults.clear()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=30)), sweeping():
        until(lambda: state(session, world, order) is OrderState.CONFIRMED)
    assert bought(sandbox, e164) == 1


def test_check_now_does_not_wait_for_each_order_of_a_provider_that_is_too_busy(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    for number in catalogue.search(session, world.operator, world.twilio, NumberSearch("US"))[-5:]:
        place(session, world, number.e164)
    sandbox.fault(Fault(Kind.TOO_MANY, method="POST", path=NUMBERS, times=2, retry_after=60))
    with pytest.raises(ProviderProblem, match="0 orders settled, 0 still open; 5 could not be checked: Twilio"):
        workflows.look_at_all(session, world.operator)
    assert len(sandbox.faults.listing()) == 1  # it was asked once


def test_of_two_who_come_at_once_one_looks(session: Session, world: World, sandbox: Sandbox) -> None:
    sandbox.fault(Fault(Kind.DROP_AFTER, method="POST", path=NUMBERS))
    order = buy(session, world, for_sale(session, world))
    sandbox.fault(Fault(Kind.UNAVAILABLE, method="GET", path=NUMBERS, times=None))
    barrier = threading.Barrier(4)

    def look() -> None:
        barrier.wait()
        fulfilment.drive(order)

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=1)):
        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    session.rollback()
    assert session.get_one(NumberOrder, order, populate_existing=True).looks == 2  # when it was asked, and now once


@pytest.mark.parametrize("off", [timedelta(days=1), timedelta(days=-1)], ids=["forward", "back"])
def test_a_clock_that_is_set_makes_no_order_fail_nor_sleep(
    session: Session, world: World, sandbox: Sandbox, off: timedelta
) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(Kind.DROP_BEFORE, method="POST", path=NUMBERS))
    order = buy(session, world, e164)
    with time_machine.travel(datetime.now(UTC) + off):
        for _ in range(3):
            ordering.settle(order)
        seen = looked_up(session, world, order)
        assert seen.state is OrderState.UNKNOWN
        session.execute(sa.update(NumberOrder).values(next_look_at=datetime.now(UTC) - off))
        session.commit()
        ids = [found[0] for found in db.orders.queries.due(session, datetime.now(UTC), fulfilment.FURTHEST, 9)]
        assert ids == [order]


def test_a_purchase_that_was_given_up_is_looked_at_once_more(
    session: Session, world: World, sandbox: Sandbox, no_grace: None
) -> None:
    late, never = (
        number.e164 for number in catalogue.search(session, world.operator, world.twilio, NumberSearch("US"))[:2]
    )
    given_up = []
    for e164 in (late, never):
        sandbox.fault(Fault(Kind.DROP_BEFORE, method="POST", path=NUMBERS))
        given_up.append(buy(session, world, e164, label="Late"))
        assert not ordering.settle(given_up[-1])
        assert ordering.settle(given_up[-1])
        assert state(session, world, given_up[-1]) is OrderState.FAILED
    sandbox.seed_owned([OwnedSeed(late, MAIN.sid)])
    with time_machine.travel(datetime.now(UTC) + transitions.LAST_LOOK_AFTER - timedelta(minutes=1)):
        assert not db.orders.queries.due(session, datetime.now(UTC), fulfilment.FURTHEST, 9)
    with time_machine.travel(datetime.now(UTC) + transitions.LAST_LOOK_AFTER), sweeping():
        until(lambda: all(looked_up(session, world, order).next_look_at is None for order in given_up))
    found = looked_up(session, world, given_up[0])
    assert (found.state, found.problem) == (OrderState.CONFIRMED, None)
    assert on_record(session, world, found.number_id).label == "Late"
    assert state(session, world, given_up[1]) is OrderState.FAILED


def test_a_purchase_that_was_given_up_is_not_taken_for_a_later_one(
    session: Session, world: World, sandbox: Sandbox, no_grace: None
) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(Kind.DROP_BEFORE, method="POST", path=NUMBERS))
    first = buy(session, world, e164)
    assert not ordering.settle(first)
    assert ordering.settle(first)
    assert state(session, world, buy(session, world, e164)) is OrderState.CONFIRMED
    with time_machine.travel(datetime.now(UTC) + transitions.LAST_LOOK_AFTER):
        fulfilment.drive(first)
    seen = looked_up(session, world, first)
    assert (seen.state, seen.next_look_at) == (OrderState.FAILED, None)
    assert "it was not bought" in (seen.problem or "")


def test_what_was_missed_before_an_order_was_asked_anew_does_not_end_its_grace(
    session: Session, world: World, sandbox: Sandbox, no_grace: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.fault(Fault(Kind.DROP_BEFORE, method="POST", path=NUMBERS))
    order = place(session, world, for_sale(session, world))
    session.execute(sa.update(NumberOrder).values(asked_at=datetime.now(UTC)))  # by another process, just now
    session.commit()
    assert not ordering.settle(order)
    with monkeypatch.context() as another_process:
        another_process.setattr(fulfilment, "_missed", {})
        transitions.not_now(order, ProviderUnavailable("It is too busy."))
        ordering.ask(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    assert not ordering.settle(order)
    assert ordering.settle(order)


@pytest.mark.parametrize(
    ("kind", "of_second"), [(Kind.DELAY, OrderState.FAILED), (Kind.LATE, OrderState.CONFIRMED)], ids=["before", "after"]
)
def test_a_purchase_given_up_too_early_ends_confirmed_though_the_number_was_ordered_anew(
    session: Session, world: World, sandbox: Sandbox, no_grace: None, kind: Kind, of_second: OrderState
) -> None:
    e164 = for_sale(session, world)
    first = place(session, world, e164)
    sandbox.fault(Fault(kind, method="POST", path=NUMBERS, seconds=2))
    path = sandbox.faults
    asking = threading.Thread(target=ordering.ask, args=[first])
    asking.start()
    until(lambda: not path.listing())
    transitions.fail(first, "It was not bought, nothing was charged.")  # as whoever looked a moment too early does
    second = buy(session, world, e164)
    asking.join()
    seen = looked_up(session, world, first)
    assert (seen.state, seen.problem) == (OrderState.CONFIRMED, None)
    again = looked_up(session, world, second)
    assert again.state is of_second
    if of_second is OrderState.FAILED:
        assert "already in the account, so it was not bought and nothing was charged" in (again.problem or "")
    else:
        assert again.number_id == seen.number_id
    assert bought(sandbox, e164) == 1


def test_a_purchase_that_meets_a_busy_provider_waits_and_is_made_at_the_agreed_price(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(Kind.TOO_MANY, path=NUMBERS, times=None, retry_after=0.01))
    order = buy(session, world, e164)
    start = datetime.now(UTC)
    for minutes in range(0, 40, 10):  # longer than an order that nobody expects any more is sent
        with time_machine.travel(start + timedelta(minutes=minutes)):
            fulfilment.drive(order)
            seen = looked_up(session, world, order)
            assert (seen.state, seen.is_waiting) == (OrderState.PLACED, True)
            assert "too many requests" in (seen.problem or "")
    sandbox.faults.clear()
    with time_machine.travel(start + timedelta(minutes=40)):
        fulfilment.drive(order)
    assert state(session, world, order) is OrderState.CONFIRMED
    assert exact(session.get_one(NumberOrder, order)) == str(PRICE)
    assert bought(sandbox, e164) == 1


def test_the_pause_that_a_provider_asks_for_is_kept(session: Session, world: World, sandbox: Sandbox) -> None:
    sandbox.fault(Fault(Kind.TOO_MANY, path=NUMBERS, times=2, retry_after=90))
    order = buy(session, world, for_sale(session, world))
    seen = looked_up(session, world, order)
    assert seen.next_look_at
    assert seen.last_looked_at
    assert seen.next_look_at - seen.last_looked_at >= timedelta(seconds=90)
    assert len(sandbox.faults.listing()) == 1  # it was asked once


def test_a_release_that_a_busy_provider_did_not_take_before_the_console_stopped_is_told_so(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    number = on_record(
        session, world, looked_up(session, world, buy(session, world, for_sale(session, world))).number_id
    )
    sandbox.fault(Fault(Kind.TOO_MANY, path=NUMBERS, times=None, retry_after=0.01))
    order = orders.place_release(session, world.operator, number.id, number.e164, version=number.version)
    ordering.ask(order)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=30)):
        fulfilment.drive(order)
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.FAILED
    assert "did not accept it" in (seen.problem or "")
    assert "never sent" not in (seen.problem or "")


def test_what_was_not_sent_can_be_cancelled_and_is_never_sent(session: Session, world: World, sandbox: Sandbox) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(Kind.TOO_MANY, path=NUMBERS, times=None, retry_after=0.01))
    order = buy(session, world, e164)
    sandbox.faults.clear()
    for actor, refusal in ((world.viewer, Forbidden), (world.stranger, NotFound)):
        session.rollback()
        with pytest.raises(refusal):
            orders.cancel(session, actor, order)
    assert not orders.may_cancel(world.viewer, looked_up(session, world, order))
    assert orders.may_cancel(world.admin, looked_up(session, world, order))
    assert orders.cancel_all(session, world.admin, [order]) == "1 order cancelled."
    seen = looked_up(session, world, order)
    assert (seen.state, seen.next_look_at) == (OrderState.FAILED, None)
    assert seen.problem == "Cancelled by Admin. Nothing happened and nothing was charged."
    events = [event.action for event in audit.history(session, world.viewer, "order", order, Slice())]
    assert events == ["orders:cancel", "orders:place"]
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=1)):
        fulfilment.drive(order)
        ordering.settle(order)
    assert bought(sandbox, e164) == 0
    assert state(session, world, buy(session, world, e164)) is OrderState.CONFIRMED


def test_what_was_sent_cannot_be_cancelled(session: Session, world: World, sandbox: Sandbox) -> None:
    sandbox.fault(Fault(Kind.DROP_AFTER, method="POST", path=NUMBERS))
    order = buy(session, world, for_sale(session, world))
    with pytest.raises(Conflict, match="sent to the provider"):
        orders.cancel(session, world.operator, order)
    session.rollback()
    assert orders.cancel_all(session, world.operator, [order]) == "0 orders cancelled; 1 already sent."


def test_check_now_looks_at_every_order_and_tells_why_it_could_not(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    sold = [number.e164 for number in catalogue.search(session, world.operator, world.twilio, NumberSearch("US"))[-4:]]
    broken, misspelt, good, open_yet = (place(session, world, e164) for e164 in sold)
    kept = session.get_one(Connection, world.twilio)
    for order, name, credentials in ((broken, "Broken", "unreadable"), (misspelt, "Empty", None)):
        copy = Connection(**(kept.model_dump(exclude={"id"}) | {"name": name, "credentials": credentials}))
        session.add(copy)
        session.flush()
        session.get_one(NumberOrder, order).connection_id = copy.id
    session.commit()
    sandbox.fault(Fault(Kind.DROP_BEFORE, method="POST", path=NUMBERS))
    ordering.ask(open_yet)
    with pytest.raises(ProviderProblem) as refused:
        workflows.look_at_all(session, world.operator)
    told = str(refused.value)
    assert told.startswith("1 order settled, 1 still open; 1 could not be checked: The connection “")
    assert "“Broken” cannot be opened: NUMBERDESK_ENCRYPTION_KEYS has no key" in told
    assert "“Empty” cannot be opened: Twilio was not asked, because of the Account SID" in told
    assert state(session, world, good) is OrderState.CONFIRMED
    seen = looked_up(session, world, broken)
    for order in (broken, misspelt):
        orders.cancel(session, world.operator, order)
    ordering.settle(open_yet)
    assert workflows.look_at_all(session, world.operator) == "0 orders settled, 1 still open."
    assert seen.is_waiting
    assert "cannot be opened" in (seen.problem or "")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_purchase_whose_answer_came_while_the_disk_was_full_is_closed_once_there_is_room(
    database: sa.Engine, session: Session, world: World, sandbox: Sandbox
) -> None:
    everywhere = list(numbering.countries())  # so long that each number needs a page of its own
    chosen: dict[str, Any] = {"allowed_inbound": everywhere, "allowed_outbound": everywhere}
    buy(session, world, for_sale(session, world), **chosen)
    e164 = for_sale(session, world)
    configuration = Configuration(**chosen)
    order = orders.place_purchase(session, world.operator, world.twilio, Purchase(e164, configuration=configuration))
    most_pages = [1_000_000]

    @sa.event.listens_for(database, "checkout")
    def limit(connection: Any, _record: object, _proxy: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {most_pages[0]}")

    sandbox.fault(Fault(Kind.DELAY, method="POST", path=NUMBERS, seconds=1.5))
    asking = threading.Thread(target=fulfilment.carry_on, args=[order])
    asking.start()
    until(lambda: not sandbox.faults.listing())
    most_pages[0] = int(session.connection().exec_driver_sql("PRAGMA page_count").scalar() or 0)
    asking.join()
    assert bought(sandbox, e164) == 1
    assert state(session, world, order) is OrderState.PLACED
    with sweeping():
        most_pages[0] = 1_000_000
        until(lambda: state(session, world, order) is OrderState.CONFIRMED)
    sa.event.remove(database, "checkout", limit)
    assert bought(sandbox, e164) == 1
