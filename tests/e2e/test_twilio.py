"""The Twilio path against the sandbox: buy, import, release, and an answer that is lost."""

import re
from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import expect

from tests.e2e.conftest import Twilio, Visitor
from tests.e2e.console import Console

pytestmark = pytest.mark.e2e


def at_search(tab: Console) -> None:
    tab.open("/add-number")
    tab.button("Purchase from Twilio").click()
    expect(tab.heading("Search available numbers")).to_be_visible()


def choose_one(tab: Console) -> str:
    """Search, select the first number that is for sale, and go on; return the number as shown."""
    at_search(tab)
    tab.press("Search available")
    number = tab.rows()[0][0]
    tab.select_row(0)
    tab.page.get_by_role("button", name=re.compile("^Continue with")).click()
    expect(tab.heading("Configure number")).to_be_visible()
    return number


def confirm(tab: Console, action: str, confirmation: str) -> None:
    tab.button(action).click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("webhook")
    dialog.get_by_role("button", name=confirmation, exact=True).click()


def test_a_number_is_bought_from_the_list_to_its_page(visitor: Visitor) -> None:
    tab = visitor("operator").open()
    tab.button("Add number").click()
    tab.button("Purchase from Twilio").click()
    expect(tab.page.get_by_role("tab", name="In your Twilio account")).to_be_visible()
    number = choose_one(tab)
    expect(tab.page.get_by_text("Twilio webhook configuration")).to_be_visible()
    expect(tab.page.get_by_text("a month")).to_be_visible()
    tab.field("Label (name)").fill("Bought today")
    tab.choose("Inbound call agent", "Maya (sales)")
    tab.button("Purchase & configure").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Twilio will charge")
    expect(dialog).to_contain_text("https://voice.example.com/inbound")
    dialog.get_by_role("button", name="Cancel").click()
    expect(tab.field("Label (name)")).to_have_value("Bought today")
    confirm(tab, "Purchase & configure", "Confirm purchase")
    expect(tab.heading("Number added")).to_be_visible()
    tab.button("View number").click()
    expect(tab.page.locator("h1")).to_contain_text(number)
    expect(tab.page.get_by_text("Bought today · Twilio")).to_be_visible()
    expect(tab.page.get_by_text("Olga Operator bought the number")).to_be_visible()
    tab.expect_no_error()


def test_an_import_shows_the_webhooks_that_it_replaces_and_they_can_be_restored(visitor: Visitor) -> None:
    tab = visitor("operator")
    at_search(tab)
    with tab.rerun():
        tab.page.get_by_role("tab", name="In your Twilio account").click()
    tab.press("Load my Twilio numbers")
    expect(tab.button("Refresh")).to_be_visible()
    assert not any("Already imported" in cell for row in tab.rows() for cell in row)
    with tab.rerun():
        tab.page.get_by_role("radio", name="All", exact=True).click()
    assert any("Already imported" in cell for row in tab.rows() for cell in row)
    with tab.rerun():
        tab.field("Filter").fill("+1202")
        tab.field("Filter").press("Enter")
    rows = tab.rows()
    elsewhere = next(i for i, row in enumerate(rows) if any("ivr.example.net" in cell for cell in row))
    assert any("Not in app yet" in cell for cell in rows[elsewhere])
    tab.select_row(elsewhere)
    tab.page.get_by_role("button", name=re.compile("^Continue with")).click()
    tab.button("Import & configure").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("will be replaced")
    shown = " ".join(cell for row in tab.rows() for cell in row)
    assert "https://ivr.example.net/voice" in shown or "ivr.example.net" in dialog.inner_text()
    dialog.get_by_role("button", name="Confirm import").click()
    expect(tab.heading("Number added")).to_be_visible()
    tab.button("View number").click()
    replace(tab, "Restore previous", "https://ivr.example.net/voice")
    expect(tab.page.get_by_text("Olga Operator changed the webhooks at the provider")).to_have_count(1)
    replace(tab, "Configure webhooks on Twilio", "https://ivr.example.net/voice")
    expect(tab.page.get_by_text("Olga Operator changed the webhooks at the provider")).to_have_count(2)
    expect(tab.page.get_by_text("Previously: Voice URL https://ivr.example.net/voice")).to_be_visible()
    expect(tab.button("Restore previous")).to_be_visible()
    tab.button("Read from Twilio").click()
    expect(tab.page.get_by_text("Same at Twilio")).to_have_count(2)
    tab.expect_no_error()


def replace(tab: Console, action: str, shown: str) -> None:
    """Press *action* without having read what is at Twilio; see *shown* in what will be replaced, and confirm."""
    tab.settle().press(action)
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("in the account of Twilio main")
    expect(dialog).to_contain_text(shown)
    dialog.get_by_role("button", name="Replace", exact=True).click()
    expect(dialog).to_have_count(0)
    tab.settle()


def test_webhooks_that_were_set_elsewhere_are_found_by_re_sync_and_set_to_ours(
    visitor: Visitor, twilio: Twilio
) -> None:
    tab = visitor("operator")
    choose_one(tab)
    confirm(tab, "Purchase & configure", "Confirm purchase")
    expect(tab.heading("Number added")).to_be_visible()
    tab.button("View number").click()
    expect(tab.page.locator("h1")).to_contain_text("+")
    e164 = "+" + "".join(filter(str.isdigit, tab.page.locator("h1").inner_text()))
    (there,) = twilio("GET", PhoneNumber=e164)["incoming_phone_numbers"]
    twilio("POST", f"/{there['sid']}", VoiceUrl="")
    tab.settle().press("Re-sync from Twilio")
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("At Twilio: —")
    dialog.get_by_role("button", name="Configure webhooks on Twilio").click()
    expect(dialog).to_contain_text("will be replaced")
    expect(dialog).to_contain_text("none")
    dialog.get_by_role("button", name="Replace", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(tab.page.get_by_text("Previously: Voice URL none")).to_be_visible()
    assert twilio("GET", f"/{there['sid']}")["voice_url"] == "https://voice.example.com/inbound"
    replace(tab, "Restore previous", "none")
    assert twilio("GET", f"/{there['sid']}")["voice_url"] == ""
    twilio("DELETE", f"/{there['sid']}")
    tab.settle().press("Re-sync from Twilio")
    expect(dialog).to_contain_text("Nothing changes at Twilio")
    marks = dialog.get_by_role("button", name="Mark as released")
    expect(marks).to_be_disabled()
    dialog.get_by_role("textbox", name="Reason").fill("Given back in Twilio's console")
    expect(marks).to_be_enabled()
    marks.click()
    expect(tab.page.get_by_text("Olga Operator marked the number as released")).to_be_visible()
    expect(tab.page.get_by_text("Reason: Given back in Twilio's console")).to_be_visible()
    tab.open("/activity?activity_action=Numbers%3A+released+the+number")
    expect(tab.page.get_by_text("marked the number as released").first).to_be_visible()
    tab.expect_no_error()


def test_a_trunk_loses_the_calls_only_when_that_was_agreed_to(visitor: Visitor, sandbox_port: int) -> None:
    def reach() -> str:
        address = f"http://127.0.0.1:{sandbox_port}/reach"
        return str(requests.get(address, params={"number": "+61863225190"}, timeout=5).json()["reach"])

    trunk = reach()
    assert trunk.startswith("TK")
    tab = visitor("operator")
    at_search(tab)
    with tab.rerun():
        tab.page.get_by_role("tab", name="In your Twilio account").click()
    tab.press("Load my Twilio numbers")
    with tab.rerun():
        tab.field("Filter").fill("+61863225190")
        tab.field("Filter").press("Enter")
    tab.select_row(0)
    tab.page.get_by_role("button", name=re.compile("^Continue with")).click()
    dialog = tab.page.get_by_role("dialog")
    tab.button("Import & configure").click()
    expect(dialog).to_contain_text(f"Stop routing by trunk {trunk}")
    dialog.get_by_role("button", name="Confirm import").click()
    expect(tab.page.get_by_text("Confirm that this routing stops")).to_be_visible()
    assert reach() == trunk
    tab.button("Import & configure").click()
    with tab.rerun():
        dialog.get_by_text(f"Stop routing by trunk {trunk}").click()
    dialog.get_by_role("button", name="Confirm import").click()
    expect(tab.heading("Number added")).to_be_visible()
    assert reach() == "POST https://voice.example.com/inbound"
    tab.button("View number").click()
    tab.button("Read from Twilio").click()
    tab.button("Restore previous").click()
    expect(dialog).to_contain_text(trunk)
    dialog.get_by_role("button", name="Replace").click()
    expect(tab.page.get_by_text("Olga Operator changed the webhooks at the provider")).to_be_visible()
    assert reach() == trunk
    tab.button("Read from Twilio").click()
    expect(tab.page.get_by_text(f"Routed by trunk {trunk}")).to_be_visible()
    tab.expect_no_error()


def test_a_purchase_whose_answer_is_lost_settles_itself(visitor: Visitor, fault: Callable[..., None]) -> None:
    tab = visitor("operator")
    number = choose_one(tab)
    fault(kind="drop_after", method="POST", path="/IncomingPhoneNumbers")
    confirm(tab, "Purchase & configure", "Confirm purchase")
    expect(tab.heading("Number added")).to_be_visible()
    tab.open(f"/?status=Active&search={number.replace('+', '%2B').replace(' ', '+')}")
    tab.expect_numbers([number])


def test_a_purchase_that_did_not_happen_says_so_and_costs_nothing(visitor: Visitor, fault: Callable[..., None]) -> None:
    tab = visitor("operator")
    choose_one(tab)
    fault(kind="error", method="POST", path="/IncomingPhoneNumbers", status=400, code=21422)
    confirm(tab, "Purchase & configure", "Confirm purchase")
    expect(tab.page.get_by_text("someone else has it")).to_be_visible()
    tab.button("Back").click()
    expect(tab.heading("Search available numbers")).to_be_visible()


def test_a_release_lists_what_is_attached_and_is_typed_to_confirm(visitor: Visitor) -> None:
    tab = visitor("operator").open("/?managed=Twilio-managed&status=Active&sort=Oldest+first&connection=Twilio+main")
    tab.open_row(0)
    shown = tab.page.locator("h1").inner_text().split("+")[1]
    tab.button("Release number").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("billing")
    expect(dialog).to_contain_text("You can buy it back until")
    expect(dialog.get_by_role("button", name="Release", exact=True)).to_be_disabled()
    dialog.get_by_role("textbox").fill(f"+{shown}")
    dialog.get_by_role("button", name="Release", exact=True).click()
    expect(tab.page.get_by_text("Olga Operator released the number")).to_be_visible()
    expect(tab.page.get_by_text("can be bought back until").first).to_be_visible()
    released = tab.page.url
    tab.settle().press("Buy back")
    expect(dialog).to_contain_text("Twilio will charge")
    expect(dialog).to_contain_text("It is not added back to campaigns.")
    dialog.get_by_role("button", name="Buy back").click()
    expect(dialog).to_have_count(0)
    expect(tab.page.get_by_text("Olga Operator bought the number back")).to_be_visible()
    assert tab.page.url == released
    expect(tab.page.get_by_text("Olga Operator released the number")).to_be_visible()
    expect(tab.page.get_by_role("button", name="Deactivate")).to_be_visible()
    tab.expect_no_error()
