"""The sweep: it drives what is due in every process, each connection at its own pace, and rests while nothing is."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from db.models import Connection, NumberOrder, OrderState
from providers.records import NumberSearch, Webhooks
from providers.sandbox.accounts import MAIN
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from providers.sandbox.store import OwnedSeed
from services.orders import catalogue, fulfilment, orders, sweep
from services.orders.orders import Configuration, Purchase
from services.orders.sweep import Sweep
from tests.conftest import World
from tests.world import make
from tests.world.ordering import NUMBERS, bought, buy, for_sale, looked_up, none_open, place, state, sweeping
from tests.world.waiting import until


def test_an_order_that_nobody_began_is_begun_by_the_sweep(session: Session, world: World, sandbox: Sandbox) -> None:
    e164 = for_sale(session, world)
    order = place(session, world, e164)
    with sweeping():
        until(lambda: state(session, world, order) is OrderState.CONFIRMED)
    assert bought(sandbox, e164) == 1
    assert looked_up(session, world, order).next_look_at is None


def test_what_was_never_sent_while_the_console_was_down_is_not_sent_by_its_next_start(
    request: pytest.FixtureRequest, session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    order = place(session, world, e164)
    long_ago = datetime.now(UTC) - timedelta(minutes=20)
    session.execute(sa.update(NumberOrder).values(placed_at=long_ago, next_look_at=long_ago))
    session.commit()
    request.getfixturevalue("engine")
    until(lambda: state(session, world, order) is OrderState.FAILED)
    assert "never sent" in (looked_up(session, world, order).problem or "")
    assert bought(sandbox, e164) == 0


def test_a_start_looks_at_once_at_what_was_sent(
    request: pytest.FixtureRequest, session: Session, world: World, sandbox: Sandbox
) -> None:
    sandbox.fault(Fault(Kind.DROP_AFTER, method="POST", path=NUMBERS))
    order = buy(session, world, for_sale(session, world))
    session.execute(sa.update(NumberOrder).values(next_look_at=datetime.now(UTC) + timedelta(hours=1), looks=12))
    session.commit()
    request.getfixturevalue("engine")
    until(lambda: state(session, world, order) is OrderState.CONFIRMED)


def test_what_an_older_version_placed_is_looked_at_too(
    request: pytest.FixtureRequest, session: Session, world: World, sandbox: Sandbox
) -> None:
    order = place(session, world, for_sale(session, world))
    session.execute(sa.update(NumberOrder).values(next_look_at=None))
    session.commit()
    request.getfixturevalue("engine")
    until(lambda: state(session, world, order) is OrderState.CONFIRMED)


def test_many_imports_at_a_provider_that_is_crowded_are_slowed_down_and_none_fails(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    theirs = "https://theirs.example.com/voice"
    sids = [f"PN{n:02}{'c' * 30}" for n in range(40)]
    sandbox.seed_owned(
        [OwnedSeed(f"+1310555{n:04}", MAIN.sid, voice_url=theirs, sid=sid) for n, sid in enumerate(sids)]
    )
    placed = [
        orders.place_import(
            session,
            world.operator,
            world.twilio,
            f"+1310555{n:04}",
            sid,
            Webhooks(voice_url=theirs),
            Configuration(),
        )
        for n, sid in enumerate(sids)
    ]
    sandbox.fault(Fault(Kind.CROWDED, path=NUMBERS, times=None, seconds=0.02, at_once=2, retry_after=0.05))
    with sweeping():
        until(lambda: none_open(session), seconds=60)
    assert {state(session, world, order) for order in placed} == {OrderState.CONFIRMED}


def test_what_was_never_sent_is_not_sent_however_much_of_it_there_is(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    for_sale_now = catalogue.search(session, world.operator, world.twilio, NumberSearch("US"))
    placed = [place(session, world, number.e164) for number in for_sale_now[: 3 * sweep.AT_ONCE]]
    long_ago = datetime.now(UTC) - timedelta(minutes=20)
    session.execute(sa.update(NumberOrder).values(placed_at=long_ago, next_look_at=long_ago))
    session.commit()
    with sweeping():
        until(lambda: none_open(session))
    assert {state(session, world, order) for order in placed} == {OrderState.FAILED}
    assert {looked_up(session, world, order).asked_at for order in placed} == {None}


def test_a_provider_that_is_too_busy_holds_up_no_order_of_another(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    crowd = [f"+1415556{n:04}" for n in range(sweep.LOOKED_THROUGH + 1)]
    quick = for_sale(session, world, "CA")
    sandbox.fault(Fault(Kind.TOO_MANY, method="POST", path=NUMBERS, times=sweep.AT_ONCE, retry_after=600))
    waiting = [make.order(session, world, e164, next_look_at=datetime.now(UTC)).id for e164 in crowd]
    kept = session.get_one(Connection, world.twilio)
    copy = Connection(**(kept.model_dump(exclude={"id"}) | {"name": "Another"}))
    session.add(copy)
    session.commit()
    with sweeping():
        until(lambda: not sandbox.faults.listing())  # all that went at once was sent away
        order = orders.place_purchase(session, world.operator, copy.id, Purchase(quick))
        until(lambda: state(session, world, order) is OrderState.CONFIRMED)
    assert all(looked_up(session, world, one).is_waiting for one in waiting[:10])


def test_orders_that_wait_their_turn_for_long_are_not_forgotten(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    for_sale_now = catalogue.search(session, world.operator, world.twilio, NumberSearch("US"))
    sandbox.fault(Fault(Kind.TOO_MANY, method="POST", path=NUMBERS, times=sweep.AT_ONCE, retry_after=600))
    placed = [place(session, world, number.e164) for number in for_sale_now[: 2 * sweep.AT_ONCE]]
    due = datetime.now(UTC) - timedelta(minutes=5)
    session.execute(sa.update(NumberOrder).values(next_look_at=due))
    session.commit()
    with sweeping():
        until(lambda: all((looked_up(session, world, one).next_look_at or due) > due for one in placed))
    assert all(looked_up(session, world, one).is_waiting for one in placed)


def test_placing_an_order_wakes_the_sweep_which_looks_again_by_itself(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    rounds = threading.Semaphore(0)
    running = Sweep(rounds.release, idle_seconds=600)
    try:
        assert rounds.acquire(timeout=30)
        sandbox.fault(Fault(Kind.DROP_AFTER, method="POST", path=NUMBERS))
        order = place(session, world, for_sale(session, world))
        until(lambda: state(session, world, order) is OrderState.CONFIRMED)  # its answer was lost, so it was looked at
    finally:
        running.stop()


def test_a_look_that_is_absurdly_far_off_is_taken_though_another_is_soon(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    sandbox.fault(Fault(Kind.DROP_AFTER, method="POST", path=NUMBERS))
    far = buy(session, world, for_sale(session, world))
    soon = place(session, world, for_sale(session, world, "CA"))
    now = datetime.now(UTC)
    for order, at in ((far, now + timedelta(days=365)), (soon, now + fulfilment.FURTHEST - timedelta(minutes=5))):
        session.execute(sa.update(NumberOrder).where(NumberOrder.id == order).values(next_look_at=at))
    session.commit()
    with sweeping():
        until(lambda: state(session, world, far) is OrderState.CONFIRMED)
    assert state(session, world, soon) is OrderState.PLACED
