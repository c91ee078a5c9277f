"""A number's page and its edit page: who sees it, what a save does, and what someone else's save does to it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from components.ui.markdown import plain
from db.models import NumberStatus, PhoneNumber
from providers.sandbox.server import Sandbox
from services.numbers import numbers, registration
from services.people.sign_in import ALL_TENANTS
from tests.conftest import World
from tests.pages.conftest import Stock
from tests.pages.tab import buttons, links, press, save, signed_in, texts, title, visit

PAGES = ("number.py", "edit_number.py")
CONFLICT = "Someone else changed this number. Your change was not saved."


def forged(stock: Stock) -> dict[str, str | list[str]]:
    return {
        "another tenant's": str(stock.others),
        "nonexistent": "4711",
        "none": "",
        "a word": "abc",
        "negative": "-1",
        "zero": "0",
        "huge": "9" * 5000,
        "beyond an integer": str(2**31),
        "the largest": str(2**31 - 1),
        "a fraction": "1.0",
        "spaces": f" {stock.sales} ",
        "foreign digits": "１",
        "SQL": f"{stock.sales} OR 1=1",
        "a null": f"{stock.sales}\x00",
    }


@pytest.mark.parametrize("page", PAGES)
def test_a_forged_id_gets_the_same_answer_whatever_it_is(
    page: str, world: World, stock: Stock, subtests: pytest.Subtests
) -> None:
    tab = signed_in("operator")
    answers = set()
    for name, number_id in forged(stock).items():
        with subtests.test(id=name):
            visit(tab, page, id=number_id)
            assert not tab.exception
            assert texts(tab, "warning") == ["Resource not available"]
            assert "Back to the list" in links(tab)
            assert not tab.text_input
            answers.add(repr(tab.main))
    assert len(answers) == 1


def test_a_page_without_an_id_is_not_available(world: World, stock: Stock) -> None:
    for page in PAGES:
        assert texts(visit(signed_in("operator"), page), "warning") == ["Resource not available"]


def test_every_section_is_saved_by_itself(session: Session, world: World, stock: Stock) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.mumbai))

    def now() -> numbers.NumberRow:
        session.rollback()
        return numbers.get(session, world.operator, stock.mumbai)

    tab.text_input(key="number_label").set_value("  Pune  ")
    save(tab, "label")
    assert texts(tab, "toast") == ["Saved."]
    tab.selectbox(key="number_agent").set_value(world.agent)
    save(tab, "agent")
    tab.multiselect(key="number_inbound").set_value(["IN", "AE"])
    save(tab, "inbound")
    tab.multiselect(key="number_outbound").set_value(["IN"])
    save(tab, "outbound")
    tab.text_input(key="provider_field_executive_number").set_value("9876500002")
    save(tab, "provider_fields")
    tab.text_area(key="number_notes").set_value("Ask Maya first.")
    save(tab, "tags_and_notes")
    assert not tab.exception
    found = now()
    assert (found.label, found.agent, found.allowed_inbound, found.allowed_outbound, found.notes) == (
        "Pune",
        "Maya",
        ["AE", "IN"],
        ["IN"],
        "Ask Maya first.",
    )
    assert found.provider_fields == {"executive_number": "9876500002"}
    tab.selectbox(key="number_connection").set_value(world.sip).run()
    tab.button(key="save_configuration").click().run()
    assert not tab.exception
    found = now()
    assert (found.connection, found.provider_fields) == ("SIP", {})


def test_a_refused_save_says_why_and_keeps_what_was_typed(session: Session, world: World, stock: Stock) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.mumbai))
    tab.text_input(key="number_label").set_value("x" * 200)
    save(tab, "label")
    assert texts(tab, "error") == ["A label has at most 64 characters; this one has 200."]
    assert tab.text_input(key="number_label").value == "x" * 200
    tab.text_input(key="provider_field_executive_number").set_value("12")
    save(tab, "provider_fields")
    assert texts(tab, "error") == ["An executive number has 4 to 15 digits, with or without a leading +."]
    assert tab.text_input(key="provider_field_executive_number").value == "12"
    assert numbers.get(session, world.operator, stock.mumbai).label == "Mumbai"


def test_a_change_is_told_in_the_history_with_who_made_it(world: World, stock: Stock) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.sales))
    tab.text_input(key="number_label").set_value("Front *desk*")
    save(tab, "label")
    assert "**Operator** changed the label" in texts(tab, "markdown")
    assert "Label: Sales → **Front \\*desk\\***" in texts(tab, "caption")


@pytest.mark.parametrize("page", PAGES)
def test_a_save_by_somebody_else_in_between_is_noticed(page: str, session: Session, world: World, stock: Stock) -> None:
    tab = visit(signed_in("operator"), page, id=str(stock.sales))
    version = numbers.get(session, world.admin, stock.sales).version
    numbers.rename(session, world.admin, stock.sales, "Theirs", version=version)
    tab.text_input(key="number_label").set_value("Mine")
    save(tab, "label")
    assert not tab.exception
    assert texts(tab, "error") == [CONFLICT]
    assert "Changed by someone else:" in texts(tab, "markdown")
    assert "**Admin** changed the label" in texts(tab, "markdown")
    assert "Label: Sales → **Theirs**" in texts(tab, "caption")
    assert tab.text_input(key="number_label").value == "Mine"
    session.rollback()
    assert numbers.get(session, world.admin, stock.sales).label == "Theirs"
    save(tab, "label")
    assert not texts(tab, "error")
    session.rollback()
    assert numbers.get(session, world.admin, stock.sales).label == "Mine"


def test_after_a_conflict_the_other_sections_show_what_the_other_saved(
    session: Session, world: World, stock: Stock
) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.sales))
    version = numbers.get(session, world.admin, stock.sales).version
    version = numbers.assign_agent(session, world.admin, stock.sales, world.second_agent, version=version)
    numbers.set_tags_and_notes(session, world.admin, stock.sales, ["vip"], "Theirs", version=version)
    tab.text_input(key="number_label").set_value("Mine")
    save(tab, "label")
    assert texts(tab, "error") == [CONFLICT]
    assert tab.text_input(key="number_label").value == "Mine"
    assert tab.selectbox(key="number_agent").value == world.second_agent
    assert tab.text_area(key="number_notes").value == "Theirs"
    assert tab.multiselect(key="number_tags").value == ["vip"]
    save(tab, "label")
    session.rollback()
    found = numbers.get(session, world.admin, stock.sales)
    assert (found.label, found.agent, found.notes) == ("Mine", "Leo", "Theirs")


def test_a_conflict_of_provider_fields_of_keeps_what_was_typed(session: Session, world: World, stock: Stock) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.mumbai))
    version = numbers.get(session, world.admin, stock.mumbai).version
    fields = {"executive_number": "9876500009"}
    numbers.set_provider_fields(session, world.admin, stock.mumbai, fields, version=version)
    tab.text_input(key="provider_field_executive_number").set_value("9876500008")
    save(tab, "provider_fields")
    assert texts(tab, "error") == [CONFLICT]
    assert tab.text_input(key="provider_field_executive_number").value == "9876500008"


def test_provider_fields_of_changed_by_somebody_else_are_shown_after_a_conflict(
    session: Session, world: World, stock: Stock
) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.mumbai))
    version = numbers.get(session, world.admin, stock.mumbai).version
    fields = {"executive_number": "9876500009"}
    numbers.set_provider_fields(session, world.admin, stock.mumbai, fields, version=version)
    tab.text_input(key="number_label").set_value("Mine")
    save(tab, "label")
    assert tab.text_input(key="provider_field_executive_number").value == "9876500009"


def test_a_number_removed_meanwhile_cannot_be_changed(session: Session, world: World, stock: Stock) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.sales))
    version = numbers.get(session, world.admin, stock.sales).version
    numbers.remove(session, world.admin, stock.sales, version=version)
    tab.text_input(key="number_label").set_value("Mine")
    save(tab, "label")
    assert not tab.exception
    assert not tab.text_input
    assert "Restore to workspace" in buttons(tab)
    session.rollback()
    assert numbers.get(session, world.admin, stock.sales).label == "Sales"


def test_a_number_is_taken_out_of_use_and_put_back_into_it(session: Session, world: World, stock: Stock) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.sales))
    press(tab, "Deactivate")
    assert any("Nothing changes at Generic SIP: calls still reach it" in text for text in texts(tab, "markdown"))
    session.rollback()
    assert numbers.get(session, world.operator, stock.sales).status is NumberStatus.ACTIVE
    tab.text_input(key="deactivate_reason").set_value("Flagged as spam")
    press(tab, "Deactivate number")
    assert texts(tab, "toast") == ["Deactivated."]
    assert "Activate" in buttons(tab)
    assert "Reason: Flagged as spam" in " ".join(texts(tab, "caption"))
    session.rollback()
    assert numbers.get(session, world.operator, stock.sales).status is NumberStatus.INACTIVE
    press(tab, "Activate")
    assert "Deactivate" in buttons(tab)


def test_a_removed_number_is_read_only_and_can_be_put_back(session: Session, world: World, stock: Stock) -> None:
    numbers.remove(session, world.operator, stock.sales, version=1)
    for page in PAGES:
        tab = visit(signed_in("operator"), page, id=str(stock.sales))
        assert not tab.exception
        assert not tab.text_input
    tab = press(visit(signed_in("operator"), "number.py", id=str(stock.sales)), "Restore to workspace")
    assert texts(tab, "toast") == ["The number was restored. It is inactive and in no campaign."]
    assert tab.text_input(key="number_label").value == "Sales"


def test_until_when_a_number_can_be_bought_back_is_said_while_it_can(
    session: Session, world: World, stock: Stock
) -> None:
    number = session.get_one(PhoneNumber, stock.sales)
    number.status, number.released_at = NumberStatus.RELEASED, datetime.now(UTC)
    for days, said in ((1, True), (-1, False)):
        number.buy_back_until = datetime.now(UTC) + timedelta(days=days)
        session.commit()
        tab = visit(signed_in("operator"), "number.py", id=str(stock.sales))
        assert any("can be bought back until" in text for text in texts(tab, "caption")) is said
        assert ("Buy back" in buttons(tab)) is said


def test_removing_asks_first(session: Session, world: World, stock: Stock) -> None:
    tab = visit(signed_in("operator"), "number.py", id=str(stock.sales))
    press(tab, ":red[Remove from workspace]")
    assert {"Cancel", ":red[Remove]"} <= set(buttons(tab))
    session.rollback()
    assert numbers.get(session, world.operator, stock.sales).status is NumberStatus.ACTIVE


READERS: dict[str, Callable[[World], AppTest]] = {
    "a superadmin in all tenants": lambda world: signed_in("superadmin", ALL_TENANTS),
    "a superadmin in that tenant": lambda world: signed_in("superadmin", world.other_tenant),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_superadmin_saves_in_any_tenant(reader: str, session: Session, world: World, stock: Stock) -> None:
    tab = visit(READERS[reader](world), "number.py", id=str(stock.others))
    assert title(tab) == ":material/call: `+1 305 555 2671`"
    tab.text_input(key="number_label").set_value("Seen")
    save(tab, "label")
    assert not tab.exception
    assert numbers.get(session, world.stranger, stock.others).label == "Seen"


def test_an_exophone_is_compared_with_exotel(session: Session, world: World, sandbox: Sandbox) -> None:
    def exophone(e164: str, **fields: str) -> str:
        configuration = registration.Configuration(provider_fields=fields)
        return str(registration.register(session, world.operator, e164, world.exotel, configuration))

    number = exophone("+918047180001", exophone_sid="exo-1")
    tab = press(visit(signed_in("operator"), "number.py", id=number), "Re-sync from Exotel")
    assert not tab.exception
    assert f"Here: {plain('https://voice.example.com/in')}" in " ".join(texts(tab, "markdown"))
    tab = press(visit(signed_in("operator"), "number.py", id=number), "Configure webhooks on Exotel")
    assert not tab.exception
    assert "Replace" in buttons(tab)
    without = exophone("+918047180009")
    assert "Re-sync from Exotel" not in buttons(visit(signed_in("operator"), "number.py", id=without))
