"""Registering a number manually: what was typed is understood, or refused with the reason."""

import threading

import pytest
from sqlmodel import Session

import db.base.engine
from db.base.scope import Slice
from db.models import NumberType, PhoneNumber
from db.numbers.matching import NumberQuery
from services.audit import audit
from services.core.errors import Forbidden, InvalidInput, NotFound
from services.numbers import numbers, registration
from services.numbers.registration import Configuration
from tests.conftest import World
from tests.world import make


def test_a_number_is_registered_with_everything_that_was_configured(session: Session, world: World) -> None:
    configuration = Configuration("Desk", world.agent, ["IN"], ["IN", "US"], {"executive_number": "9876543210"})
    number = registration.register(session, world.operator, "098765 43210", world.mcube, configuration)
    seen = numbers.get(session, world.viewer, number)
    assert (seen.e164, seen.country, seen.number_type) == ("+919876543210", "IN", NumberType.MOBILE)
    assert (seen.label, seen.agent, seen.connection, seen.provider) == ("Desk", "Maya", "mCube", "mcube")
    assert (seen.allowed_inbound, seen.allowed_outbound) == (["IN"], ["IN", "US"])
    assert (seen.provider_fields, seen.is_managed) == ({"executive_number": "9876543210"}, False)
    (event,) = audit.history(session, world.viewer, "number", number, Slice())
    assert (event.actor, event.action, event.after["agent"]) == ("Operator", "numbers:add", "Maya")
    assert event.after == numbers.words(session, session.get_one(PhoneNumber, number))


def test_a_national_number_is_read_with_the_connections_country(session: Session, world: World) -> None:
    assert registration.preview(session, world.operator, "(415) 555-2671", world.twilio).e164 == "+14155552671"
    with pytest.raises(InvalidInput, match="no default country"):
        registration.preview(session, world.operator, "4155552671", world.sip)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "Enter a phone number"),
        ("call me", "digits"),
        ("1-800-FLOWERS", "digits"),
        ("+1415", "too short"),
        ("+141555526711234", "too long"),
        ("+999123456789", "calling code|not a phone number"),
        ("☎️ 415", "digits"),
        ("+1 415 555 2671 " * 5, "more than one number"),
    ],
)
def test_an_impossible_number_is_refused_with_the_reason(
    session: Session, world: World, typed: str, reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason) as refused:
        registration.register(session, world.operator, typed, world.sip, Configuration(), insist=True)
    assert refused.value.field == "number"
    assert not refused.value.overridable
    assert numbers.count(session, world.operator, NumberQuery()) == 0


def test_a_possible_number_on_no_plan_needs_insisting(session: Session, world: World) -> None:
    with pytest.raises(InvalidInput, match="not in the numbering plan") as doubted:
        registration.register(session, world.operator, "+15551234567", world.sip, Configuration())
    assert doubted.value.overridable
    number = registration.register(session, world.operator, "+15551234567", world.sip, Configuration(), insist=True)
    assert numbers.get(session, world.viewer, number).e164 == "+15551234567"


def test_an_mcube_line_may_be_bare_national_digits(session: Session, world: World) -> None:
    fields = {"executive_number": "98765"}
    number = registration.register(session, world.operator, "12345", world.mcube, Configuration(provider_fields=fields))
    assert numbers.get(session, world.viewer, number).e164 == "12345"
    with pytest.raises(InvalidInput):
        registration.preview(session, world.operator, "12345", world.exotel)


def test_a_number_exists_only_once_and_no_tenant_is_named(session: Session, world: World) -> None:
    make.number(session, world)
    with pytest.raises(InvalidInput, match="already exists") as own:
        make.number(session, world)
    with pytest.raises(InvalidInput, match="already exists") as theirs:
        make.number(session, world, actor=world.stranger)
    assert str(own.value) == str(theirs.value)
    assert "Acme" not in str(theirs.value)


def test_a_removed_number_can_be_registered_again_by_anybody(session: Session, world: World) -> None:
    first = make.number(session, world)
    numbers.remove(session, world.operator, first, version=1)
    assert make.number(session, world, actor=world.stranger) != first


def test_two_at_once_register_a_number_once(session: Session, world: World) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(6)

    def register() -> None:
        barrier.wait()
        with db.base.engine.open_session() as own:
            try:
                make.number(own, world)
                outcomes.append("added")
            except InvalidInput:
                outcomes.append("refused")

    threads = [threading.Thread(target=register) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["added"] + ["refused"] * 5
    assert numbers.count(session, world.operator, NumberQuery()) == 1


def test_a_viewer_registers_nothing(session: Session, world: World) -> None:
    with pytest.raises(Forbidden):
        make.number(session, world, actor=world.viewer)


def test_a_number_needs_one_tenant(session: Session, world: World) -> None:
    with pytest.raises(NotFound, match="Choose one tenant"):
        registration.register(session, world.everywhere, "+14155552671", world.sip, Configuration())


def test_nothing_of_another_tenant_can_be_used(session: Session, world: World) -> None:
    with pytest.raises(InvalidInput, match="connection"):
        registration.preview(session, world.operator, "+14155552671", world.other_sip)
    with pytest.raises(InvalidInput, match="agent"):
        make.number(session, world, agent_id=world.other_agent)
    assert numbers.count(session, world.everywhere, NumberQuery()) == 0
