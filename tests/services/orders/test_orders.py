"""Orders: bought once, never lost, nothing overwritten unseen; whatever the provider does."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import structlog.testing
import time_machine
from sqlmodel import Session

import db.base.engine
from db.base.scope import Slice
from db.models import OrderState
from db.numbers.matching import NumberQuery
from providers.records import NumberSearch, Webhooks
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from services.audit import audit
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.numbers import numbers, registration
from services.orders import catalogue, orders, webhook_orders
from services.orders.orders import Configuration, Purchase
from tests.conftest import Configure, World
from tests.world import make, ordering
from tests.world.ordering import NUMBERS, bought, buy, for_sale, ledger, looked_up, on_record, owned, place, state
from tests.world.reconciling import at_twilio


def test_a_purchase_puts_the_number_on_record_with_all_that_was_chosen(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    order = buy(session, world, e164, label="Desk", agent_id=world.agent, allowed_inbound=["US"])
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.CONFIRMED
    number = on_record(session, world, seen.number_id)
    assert (number.e164, number.label, number.agent, number.allowed_inbound) == (e164, "Desk", "Maya", ["US"])
    assert number.is_managed
    assert number.provider_sid
    there = catalogue.webhooks_now(session, world.operator, number.id)
    assert (there.voice_url, there.status_callback) == (
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
        ordering.ask(order)
        assert ordering.settle(order)
    assert bought(sandbox, e164) == 1
    assert numbers.count(session, world.viewer, NumberQuery()) == 1


def test_each_new_state_of_an_order_is_one_event_of_the_log(session: Session, world: World, sandbox: Sandbox) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(Kind.ERROR, status=400, code=21422, method="POST", path=NUMBERS))
    with structlog.testing.capture_logs() as events:
        order = buy(session, world, e164)
    changes = [event for event in events if event["event"] == "order.changed"]
    assert [(event["order"], event["before"], event["after"]) for event in changes] == [
        (order, None, "placed"),
        (order, "placed", "failed"),
    ]
    assert {(event["tenant"], event["provider"]) for event in changes} == {(world.tenant, "twilio")}
    assert (changes[-1]["status"], changes[-1]["code"]) == (400, "21422")


def test_twenty_buyers_of_one_number_make_one_order_and_one_purchase(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    outcomes: list[str] = []
    barrier = threading.Barrier(20)

    def try_to_buy() -> None:
        barrier.wait()
        with db.base.engine.open_session() as own:
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


def test_a_number_that_the_account_holds_already_is_not_bought_over(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    theirs = Webhooks(voice_url="https://theirs.example.com", status_callback="https://theirs.example.com/s")
    at_twilio(session, world).buy(e164, voice_url=theirs.voice_url, status_callback=theirs.status_callback)
    order = buy(session, world, e164)
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.FAILED
    assert "already in the account, so it was not bought" in (seen.problem or "")
    assert "Import it" in (seen.problem or "")
    there = at_twilio(session, world).find_owned(e164)
    assert there
    assert there.webhooks == theirs
    assert ledger(sandbox, e164) == ["purchase"]
    order = orders.place_import(session, world.operator, world.twilio, e164, there.sid, there.webhooks, Configuration())
    ordering.ask(order)
    assert state(session, world, order) is OrderState.CONFIRMED


def test_a_purchase_that_was_sent_away_and_then_bought_by_somebody_is_not_bought_over(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(Kind.TOO_MANY, method="POST", path=NUMBERS, retry_after=60))
    order = buy(session, world, e164)
    assert looked_up(session, world, order).is_waiting
    at_twilio(session, world).buy(e164, voice_url="https://theirs.example.com")
    assert ordering.settle(order)
    assert state(session, world, order) is OrderState.FAILED
    there = at_twilio(session, world).find_owned(e164)
    assert there
    assert there.webhooks.voice_url == "https://theirs.example.com"


@pytest.mark.parametrize(
    ("e164", "sid", "field"),
    [
        ("+" + "1" * 20, "PN1", "number"),
        ("+1", "PN1", "number"),
        ("+1415555\x000123", "PN1", "number"),
        ("+1415555\ud8000123", "PN1", "number"),
        ("+14155550123", "PN" + "1" * 63, "SID"),
        ("+14155550123", "", "SID"),
        ("+14155550123", "PN\x00", "SID"),
    ],
)
def test_what_could_not_be_put_on_record_is_refused_before_anything_is_asked(
    session: Session, world: World, sandbox: Sandbox, e164: str, sid: str, field: str
) -> None:
    def place_import() -> None:
        orders.place_import(session, world.operator, world.twilio, e164, sid, Webhooks(), Configuration())

    def place_purchase() -> None:
        orders.place_purchase(session, world.operator, world.twilio, Purchase(e164))

    for act in (place_import, place_purchase) if field == "number" else (place_import,):
        with pytest.raises(InvalidInput, match=f"The {field} .* Nothing was sent") as refused:
            act()
        assert refused.value.field == field
        session.rollback()
    assert orders.still_open(session, world.operator) == []


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
    with pytest.raises(InvalidInput, match="already being ordered"):
        registration.register(session, world.operator, e164, world.sip, registration.Configuration())
    session.rollback()
    assert ordering.settle(order)
    number = on_record(session, world, looked_up(session, world, order).number_id)
    assert (number.e164, number.label) == (e164, "Kept")
    assert bought(sandbox, e164) == 1


def test_a_purchase_that_did_not_happen_fails_only_once_it_cannot_happen_any_more(
    session: Session, world: World, sandbox: Sandbox, configure: Configure
) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(Kind.DROP_BEFORE, method="POST", path=NUMBERS))
    order = buy(session, world, e164)
    assert not ordering.settle(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    configure(settle_seconds=0)
    assert ordering.settle(order)
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


def test_a_number_that_somebody_else_took_is_refused_in_words(session: Session, world: World, sandbox: Sandbox) -> None:
    order = buy(session, world, "+15005550000")
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.FAILED
    assert "someone else has it" in (seen.problem or "")


def test_an_import_keeps_what_it_replaces_and_it_can_be_restored(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    theirs = owned(session, world)
    order = orders.place_import(
        session, world.operator, world.twilio, theirs.e164, theirs.sid, theirs.webhooks, Configuration(label="Mine")
    )
    ordering.ask(order)
    seen = looked_up(session, world, order)
    assert (seen.state, webhook_orders.stored(seen.previous)) == (OrderState.CONFIRMED, theirs.webhooks)
    number = on_record(session, world, seen.number_id)
    ours = catalogue.webhooks_now(session, world.operator, number.id)
    assert ours.voice_url == "https://voice.example.com/in"
    restore = orders.place_webhooks(session, world.operator, number.id, ours, theirs.webhooks)
    ordering.ask(restore)
    assert catalogue.webhooks_now(session, world.operator, number.id) == theirs.webhooks
    change = audit.history(session, world.viewer, "number", number.id, Slice())[0]
    assert (change.before["voice_url"], change.after["voice_url"]) == (ours.voice_url, theirs.webhooks.voice_url)
    assert bought(sandbox, theirs.e164) == 0


def test_webhooks_that_changed_since_they_were_shown_are_not_overwritten(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    theirs = owned(session, world)
    shown = Webhooks(voice_url="https://somewhere.example.com/else")
    order = orders.place_import(session, world.operator, world.twilio, theirs.e164, theirs.sid, shown, Configuration())
    ordering.ask(order)
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.FAILED
    assert "Nothing was overwritten" in (seen.problem or "")
    assert (
        catalogue.owned_by_sid(session, world.operator, world.twilio, theirs.sid, theirs.e164).webhooks
        == theirs.webhooks
    )


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER])
def test_an_import_whose_answer_is_lost_is_adopted(
    session: Session, world: World, sandbox: Sandbox, kind: Kind
) -> None:
    theirs = owned(session, world)
    sandbox.fault(Fault(kind, method="POST", path=NUMBERS))
    order = orders.place_import(
        session, world.operator, world.twilio, theirs.e164, theirs.sid, theirs.webhooks, Configuration()
    )
    ordering.ask(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    assert ordering.settle(order)
    assert state(session, world, order) is OrderState.CONFIRMED


def test_an_owned_number_that_vanished_is_not_imported(session: Session, world: World, sandbox: Sandbox) -> None:
    order = orders.place_import(
        session, world.operator, world.twilio, "+14155552671", "PN" + "0" * 32, Webhooks(), Configuration()
    )
    ordering.ask(order)
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.FAILED
    assert "no longer in the account" in (seen.problem or "")


@pytest.mark.parametrize(
    "act",
    [
        lambda s, w: orders.place_purchase(s, w.viewer, w.twilio, Purchase("+15005550006")),
        lambda s, w: orders.place_import(s, w.viewer, w.twilio, "+15005550006", "PN", Webhooks(), Configuration()),
        lambda s, w: catalogue.search(s, w.viewer, w.twilio, NumberSearch("US")),
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
    with pytest.raises(InvalidInput, match="already exists"):
        buy(session, world, "+15005550006")


@pytest.mark.parametrize("drive", [ordering.ask, ordering.settle])
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
    session: Session, world: World, sandbox: Sandbox, configure: Configure
) -> None:
    e164 = for_sale(session, world)
    order = place(session, world, e164)
    configure(settle_seconds=0)
    sandbox.fault(Fault(Kind.LATE, method="POST", path=NUMBERS, seconds=0.5))
    asking = threading.Thread(target=ordering.ask, args=[order])
    asking.start()
    while state(session, world, order) is not OrderState.FAILED:
        session.rollback()
        if looked_up(session, world, order).asked_at:
            ordering.settle(order)
    asking.join()
    assert state(session, world, order) is OrderState.CONFIRMED
    assert numbers.count(session, world.viewer, NumberQuery()) == 1
    assert bought(sandbox, e164) == 1
