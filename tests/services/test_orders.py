"""Orders: bought once, never lost, nothing overwritten unseen; whatever the provider does."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests
import time_machine
from sqlmodel import Session

import db.engine
import db.orders
from db.models import Connection, NumberStatus, OrderState
from db.numbers import NumberQuery
from db.scope import Slice
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from providers.verbs import NumberSearch, OwnedNumber, Webhooks
from services import audit, fulfilment, numbers, orders, registering, settings, stock
from services.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.orders import Configuration, Purchase
from tests.conftest import World
from tests.services import make

NUMBERS = "/IncomingPhoneNumbers"


def for_sale(session: Session, world: World, country: str = "US") -> str:
    """Return a number that nobody has bought yet: those that other tests gave back are for sale again."""
    found = stock.search(session, world.operator, world.twilio, NumberSearch(country))
    return next(number.e164 for number in reversed(found) if not entries(settings.sandbox_url(), number.e164))


def buy(session: Session, world: World, e164: str, **chosen: object) -> int:
    configuration = Configuration(**chosen)  # type: ignore[arg-type]
    order = orders.place_purchase(
        session, world.operator, world.twilio, Purchase(e164, price="1.15", currency="USD", configuration=configuration)
    )
    fulfilment.ask(order)
    return order


def bought(sandbox: Sandbox, e164: str) -> int:
    return ledger(sandbox, e164).count("purchase")


def ledger(sandbox: Sandbox, e164: str) -> list[str]:
    return entries(sandbox.url, e164)


def entries(url: str, e164: str) -> list[str]:
    answer = requests.get(f"{url}/ledger", params={"number": e164}, timeout=5).json()
    return [entry["action"] for entry in answer["entries"]]


def looked_up(session: Session, world: World, order: int) -> orders.OrderRow:
    session.rollback()  # to see what others wrote
    return orders.get(session, world.viewer, order)


def on_record(session: Session, world: World, number: int | None) -> numbers.NumberDetail:
    session.rollback()
    return numbers.get(session, world.viewer, number)


def state(session: Session, world: World, order: int) -> OrderState:
    return looked_up(session, world, order).state


def owned(session: Session, world: World) -> OwnedNumber:
    """Return a number of the account that no test has taken over yet."""
    token = None
    while True:
        page = stock.owned_page(session, world.operator, world.twilio, matching="", token=token)
        for row in page.rows:
            if row.number.webhooks.voice_url.startswith("https://ivr.example.net"):
                return row.number
        token = page.next_token


def test_a_purchase_puts_the_number_on_record_with_all_that_was_chosen(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    order = buy(session, world, e164, label="Desk", agent_id=world.agent, allowed_inbound=["US"])
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.CONFIRMED
    number = on_record(session, world, seen.number_id)
    assert (number.e164, number.label, number.agent, number.allowed_inbound) == (e164, "Desk", "Maya", ("US",))
    assert number.is_managed
    assert number.provider_sid
    at_twilio = stock.webhooks_now(session, world.operator, number.id)
    assert (at_twilio.voice_url, at_twilio.status_callback) == (
        "https://voice.example.com/in",
        "https://voice.example.com/status",
    )
    events = [event.action for event in audit.history(session, world.viewer, "number", number.id, Slice())]
    assert events == ["numbers:buy"]
    assert bought(sandbox, e164) == 1


def test_nothing_is_asked_twice_however_often_it_is_driven(session: Session, world: World, sandbox: Sandbox) -> None:
    e164 = for_sale(session, world)
    order = buy(session, world, e164)
    for _ in range(3):
        fulfilment.ask(order)
        assert fulfilment.settle(order)
    assert bought(sandbox, e164) == 1
    assert numbers.count(session, world.viewer, NumberQuery()) == 1


def test_twenty_buyers_of_one_number_make_one_order_and_one_purchase(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    outcomes: list[str] = []
    barrier = threading.Barrier(20)

    def try_to_buy() -> None:
        barrier.wait()
        with db.engine.open_session() as own:
            try:
                buy(own, world, e164)
                outcomes.append("bought")
            except (Conflict, InvalidInput):
                outcomes.append("refused")

    threads = [threading.Thread(target=try_to_buy) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["bought"] + ["refused"] * 19
    assert bought(sandbox, e164) == 1
    session.rollback()  # to see what the others wrote
    assert numbers.count(session, world.viewer, NumberQuery()) == 1


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER])
def test_a_purchase_whose_answer_is_lost_is_adopted(
    session: Session, world: World, sandbox: Sandbox, kind: Kind
) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(kind, method="POST", path=NUMBERS))
    order = buy(session, world, e164, label="Kept")
    assert state(session, world, order) is OrderState.UNKNOWN
    assert numbers.count(session, world.viewer, NumberQuery()) == 0
    with pytest.raises(Conflict):
        buy(session, world, e164)
    with pytest.raises(InvalidInput, match="exists already"):
        registering.register(session, world.operator, e164, world.sip, registering.Configuration())
    session.rollback()
    assert fulfilment.settle(order)
    number = on_record(session, world, looked_up(session, world, order).number_id)
    assert (number.e164, number.label) == (e164, "Kept")
    assert bought(sandbox, e164) == 1


def test_a_purchase_that_did_not_happen_fails_only_once_it_cannot_happen_any_more(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(Kind.DROP_BEFORE, method="POST", path=NUMBERS))
    order = buy(session, world, e164)
    assert not fulfilment.settle(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5)):
        assert fulfilment.settle(order)
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.FAILED
    assert "nothing was charged" in (seen.problem or "")
    assert bought(sandbox, e164) == 0
    assert state(session, world, buy(session, world, e164)) is OrderState.CONFIRMED


@pytest.mark.parametrize(
    "fault",
    [Fault(Kind.TOO_MANY, path=NUMBERS), Fault(Kind.TOO_MANY, path=NUMBERS, retry_after=0.05)],
)
def test_a_busy_provider_is_asked_again_because_nothing_happened(
    session: Session, world: World, sandbox: Sandbox, fault: Fault
) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(fault)
    assert state(session, world, buy(session, world, e164)) is OrderState.CONFIRMED
    assert bought(sandbox, e164) == 1


def test_a_provider_that_stays_busy_fails_the_purchase_without_cost(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(Kind.TOO_MANY, path=NUMBERS, times=None, retry_after=0.01))
    order = buy(session, world, e164)
    assert state(session, world, order) is OrderState.FAILED
    assert bought(sandbox, e164) == 0


def test_a_number_that_somebody_else_took_is_refused_in_words(session: Session, world: World, sandbox: Sandbox) -> None:
    order = buy(session, world, "+15005550000")
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.FAILED
    assert "somebody else has it" in (seen.problem or "")


def test_an_import_keeps_what_it_replaces_and_it_can_be_restored(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    theirs = owned(session, world)
    order = orders.place_import(
        session, world.operator, world.twilio, theirs.e164, theirs.sid, theirs.webhooks, Configuration(label="Mine")
    )
    fulfilment.ask(order)
    seen = looked_up(session, world, order)
    assert (seen.state, orders.told(seen.previous)) == (OrderState.CONFIRMED, theirs.webhooks)
    number = on_record(session, world, seen.number_id)
    ours = stock.webhooks_now(session, world.operator, number.id)
    assert ours.voice_url == "https://voice.example.com/in"
    restore = orders.place_webhooks(session, world.operator, number.id, ours, theirs.webhooks)
    fulfilment.ask(restore)
    assert stock.webhooks_now(session, world.operator, number.id) == theirs.webhooks
    change = audit.history(session, world.viewer, "number", number.id, Slice())[0]
    assert (change.before["voice_url"], change.after["voice_url"]) == (ours.voice_url, theirs.webhooks.voice_url)
    assert bought(sandbox, theirs.e164) == 0


def test_webhooks_that_changed_since_they_were_shown_are_not_overwritten(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    theirs = owned(session, world)
    shown = Webhooks(voice_url="https://somewhere.example.com/else")
    order = orders.place_import(session, world.operator, world.twilio, theirs.e164, theirs.sid, shown, Configuration())
    fulfilment.ask(order)
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.FAILED
    assert "Nothing was overwritten" in (seen.problem or "")
    assert stock.owned_by_sid(session, world.operator, world.twilio, theirs.sid).webhooks == theirs.webhooks


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER])
def test_an_import_whose_answer_is_lost_is_adopted(
    session: Session, world: World, sandbox: Sandbox, kind: Kind
) -> None:
    theirs = owned(session, world)
    sandbox.fault(Fault(kind, method="POST", path=NUMBERS))
    order = orders.place_import(
        session, world.operator, world.twilio, theirs.e164, theirs.sid, theirs.webhooks, Configuration()
    )
    fulfilment.ask(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    assert fulfilment.settle(order)
    assert state(session, world, order) is OrderState.CONFIRMED


def test_an_owned_number_that_vanished_is_not_imported(session: Session, world: World, sandbox: Sandbox) -> None:
    order = orders.place_import(
        session, world.operator, world.twilio, "+14155552671", "PN" + "0" * 32, Webhooks(), Configuration()
    )
    fulfilment.ask(order)
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.FAILED
    assert "not in the account any more" in (seen.problem or "")


def released(session: Session, world: World, number: int) -> int:
    seen = on_record(session, world, number)
    order = orders.place_release(session, world.operator, number, seen.e164, version=seen.version)
    fulfilment.ask(order)
    return order


def test_a_release_ends_at_the_provider_and_says_until_when_it_can_be_undone(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    number = looked_up(session, world, buy(session, world, e164)).number_id or 0
    with pytest.raises(InvalidInput, match="Type"):
        orders.place_release(session, world.operator, number, "yes", version=1)
    session.rollback()
    order = released(session, world, number)
    assert state(session, world, order) is OrderState.CONFIRMED
    seen = on_record(session, world, number)
    assert seen.status is NumberStatus.RELEASED
    assert seen.buy_back_until is not None
    assert seen.released_at is not None
    assert seen.buy_back_until - seen.released_at == timedelta(days=10)
    assert ledger(sandbox, e164) == ["purchase", "release"]
    assert state(session, world, buy(session, world, e164)) is OrderState.CONFIRMED


def test_a_released_number_is_bought_back_as_it_was(session: Session, world: World, sandbox: Sandbox) -> None:
    e164 = for_sale(session, world)
    chosen = buy(session, world, e164, label="Desk", agent_id=world.agent, allowed_inbound=["US"])
    number = looked_up(session, world, chosen).number_id or 0
    with pytest.raises(InvalidInput, match="can no longer be bought back"):
        orders.place_buy_back(session, world.operator, number)  # it was not released
    released(session, world, number)
    session.rollback()
    for actor, refusal in ((world.viewer, Forbidden), (world.stranger, NotFound)):
        with pytest.raises(refusal):
            orders.place_buy_back(session, actor, number)
    order = orders.place_buy_back(session, world.operator, number)
    with pytest.raises(Conflict):  # a double click
        orders.place_buy_back(session, world.operator, number)
    session.rollback()
    fulfilment.ask(order)
    again = looked_up(session, world, order)
    assert (again.state, again.price) == (OrderState.CONFIRMED, "1.15")
    assert again.number_id not in (None, number)
    seen = on_record(session, world, again.number_id)
    assert (seen.e164, seen.label, seen.agent_id, seen.allowed_inbound) == (e164, "Desk", world.agent, ("US",))
    assert ledger(sandbox, e164) == ["purchase", "release", "purchase"]
    assert on_record(session, world, number).status is NumberStatus.RELEASED


def test_after_ten_days_a_number_cannot_be_bought_back(session: Session, world: World, sandbox: Sandbox) -> None:
    number = looked_up(session, world, buy(session, world, for_sale(session, world))).number_id or 0
    released(session, world, number)
    with (
        time_machine.travel(datetime.now(UTC) + timedelta(days=10, minutes=1)),
        pytest.raises(InvalidInput, match="can no longer be bought back"),
    ):
        orders.place_buy_back(session, world.operator, number)


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER])
def test_a_release_whose_answer_is_lost_settles(session: Session, world: World, sandbox: Sandbox, kind: Kind) -> None:
    number = looked_up(session, world, buy(session, world, for_sale(session, world))).number_id or 0
    sandbox.fault(Fault(kind, method="DELETE", path=NUMBERS))
    order = released(session, world, number)
    assert state(session, world, order) is OrderState.UNKNOWN
    assert on_record(session, world, number).status is NumberStatus.ACTIVE
    assert fulfilment.settle(order)
    assert on_record(session, world, number).status is NumberStatus.RELEASED


def test_a_change_that_the_provider_cannot_take_now_stays_pending_and_is_sent_later(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    number = looked_up(session, world, buy(session, world, for_sale(session, world))).number_id or 0
    now = stock.webhooks_now(session, world.operator, number)
    sandbox.fault(Fault(Kind.TOO_MANY, path=NUMBERS, times=None, retry_after=0.01))
    wanted = Webhooks(voice_url="https://new.example.com", status_callback=now.status_callback)
    order = orders.place_webhooks(session, world.operator, number, now, wanted)
    fulfilment.ask(order)
    seen = looked_up(session, world, order)
    assert (seen.state, bool(seen.problem)) == (OrderState.PLACED, True)
    sandbox.faults.clear()
    assert fulfilment.settle(order)
    assert stock.webhooks_now(session, world.operator, number).voice_url == "https://new.example.com"


def test_exotel_webhooks_are_set_through_the_same_order(session: Session, world: World, sandbox: Sandbox) -> None:
    configuration = registering.Configuration(provider_fields={"exophone_sid": "exo-1"})
    number = registering.register(session, world.operator, "+918047180001", world.exotel, configuration)
    now = stock.webhooks_now(session, world.operator, number)
    order = orders.place_webhooks(session, world.operator, number, now, Webhooks(voice_url="https://new.example.com/x"))
    fulfilment.ask(order)
    assert state(session, world, order) is OrderState.CONFIRMED
    assert stock.webhooks_now(session, world.operator, number).voice_url == "https://new.example.com/x"
    fulfilment.ask(
        orders.place_webhooks(session, world.operator, number, stock.webhooks_now(session, world.operator, number), now)
    )


def test_lost_exotel_webhooks_settle_though_the_status_callback_is_not_kept_there(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    configuration = registering.Configuration(provider_fields={"exophone_sid": "exo-1"})
    number = registering.register(session, world.operator, "+918047180001", world.exotel, configuration)
    now = stock.webhooks_now(session, world.operator, number)
    wanted = Webhooks(voice_url="https://lost.example.com/x", status_callback="https://voice.example.com/status")
    order = orders.place_webhooks(session, world.operator, number, now, wanted)
    sandbox.fault(Fault(Kind.DROP_AFTER, method="PUT", path=NUMBERS))
    fulfilment.ask(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    assert fulfilment.settle(order)
    assert state(session, world, order) is OrderState.CONFIRMED
    back = orders.place_webhooks(session, world.operator, number, wanted, now)
    fulfilment.ask(back)
    assert state(session, world, back) is OrderState.CONFIRMED


@pytest.mark.parametrize(
    "act",
    [
        lambda s, w: orders.place_purchase(s, w.viewer, w.twilio, Purchase("+15005550006")),
        lambda s, w: orders.place_import(s, w.viewer, w.twilio, "+15005550006", "PN", Webhooks(), Configuration()),
        lambda s, w: stock.search(s, w.viewer, w.twilio, NumberSearch("US")),
    ],
)
def test_a_viewer_orders_nothing(session: Session, world: World, act: Callable[[Session, World], object]) -> None:
    with pytest.raises(Forbidden):
        act(session, world)


def test_nothing_of_another_tenant_can_be_ordered_with(session: Session, world: World, sandbox: Sandbox) -> None:
    with pytest.raises(InvalidInput, match="connection"):
        orders.place_purchase(session, world.stranger, world.twilio, Purchase("+15005550006"))
    order = buy(session, world, "+15005550006")
    with pytest.raises(NotFound):
        orders.get(session, world.stranger, order)
    with pytest.raises(InvalidInput, match="cannot do this"):
        orders.place_purchase(session, world.operator, world.mcube, Purchase("+15005550001"))


def test_a_number_on_record_is_not_bought_again(session: Session, world: World, sandbox: Sandbox) -> None:
    make.number(session, world, "+15005550006")
    with pytest.raises(InvalidInput, match="exists already"):
        buy(session, world, "+15005550006")


def place(session: Session, world: World, e164: str) -> int:
    return orders.place_purchase(session, world.operator, world.twilio, Purchase(e164))


@pytest.mark.parametrize("drive", [fulfilment.ask, fulfilment.settle])
def test_a_purchase_that_was_never_sent_is_not_sent_when_nobody_expects_it_any_more(
    session: Session, world: World, sandbox: Sandbox, drive: Callable[[int], object]
) -> None:
    e164 = for_sale(session, world)
    order = place(session, world, e164)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        drive(order)
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.FAILED
    assert "never sent" in (seen.problem or "")
    assert bought(sandbox, e164) == 0


def test_a_purchase_that_took_effect_after_it_was_given_up_is_on_record_all_the_same(
    session: Session, world: World, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    e164 = for_sale(session, world)
    order = place(session, world, e164)
    monkeypatch.setenv("NUMBERDESK_SETTLE_SECONDS", "0")
    settings.current.cache_clear()
    sandbox.fault(Fault(Kind.LATE, method="POST", path=NUMBERS, seconds=0.5))
    asking = threading.Thread(target=fulfilment.ask, args=[order])
    asking.start()
    while state(session, world, order) is not OrderState.FAILED:
        session.rollback()
        if looked_up(session, world, order).asked_at:
            fulfilment.settle(order)
    asking.join()
    monkeypatch.undo()
    settings.current.cache_clear()
    assert state(session, world, order) is OrderState.CONFIRMED
    assert numbers.count(session, world.viewer, NumberQuery()) == 1
    assert bought(sandbox, e164) == 1


def test_an_order_that_cannot_be_driven_does_not_keep_others_from_it(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    sold = stock.search(session, world.operator, world.twilio, NumberSearch("US"))[-2:]
    first, second = (place(session, world, number.e164) for number in sold)
    order = db.orders.find(session, first)
    assert order is not None
    broken = session.get_one(Connection, world.twilio)
    kept = Connection(**(broken.model_dump(exclude={"id"}) | {"name": "Broken", "credentials": "unreadable"}))
    session.add(kept)
    session.flush()
    order.connection_id = kept.id or 0
    session.commit()
    assert fulfilment.settle_all() == 1
    assert state(session, world, second) is OrderState.CONFIRMED
