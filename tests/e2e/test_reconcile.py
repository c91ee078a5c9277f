"""Reconcile against the sandbox: what is done in Twilio's own console is found here, and put right by choice."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Twilio, Visitor
from tests.e2e.console import Console
from tests.e2e.test_layout import expect_no_sideways_scroll

pytestmark = pytest.mark.e2e


def compare(tab: Console, *found: str) -> None:
    """Compare, and see that exactly the sections *found* are there."""
    button = tab.page.locator(".st-key-reconcile_compare button")
    with tab.rerun():
        button.click()
    expect(button).to_be_enabled()
    expect(tab.page.get_by_text("in the account at Twilio")).to_be_visible()
    for section in (
        "Only in Numberdesk",
        "Different label",
        "Different SID",
        "Different webhooks",
        "Only in Twilio",
    ):
        expect(tab.page.get_by_role("table", name=section)).to_have_count(int(section in found))
    expect(tab.page.get_by_text("Nothing to reconcile: 1 number compared")).to_have_count(int(not found))


def do(tab: Console, action: str, confirmation: str, shown: str) -> None:
    """Select the first row, confirm what the dialog shows, and see the job that does it."""
    tab.select_row(0)
    tab.button(action).click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text(shown)
    expect(dialog).to_contain_text("Twilio main · Twilio")
    if confirmation == "Mark as released":
        expect(dialog.get_by_role("button", name=confirmation)).to_be_disabled()
        dialog.get_by_role("textbox", name="Reason").fill("Given back in Twilio's console")
        expect(dialog.get_by_role("button", name=confirmation)).to_be_enabled()
    dialog.get_by_role("button", name=confirmation, exact=True).dblclick()
    expect(tab.page.get_by_text("Done", exact=True)).to_be_visible(timeout=20_000)
    expect(tab.page.get_by_role("row").nth(1)).to_contain_text("Changed")
    with tab.rerun():
        tab.page.get_by_role("link", name="Reconcile", exact=True).click()
    expect(tab.page.get_by_text("1 number given to jobs since this comparison")).to_be_visible()


def test_what_was_done_at_twilio_is_found_and_put_right(visitor: Visitor, twilio: Twilio) -> None:
    owned = twilio("GET", PhoneNumber="+9180", PageSize="20")["incoming_phone_numbers"]
    number = next(row for row in owned if "ivr.example.net" in row["voice_url"])
    sid, e164 = number["sid"], number["phone_number"]
    tab = visitor("operator").open(f"/reconcile?reconcile_number={e164.replace('+', '%2B')}")
    compare(tab, "Only in Twilio")
    do(tab, "Import 1 number", "Import", "will be replaced")
    assert twilio("GET", f"/{sid}")["voice_url"] == "https://voice.example.com/inbound"
    compare(tab)

    twilio("POST", f"/{sid}", FriendlyName="Renamed there", VoiceUrl="https://third.example.com/voice")
    compare(tab, "Different label", "Different webhooks")
    do(tab, "Use 1 label from Twilio", "Use values from Twilio", "replace those in Numberdesk")
    compare(tab, "Different webhooks")
    do(tab, "Send our webhooks to Twilio for 1 number", "Replace", "will be replaced")
    assert twilio("GET", f"/{sid}")["voice_url"] == "https://voice.example.com/inbound"
    compare(tab)

    twilio("POST", f"/{sid}", FriendlyName="Third name")
    compare(tab, "Different label")
    do(tab, "Send 1 label to Twilio", "Send labels to Twilio", "Nothing changes here")
    assert twilio("GET", f"/{sid}")["friendly_name"] == "Renamed there"
    compare(tab)

    twilio("DELETE", f"/{sid}")
    compare(tab, "Only in Numberdesk")
    do(tab, "Mark 1 number as released", "Mark as released", "Nothing changes at Twilio")
    tab.open(f"/?search={e164.replace('+', '%2B')}")
    tab.open_row(0)
    expect(tab.page.get_by_text("Olga Operator synced from the provider")).to_have_count(1)
    expect(tab.page.get_by_text("Olga Operator marked the number as released")).to_be_visible()
    expect(tab.page.get_by_text("Reason: Given back in Twilio's console")).to_be_visible()
    expect(tab.page.get_by_text("Renamed there").first).to_be_visible()
    tab.expect_no_error()


def test_a_comparison_is_kept_opened_again_and_fits_on_a_phone(visitor: Visitor) -> None:
    tab = visitor("operator", width=400).open("/reconcile")
    with tab.rerun():
        tab.page.locator(".st-key-reconcile_compare button").click()
    expect(tab.page.get_by_role("table", name="Only in Twilio")).to_be_visible(timeout=30_000)
    expect_no_sideways_scroll(tab)
    tab.page.set_viewport_size({"width": 1400, "height": 900})
    with tab.rerun():
        tab.page.get_by_role("link", name="Agents", exact=True).click()
    expect(tab.heading("Agents")).to_be_visible()
    with tab.rerun():
        tab.page.get_by_role("link", name="Reconcile", exact=True).click()
    expect(tab.page.get_by_role("table", name="Only in Twilio")).to_be_visible()
    tab.choose("Compare automatically", "Every night")
    expect(tab.page.get_by_text("is compared every night from now on")).to_be_visible()
    tab.open("/tenant-audit")
    finding = tab.page.locator(".st-key-finding_drift")
    expect(finding).to_contain_text("numbers that differ from the provider's account")
    with tab.rerun():
        finding.get_by_role("link", name="Reconcile").click()
    expect(tab.page.get_by_role("table", name="Only in Twilio")).to_be_visible()
    tab.open("/jobs")
    tab.page.get_by_role("link", name="Reconcile Twilio main").first.click()
    tab.page.get_by_role("link", name="Open in Reconcile").click()
    expect(tab.page.get_by_role("table", name="Only in Twilio")).to_be_visible()
    tab.expect_no_error()


def test_a_viewer_is_not_offered_the_page(visitor: Visitor) -> None:
    tab = visitor("viewer").open("/")
    expect(tab.page.get_by_role("link", name="Telephony connections")).to_be_visible()
    expect(tab.page.get_by_role("link", name="Reconcile")).to_have_count(0)
