"""The manual path, from signing in to the history of the new number."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.console import LISTING

pytestmark = pytest.mark.e2e

CHOOSE = "Select a tenant to view and manage phone numbers."


def test_a_partner_registers_an_mcube_line_and_renames_it(visitor: Visitor) -> None:
    tab = visitor().open().sign_in("partner")
    expect(tab.page.get_by_text(CHOOSE)).to_be_visible()
    expect(tab.page.locator(LISTING)).to_have_count(0)
    tab.choose_tenant("Bharat Dialers")
    tab.expect_count("numbers")
    count = tab.count()

    tab.button("Add number").click()
    expect(tab.heading("Add phone number")).to_be_visible()
    expect(tab.page.get_by_role("link", name="Back to the list")).to_be_visible()
    tab.button("Add manually").click()
    expect(tab.page.get_by_text("Step 1 of 2")).to_be_visible()
    forward = tab.button("Next: Configure number")
    expect(forward).to_be_disabled()
    tab.field("Phone number (E.164)").fill("080 4718 1234")
    expect(forward).to_be_disabled()
    tab.choose("Telephony connection", "mCube Bengaluru · mCube")
    expect(forward).to_be_enabled()
    expect(tab.field("Phone number (E.164)")).to_have_value("080 4718 1234")
    forward.click()

    expect(tab.page.get_by_text("Step 2 of 2")).to_be_visible()
    tab.field("Label (name)").fill("Bengaluru desk")
    tab.button("Add number").click()
    expect(tab.page.get_by_text("Enter the executive number.")).to_be_visible()
    expect(tab.field("Label (name)")).to_have_value("Bengaluru desk")
    tab.field("Executive number").fill("9876543210")
    tab.choose("Inbound call agent", "Dev (sales)")
    tab.choose("Allowed inbound countries", "🇮🇳 India")
    tab.button("Add number").click()

    expect(tab.heading("Number added")).to_be_visible()
    expect(tab.page.get_by_text("Phone number added")).to_be_visible()
    for name in ("Go to campaigns", "Add another"):
        expect(tab.button(name)).to_be_visible()
    tab.button("View number").click()
    expect(tab.page.locator("h1")).to_contain_text("+91 80 4718 1234")
    expect(tab.page.get_by_text("Bengaluru desk · mCube · 🇮🇳 India · Local")).to_be_visible()
    expect(tab.field("Executive number")).to_have_value("9876543210")

    tab.save_label("Whitefield desk")
    expect(tab.page.get_by_text("Whitefield desk · mCube")).to_be_visible()
    main = tab.page.locator("[data-testid=stMain]")
    expect(main.get_by_text("Pia Partner changed the label")).to_be_visible()
    expect(main.get_by_text("Label: Bengaluru desk → Whitefield desk")).to_be_visible()
    expect(main.get_by_text("Pia Partner added the number")).to_be_visible()

    tab.page.get_by_role("link", name="Phone numbers").last.click()
    tab.expect_count(f"of {count + 1} numbers")
    assert tab.rows()[0][:5] == [
        "+91 80 4718 1234",
        "Active",
        "Dev (sales)",
        "mCube Bengaluru · mCube",
        "Whitefield desk",
    ]
    tab.expect_no_error()


def test_a_number_on_record_is_refused_and_what_was_typed_stays(visitor: Visitor) -> None:
    tab = visitor("operator").open()
    taken = tab.numbers()[0]
    tab.button("Add number").click()
    tab.button("Add manually").click()
    tab.field("Phone number (E.164)").fill(taken)
    tab.choose("Telephony connection", "SIP trunk Denver · Generic SIP")
    tab.button("Next: Configure number").click()
    expect(tab.page.get_by_text(f"{taken} already exists.")).to_be_visible()
    expect(tab.field("Phone number (E.164)")).to_have_value(taken)
    tab.field("Phone number (E.164)").fill("+1 555 555 1212")
    expect(tab.page.get_by_text("already exists")).to_have_count(0)
    tab.button("Next: Configure number").click()
    expect(tab.page.get_by_text("If you are sure, use it anyway")).to_be_visible()
    with tab.rerun():
        tab.page.get_by_text("Use this number anyway").click()
    tab.button("Next: Configure number").click()
    expect(tab.page.get_by_text("Step 2 of 2")).to_be_visible()
