"""Re-sync: what differs is shown, and only what is chosen is taken over."""

from dataclasses import replace

import pytest
from sqlmodel import Session

from db.models import NumberStatus
from db.scope import Slice
from providers.sandbox.server import Sandbox
from providers.verbs import NumberSearch, OwnedNumber, Webhooks
from services import audit, fulfilment, numbers, orders, registering, resync, stock, vendors
from services.errors import Forbidden, InvalidInput
from services.orders import Configuration, Purchase
from tests.conftest import World
from tests.services import make


@pytest.fixture
def bought(session: Session, world: World, sandbox: Sandbox) -> int:
    e164 = stock.search(session, world.operator, world.twilio, NumberSearch("US"))[-1].e164
    order = orders.place_purchase(
        session, world.operator, world.twilio, Purchase(e164, configuration=Configuration(label="Ours"))
    )
    fulfilment.ask(order)
    session.rollback()
    return orders.get(session, world.viewer, order).number_id or 0


def at_twilio(session: Session, world: World) -> vendors.Provider:
    return stock._provider(session, world.operator, world.twilio)


def test_a_number_that_is_as_we_have_it_differs_in_nothing(session: Session, world: World, bought: int) -> None:
    assert resync.differences(session, world.viewer, bought) == []


def test_what_differs_is_shown_and_nothing_is_changed(session: Session, world: World, bought: int) -> None:
    number = numbers.get(session, world.viewer, bought)
    at_twilio(session, world).set_webhooks(number.provider_sid or "", voice_url="https://elsewhere.example.com")
    (difference,) = resync.differences(session, world.viewer, bought)
    assert (difference.name, difference.ours, difference.theirs) == (
        "Voice URL",
        "https://voice.example.com/in",
        "https://elsewhere.example.com",
    )
    assert numbers.get(session, world.viewer, bought) == number
    with pytest.raises(InvalidInput, match="cannot be taken over"):
        resync.apply(session, world.operator, bought, difference, version=number.version)


def test_the_label_of_the_provider_can_be_taken_over(session: Session, world: World, bought: int) -> None:
    numbers.rename(session, world.operator, bought, "Renamed here", version=1)
    (difference,) = resync.differences(session, world.viewer, bought)
    assert (difference.field, difference.theirs) == (resync.LABEL, "Ours")
    with pytest.raises(Forbidden):
        resync.apply(session, world.viewer, bought, difference, version=2)
    resync.apply(session, world.operator, bought, difference, version=2)
    assert numbers.get(session, world.viewer, bought).label == "Ours"
    event = audit.history(session, world.viewer, "number", bought, Slice())[0]
    assert (event.action, event.before, event.after) == (
        "numbers:resync",
        {"label": "Renamed here"},
        {"label": "Ours"},
    )


def test_a_number_that_left_the_account_can_be_marked_as_released(session: Session, world: World, bought: int) -> None:
    number = numbers.get(session, world.viewer, bought)
    provider = at_twilio(session, world)
    gone = resync.Difference("In the account", "Yes", "No: released or moved away", resync.GONE)
    with pytest.raises(InvalidInput, match="holds the number again"):
        resync.apply(session, world.operator, bought, gone, version=1)
    session.rollback()
    provider.release(number.provider_sid or "")
    assert resync.differences(session, world.viewer, bought) == [gone]
    resync.apply(session, world.operator, bought, gone, version=1)
    assert numbers.get(session, world.viewer, bought).status is NumberStatus.RELEASED


def test_a_number_that_was_bought_back_has_another_sid(session: Session, world: World, bought: int) -> None:
    number = numbers.get(session, world.viewer, bought)
    provider = at_twilio(session, world)
    provider.release(number.provider_sid or "")
    again = provider.buy(
        number.e164, label="Ours", voice_url=number.voice_url or "", status_callback=number.status_callback_url or ""
    )
    found = resync.differences(session, world.viewer, bought)
    if again.sid == number.provider_sid:
        assert found == []
    else:
        assert found == [resync.Difference("SID", number.provider_sid or "", again.sid, resync.SID)]
        resync.apply(session, world.operator, bought, replace(found[0]), version=1)
        assert numbers.get(session, world.viewer, bought).provider_sid == again.sid


def test_a_number_without_a_sid_cannot_be_compared(session: Session, world: World, sandbox: Sandbox) -> None:
    with pytest.raises(InvalidInput, match="no SID"):
        resync.differences(session, world.viewer, make.number(session, world))


def test_the_status_callback_of_a_vendor_that_keeps_none_does_not_differ(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    fields = registering.Configuration(label="Desk", provider_fields={"exophone_sid": "exo-1"})
    number = registering.register(session, world.operator, "+918047180001", world.exotel, fields)
    found = {difference.name for difference in resync.differences(session, world.viewer, number)}
    assert "Voice URL" in found
    assert not found & {"SID", "Status callback"}


@pytest.mark.parametrize(
    ("named", "label"),
    [
        ("+14155552671", ""),
        ("(415) 555-2671", ""),
        ("2671", "2671"),
        ("415", "415"),
        ("Front  desk\n", "Front desk"),
        ("", ""),
    ],
)
def test_a_label_is_compared_as_it_is_stored_and_digits_of_the_number_are_one(named: str, label: str) -> None:
    there = OwnedNumber("PN1", "+14155552671", named, None, frozenset(), Webhooks())
    assert resync.label_of(there) == label
