"""Re-sync: what differs is shown, and only what is chosen is taken over."""

from dataclasses import replace

import pytest
import requests
from sqlmodel import Session

from db.audit.queries import AuditQuery
from db.base.scope import Slice
from db.models import NumberStatus
from providers.records import NumberSearch
from providers.sandbox.accounts import MAIN
from providers.sandbox.server import Sandbox
from services.audit import audit, wording
from services.audit.audit import Action
from services.core import settings
from services.core.errors import Conflict, Forbidden, InvalidInput
from services.numbers import numbers, registration
from services.orders import catalogue, orders, resync
from services.orders.orders import Configuration, Purchase
from tests.conftest import World
from tests.world import make, ordering
from tests.world.reconciling import at_twilio


@pytest.fixture
def bought(session: Session, world: World, sandbox: Sandbox) -> int:
    e164 = catalogue.search(session, world.operator, world.twilio, NumberSearch("US"))[-1].e164
    order = orders.place_purchase(
        session, world.operator, world.twilio, Purchase(e164, configuration=Configuration(label="Ours"))
    )
    ordering.ask(order)
    session.rollback()
    return orders.get(session, world.viewer, order).number_id or 0


def name_there(number: numbers.NumberRow, label: str) -> None:
    """Name a number in Twilio's own console."""
    path = f"/api/2010-04-01/Accounts/{MAIN.sid}/IncomingPhoneNumbers/{number.provider_sid}.json"
    answer = requests.post(
        settings.sandbox_url() + path, {"FriendlyName": label}, auth=(MAIN.sid, MAIN.token), timeout=5
    )
    answer.raise_for_status()


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
    with pytest.raises(InvalidInput, match="cannot be updated"):
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
    with pytest.raises(InvalidInput, match="is in the account again"):
        resync.apply(session, world.operator, bought, gone, version=1, reason="Released at Twilio")
    session.rollback()
    provider.release(number.provider_sid or "")
    assert resync.differences(session, world.viewer, bought) == [gone]
    with pytest.raises(InvalidInput, match="Enter a reason"):
        resync.apply(session, world.operator, bought, gone, version=1)
    session.rollback()
    resync.apply(session, world.operator, bought, gone, version=1, reason="Released at Twilio")
    assert numbers.get(session, world.viewer, bought).status is NumberStatus.RELEASED
    (event,) = audit.search(session, world.viewer, AuditQuery(actions=(Action.NUMBERS_RELEASE,)), Slice())
    assert (event.number_id, event.after["reason"]) == (bought, "Released at Twilio")
    assert wording.event_action(event) == "marked the number as released"


def test_a_number_is_not_marked_as_released_while_an_order_about_it_is_open(
    session: Session, world: World, bought: int
) -> None:
    number = numbers.get(session, world.viewer, bought)
    orders.place_release(session, world.operator, bought, number.e164, version=1)
    at_twilio(session, world).release(number.provider_sid or "")
    with pytest.raises(Conflict, match="being ordered or changed"):
        resync.apply(session, world.operator, bought, resync.NOT_THERE, version=1, reason="Released at Twilio")
    session.rollback()
    assert numbers.get(session, world.viewer, bought).status is NumberStatus.ACTIVE


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


def test_the_status_callback_of_a_provider_that_keeps_none_does_not_differ(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    fields = registration.Configuration(label="Desk", provider_fields={"exophone_sid": "exo-1"})
    number = registration.register(session, world.operator, "+918047180001", world.exotel, fields)
    found = {difference.name for difference in resync.differences(session, world.viewer, number)}
    assert "Voice URL" in found
    assert not found & {"SID", "Status callback"}


@pytest.mark.parametrize("digits", [slice(2, 5), slice(5, None), slice(2, None), slice(1, None)])
def test_a_label_of_digits_that_the_number_holds_is_a_label(
    session: Session, world: World, bought: int, digits: slice
) -> None:
    number = numbers.get(session, world.viewer, bought)
    label = number.e164[digits]
    numbers.rename(session, world.operator, bought, label, version=1)
    name_there(number, label)
    assert resync.differences(session, world.viewer, bought) == []
    numbers.rename(session, world.operator, bought, "Renamed here", version=2)
    (difference,) = resync.differences(session, world.viewer, bought)
    assert difference.theirs == label
    resync.apply(session, world.operator, bought, difference, version=3)
    assert numbers.get(session, world.viewer, bought).label == label


@pytest.mark.parametrize("label", ["Front  desk", " Front desk ", "Front\tdesk"])
def test_a_label_is_compared_as_it_would_be_stored(session: Session, world: World, bought: int, label: str) -> None:
    number = numbers.get(session, world.viewer, bought)
    name_there(number, label)
    (difference,) = resync.differences(session, world.viewer, bought)
    assert difference.theirs == "Front desk"
    resync.apply(session, world.operator, bought, difference, version=1)
    assert resync.differences(session, world.viewer, bought) == []


def test_a_number_that_nobody_named_has_no_label_there(session: Session, world: World, bought: int) -> None:
    number = numbers.get(session, world.viewer, bought)
    national = f"({number.e164[2:5]}) {number.e164[5:8]}-{number.e164[8:]}"
    for own_name in (number.e164, national):
        name_there(number, own_name)
        (difference,) = resync.differences(session, world.viewer, bought)
        assert (difference.ours, difference.theirs) == ("Ours", "—")
