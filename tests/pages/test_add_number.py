"""The wizard's manual path: what it accepts, what it refuses, and that nothing typed is lost."""

import pytest
import sqlalchemy as sa
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

import db.numbers.queries
from db.base.scope import Scope, Slice
from db.models import Connection
from services.audit import audit
from services.numbers import numbers
from services.text import numbering
from tests.conftest import World
from tests.pages.conftest import Stock
from tests.pages.tab import buttons, links, press, signed_in, texts, title, visit

NEXT = "Next: Configure number"


def manual_path(number: str, connection: int, username: str = "operator") -> AppTest:
    """Return a wizard in which a number and a connection were entered, and `Next` pressed."""
    tab = visit(signed_in(username), "add_number.py")
    press(tab, "Add manually")
    tab.text_input(key="add_number").set_value(number)
    tab.selectbox(key="add_connection").set_value(connection)
    tab.run()
    return press(tab, NEXT)


def entered(tab: AppTest) -> tuple[object, object]:
    return tab.text_input(key="add_number").value, tab.selectbox(key="add_connection").value


def test_an_mcube_line_is_registered_with_its_executive_number(session: Session, world: World) -> None:
    tab = manual_path("080 4718 1234", world.mcube)
    assert not tab.exception
    assert "Step 2 of 2" in texts(tab, "caption")
    tab.text_input(key="add_label").set_value("Bengaluru desk")
    tab.selectbox(key="add_agent").set_value(world.agent)
    tab.multiselect(key="add_inbound").set_value(["IN"])
    tab.text_input(key="add_field_executive_number").set_value("9876543210")
    press(tab, "Add number")
    assert not tab.exception
    assert title(tab) == "Number added"
    assert ":material/check_circle: Phone number added" in texts(tab, "subheader")
    assert {"View number", "Go to campaigns", "Add another"} <= set(buttons(tab))
    assert "Back to the list" in links(tab)
    (row,) = db.numbers.queries.search(session, Scope(world.tenant), numbers.NumberQuery(), Slice())
    added = numbers.get(session, world.operator, row.id)
    assert (added.e164, added.provider, added.label, added.agent) == (
        "+918047181234",
        "mcube",
        "Bengaluru desk",
        "Maya",
    )
    assert added.allowed_inbound == ["IN"]
    assert added.provider_fields == {"executive_number": "9876543210"}
    (event,) = audit.history(session, world.operator, "number", row.id, Slice())
    assert (event.actor, event.action) == ("Operator", "numbers:add")


def test_the_done_card_opens_the_number(world: World) -> None:
    tab = press(press(manual_path("+14155552671", world.sip), "Add number"), "View number")
    assert not tab.exception
    assert title(tab) == ":material/call: `+1 415 555 2671`"


def test_add_another_begins_with_nothing_entered(world: World) -> None:
    tab = press(press(manual_path("+14155552671", world.sip), "Add number"), "Add another")
    assert title(tab) == "Add phone number"
    press(tab, "Add manually")
    assert entered(tab) == ("", None)


def test_next_waits_for_a_number_and_a_connection(world: World) -> None:
    tab = press(visit(signed_in("operator"), "add_number.py"), "Add manually")
    assert tab.button(key="wizard_manual_forward").disabled
    tab.text_input(key="add_number").set_value("+14155552671").run()
    assert tab.button(key="wizard_manual_forward").disabled
    tab.selectbox(key="add_connection").set_value(world.sip).run()
    assert not tab.button(key="wizard_manual_forward").disabled


def test_a_second_press_never_presses_a_button_of_the_next_step(world: World) -> None:
    def ways(tab: AppTest) -> set[str]:
        return {str(button.key) for button in tab.button if str(button.key).startswith("wizard_")}

    tab = press(visit(signed_in("operator"), "add_number.py"), "Add manually")
    before = ways(tab)
    after = ways(manual_path("+14155552671", world.sip))
    assert before
    assert after
    assert not before & after


def test_only_active_connections_of_the_tenant_are_offered(world: World) -> None:
    tab = press(visit(signed_in("operator"), "add_number.py"), "Add manually")
    assert tab.selectbox(key="add_connection").options == [
        "Exotel · Exotel",
        "SIP · Generic SIP",
        "Twilio · Twilio",
        "mCube · mCube",
    ]


def test_an_impossible_number_is_refused_with_the_reason(world: World) -> None:
    tab = manual_path("+1 415", world.sip)
    assert not tab.exception
    assert texts(tab, "error") == ["+1 415 cannot be a phone number: it is too short."]
    assert entered(tab) == ("+1 415", world.sip)
    assert not tab.checkbox


def test_a_national_number_needs_a_country_to_be_read_in(world: World) -> None:
    tab = manual_path("415 555 2671", world.sip)
    assert any("has no default country" in text for text in texts(tab, "error"))
    assert entered(tab) == ("415 555 2671", world.sip)


def test_a_possible_number_on_no_plan_can_be_insisted_on(world: World) -> None:
    tab = manual_path("+1 555 555 1212", world.sip)
    assert not tab.exception
    assert not texts(tab, "error")
    assert any("If you are sure, use it anyway" in text for text in texts(tab, "warning"))
    assert entered(tab) == ("+1 555 555 1212", world.sip)
    tab.checkbox[0].check().run()
    press(tab, NEXT)
    assert "Step 2 of 2" in texts(tab, "caption")
    press(tab, "Add number")
    assert title(tab) == "Number added"


def test_a_doubt_is_not_carried_to_another_number(world: World) -> None:
    tab = manual_path("+1 555 555 1212", world.sip)
    tab.checkbox[0].check().run()
    tab.text_input(key="add_number").set_value("+1 555 555 1213").run()
    assert not tab.checkbox
    press(tab, NEXT)
    assert tab.checkbox
    assert not tab.checkbox[0].value


def test_a_number_on_record_is_refused_without_naming_its_tenant(world: World, stock: Stock) -> None:
    for number in ("+1 305 555 2671", "+1 415 555 2671"):
        tab = manual_path(number, world.sip)
        assert texts(tab, "error") == [f"{number} already exists. A number can be added only once."]
        assert "Other" not in " ".join(texts(tab))
        assert entered(tab) == (number, world.sip)


def test_a_number_taken_while_it_was_configured_is_refused(session: Session, world: World) -> None:
    first, second = manual_path("+14155552671", world.sip), manual_path("+14155552671", world.sip, "admin")
    press(first, "Add number")
    second.text_input(key="add_label").set_value("Mine")
    press(second, "Add number")
    assert not second.exception
    assert texts(second, "error") == ["+1 415 555 2671 already exists. A number can be added only once."]
    assert second.text_input(key="add_label").value == "Mine"
    assert db.numbers.queries.count(session, Scope(None), numbers.NumberQuery()) == 1


def test_a_refused_configuration_keeps_everything_that_was_typed(session: Session, world: World) -> None:
    tab = manual_path("080 4718 1234", world.mcube)
    label = "x" * 200
    tab.text_input(key="add_label").set_value(label)
    tab.selectbox(key="add_agent").set_value(world.second_agent)
    tab.multiselect(key="add_inbound").set_value(["IN", "SG"])
    tab.multiselect(key="add_outbound").set_value(["IN"])
    tab.text_input(key="add_field_executive_number").set_value("98")

    def kept() -> list[object]:
        return [
            tab.text_input(key="add_label").value,
            tab.selectbox(key="add_agent").value,
            tab.multiselect(key="add_inbound").value,
            tab.multiselect(key="add_outbound").value,
        ]

    press(tab, "Add number")
    assert not tab.exception
    assert texts(tab, "error") == ["A label has at most 64 characters; this one has 200."]
    assert kept() == [label, world.second_agent, ["IN", "SG"], ["IN"]]
    tab.text_input(key="add_label").set_value("Short")
    press(tab, "Add number")
    assert texts(tab, "error") == ["An executive number has 4 to 15 digits, with or without a leading +."]
    assert tab.text_input(key="add_field_executive_number").value == "98"
    assert kept() == ["Short", world.second_agent, ["IN", "SG"], ["IN"]]
    assert db.numbers.queries.count(session, Scope(None), numbers.NumberQuery()) == 0


def test_going_back_and_forth_loses_nothing(world: World) -> None:
    tab = manual_path("080 4718 1234", world.mcube)
    tab.text_input(key="add_label").set_value("Bengaluru desk")
    tab.text_input(key="add_field_executive_number").set_value("9876543210")
    press(tab, "Back")
    assert entered(tab) == ("080 4718 1234", world.mcube)
    press(tab, NEXT)
    assert tab.text_input(key="add_label").value == "Bengaluru desk"
    assert tab.text_input(key="add_field_executive_number").value == "9876543210"


def test_purchase_is_offered_only_with_an_active_twilio_connection(world: World) -> None:
    assert "Purchase from Twilio" in buttons(visit(signed_in("operator"), "add_number.py"))
    tab = visit(signed_in("stranger"), "add_number.py")
    assert "Purchase from Twilio" not in buttons(tab)
    assert any("add a Twilio telephony connection first" in text for text in texts(tab, "caption"))


@pytest.mark.parametrize(("username", "leads"), [("operator", False), ("admin", True)])
def test_without_a_connection_who_may_add_one_is_led_there(
    username: str, leads: bool, session: Session, world: World
) -> None:
    session.execute(sa.update(Connection).values(is_active=False))
    session.commit()
    tab = press(visit(signed_in(username), "add_number.py"), "Add manually")
    (warning,) = texts(tab, "warning")
    assert warning.startswith("This tenant has no active telephony connection.")
    assert warning.endswith("Add one first.") == leads
    assert any("connections" in link for link in links(tab)) == leads


def test_leaving_the_wizard_forgets_it(world: World) -> None:
    tab = manual_path("+14155552671", world.sip)
    visit(tab, "numbers.py")
    visit(tab, "add_number.py")
    assert "Add manually" in buttons(tab)
    press(tab, "Add manually")
    assert entered(tab) == ("", None)


@pytest.mark.parametrize(("reading", "e164"), [("🇺🇸 United States", "+14792345678"), ("🇳🇴 Norway", "+4792345678")])
def test_a_number_with_two_readings_is_added_as_the_one_that_is_clicked(
    session: Session, world: World, reading: str, e164: str
) -> None:
    tab = manual_path("4792345678", world.twilio)
    assert not texts(tab, "error")
    assert any("can be" in text and "Write it with" in text for text in texts(tab, "warning"))
    assert not tab.checkbox
    press(tab, f"Use {numbering.display(e164)} · {reading}")
    assert not tab.exception
    assert "Step 2 of 2" in texts(tab, "caption")
    press(tab, "Add number")
    assert title(tab) == "Number added"
    (row,) = db.numbers.queries.search(session, Scope(world.tenant), numbers.NumberQuery(), Slice())
    assert row.e164 == e164


def test_the_number_that_was_shown_is_added_though_its_connection_changed_meanwhile(
    session: Session, world: World
) -> None:
    tab = manual_path("(415) 555-2671", world.twilio)
    session.execute(sa.update(Connection).where(Connection.id == world.twilio).values(default_country="AT"))
    session.commit()
    press(tab, "Add number")
    (row,) = db.numbers.queries.search(session, Scope(world.tenant), numbers.NumberQuery(), Slice())
    assert row.e164 == "+14155552671"
