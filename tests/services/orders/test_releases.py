"""Numbers that are given back, bought back, and whose webhooks change at the provider."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlmodel import Session

from db.base.money import exact
from db.base.scope import Slice
from db.models import CampaignStatus, NumberOrder, NumberStatus, OrderState
from providers.records import Webhooks
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from services.audit import audit
from services.campaigns import campaigns
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.numbers import numbers, registration
from services.orders import catalogue, orders
from services.text import numbering
from tests.conftest import World
from tests.world import ordering
from tests.world.ordering import NUMBERS, PRICE, buy, for_sale, ledger, looked_up, on_record, state
from tests.world.reconciling import at_twilio


def released(session: Session, world: World, number: int) -> int:
    seen = on_record(session, world, number)
    order = orders.place_release(session, world.operator, number, seen.e164, version=seen.version)
    ordering.ask(order)
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
    version = numbers.set_tags_and_notes(session, world.operator, number, ["vip"], "Ask Maya first.", version=1)
    numbers.rename(session, world.operator, number, "Front desk", version=version)
    campaign = campaigns.add(session, world.operator, "Renewals", CampaignStatus.ACTIVE)
    campaigns.add_numbers(session, world.operator, campaign, [number], version=1)
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
    ordering.ask(order)
    again = looked_up(session, world, order)
    assert again.state is OrderState.CONFIRMED
    assert exact(session.get_one(NumberOrder, order)) == str(PRICE)
    assert again.number_id == number
    seen = on_record(session, world, number)
    assert (seen.status, seen.released_at, seen.buy_back_until) == (NumberStatus.ACTIVE, None, None)
    assert (seen.label, seen.agent_id, seen.allowed_inbound) == ("Front desk", world.agent, ["US"])
    assert (seen.tags, seen.notes, seen.provider_sid) == (["vip"], "Ask Maya first.", again.provider_sid)
    assert ledger(sandbox, e164) == ["purchase", "release", "purchase"]
    assert numbers.count(session, world.viewer, numbers.NumberQuery(search=numbering.search_text(e164))) == 1
    assert numbers.left_campaigns(session, world.viewer, number) == ["Renewals"]
    assert campaigns.get(session, world.viewer, campaign).pool == 0
    lines = [event.action for event in audit.history(session, world.viewer, "number", number, Slice())]
    assert (lines[0], lines[1], lines[-1]) == ("numbers:buy_back", "numbers:release", "numbers:buy")
    released(session, world, number)  # and given back once more
    assert on_record(session, world, number).status is NumberStatus.RELEASED


def test_a_purchase_back_that_fails_leaves_the_number_released(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    number = looked_up(session, world, buy(session, world, for_sale(session, world))).number_id or 0
    released(session, world, number)
    sandbox.fault(Fault(Kind.ERROR, method="POST", path=NUMBERS, status=400, code=21422))
    for outcome in (OrderState.FAILED, OrderState.CONFIRMED):
        assert on_record(session, world, number).status is NumberStatus.RELEASED
        order = orders.place_buy_back(session, world.operator, number)
        ordering.ask(order)
        assert state(session, world, order) is outcome
    assert on_record(session, world, number).status is NumberStatus.ACTIVE


def test_a_purchase_back_whose_answer_is_lost_revives_the_record_once_it_is_found(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    number = looked_up(session, world, buy(session, world, for_sale(session, world))).number_id or 0
    released(session, world, number)
    sandbox.fault(Fault(Kind.DROP_AFTER, method="POST", path=NUMBERS))
    order = orders.place_buy_back(session, world.operator, number)
    ordering.ask(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    assert on_record(session, world, number).status is NumberStatus.RELEASED
    assert ordering.settle(order)
    assert looked_up(session, world, order).number_id == number
    assert on_record(session, world, number).status is NumberStatus.ACTIVE


def test_a_number_that_somebody_bought_back_at_twilio_is_not_bought_over(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    number = looked_up(session, world, buy(session, world, e164)).number_id or 0
    released(session, world, number)
    at_twilio(session, world).buy(e164, voice_url="https://theirs.example.com")
    order = orders.place_buy_back(session, world.operator, number)
    ordering.ask(order)
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.FAILED
    assert "Import it instead" in (seen.problem or "")
    there = at_twilio(session, world).find_owned(e164)
    assert there
    assert there.webhooks.voice_url == "https://theirs.example.com"
    assert on_record(session, world, number).status is NumberStatus.RELEASED


def test_a_release_is_not_given_up_because_the_provider_does_not_let_us_look(
    session: Session, world: World, sandbox: Sandbox, no_grace: None
) -> None:
    number = looked_up(session, world, buy(session, world, for_sale(session, world))).number_id or 0
    sandbox.fault(Fault(Kind.DROP_AFTER, method="DELETE", path=NUMBERS))
    order = released(session, world, number)
    for _ in range(3):  # the token was changed at Twilio, and not here yet
        sandbox.fault(Fault(Kind.ERROR, method="GET", path=NUMBERS, status=401, code=20003))
        assert not ordering.settle(order)
        assert state(session, world, order) is OrderState.UNKNOWN
    assert ordering.settle(order)
    assert on_record(session, world, number).status is NumberStatus.RELEASED


def test_a_number_that_was_registered_by_hand_meanwhile_is_not_bought_back(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    number = looked_up(session, world, buy(session, world, e164)).number_id or 0
    released(session, world, number)
    by_hand = registration.register(session, world.operator, e164, world.sip, registration.Configuration())
    with pytest.raises(InvalidInput, match="already exists"):
        orders.place_buy_back(session, world.operator, number)
    session.rollback()
    version = numbers.remove(session, world.operator, by_hand, version=1)
    order = orders.place_buy_back(session, world.operator, number)
    with pytest.raises(Conflict, match="added again since"):
        numbers.put_back(session, world.operator, by_hand, version=version)
    session.rollback()
    with pytest.raises(InvalidInput, match="being ordered"):
        registration.register(session, world.operator, e164, world.sip, registration.Configuration())
    session.rollback()
    ordering.ask(order)
    assert state(session, world, order) is OrderState.CONFIRMED
    assert on_record(session, world, number).status is NumberStatus.ACTIVE


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
    assert ordering.settle(order)
    assert on_record(session, world, number).status is NumberStatus.RELEASED


def test_a_change_that_the_provider_cannot_take_now_stays_pending_and_is_sent_later(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    number = looked_up(session, world, buy(session, world, for_sale(session, world))).number_id or 0
    now = catalogue.webhooks_now(session, world.operator, number)
    sandbox.fault(Fault(Kind.TOO_MANY, path=NUMBERS, times=None, retry_after=0.01))
    wanted = Webhooks(voice_url="https://new.example.com", status_callback=now.status_callback)
    order = orders.place_webhooks(session, world.operator, number, now, wanted)
    ordering.ask(order)
    seen = looked_up(session, world, order)
    assert (seen.state, bool(seen.problem)) == (OrderState.PLACED, True)
    sandbox.faults.clear()
    assert ordering.settle(order)
    assert catalogue.webhooks_now(session, world.operator, number).voice_url == "https://new.example.com"


def test_exotel_webhooks_are_set_through_the_same_order(session: Session, world: World, sandbox: Sandbox) -> None:
    configuration = registration.Configuration(provider_fields={"exophone_sid": "exo-1"})
    number = registration.register(session, world.operator, "+918047180001", world.exotel, configuration)
    now = catalogue.webhooks_now(session, world.operator, number)
    order = orders.place_webhooks(session, world.operator, number, now, Webhooks(voice_url="https://new.example.com/x"))
    ordering.ask(order)
    assert state(session, world, order) is OrderState.CONFIRMED
    assert catalogue.webhooks_now(session, world.operator, number).voice_url == "https://new.example.com/x"
    ordering.ask(
        orders.place_webhooks(
            session, world.operator, number, catalogue.webhooks_now(session, world.operator, number), now
        )
    )


def test_lost_exotel_webhooks_settle_though_the_status_callback_is_not_kept_there(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    configuration = registration.Configuration(provider_fields={"exophone_sid": "exo-1"})
    number = registration.register(session, world.operator, "+918047180001", world.exotel, configuration)
    now = catalogue.webhooks_now(session, world.operator, number)
    wanted = Webhooks(voice_url="https://lost.example.com/x", status_callback="https://voice.example.com/status")
    order = orders.place_webhooks(session, world.operator, number, now, wanted)
    sandbox.fault(Fault(Kind.DROP_AFTER, method="PUT", path=NUMBERS))
    ordering.ask(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    assert ordering.settle(order)
    assert state(session, world, order) is OrderState.CONFIRMED
    back = orders.place_webhooks(session, world.operator, number, wanted, now)
    ordering.ask(back)
    assert state(session, world, back) is OrderState.CONFIRMED
