"""Journeys behind the numbers: a connection is tested, a campaign gets a number that then knows its campaign."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.console import Console

pytestmark = pytest.mark.e2e


def click_row(tab: Console, index: int) -> None:
    """Click what names a row of the page's list."""
    tab.row(index).get_by_role("rowheader").locator("a, button").click()


def test_a_connection_is_tested_at_the_provider(visitor: Visitor) -> None:
    tab = visitor("admin").open("/connections")
    index = [row[0] for row in tab.rows()].index("Twilio main")
    click_row(tab, index)
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Used by")
    expect(dialog.get_by_role("textbox", name="Auth token")).to_have_value("")
    expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    dialog.get_by_role("button", name="Test connection").click()
    expect(dialog).to_contain_text("Passed just now")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    tab.settle()
    assert tab.rows()[index][-1].startswith("Passed")
    tab.expect_no_error()


def test_a_campaign_gets_a_number_that_then_shows_the_campaign(visitor: Visitor) -> None:
    tab = visitor("operator").open("/campaigns")
    tab.press("Add campaign")
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("Autumn offers")
    dialog.get_by_role("button", name="Add campaign").click()
    expect(tab.page).to_have_url(re.compile(r"/campaign\?id=\d+"))
    expect(tab.page.locator("h1")).to_contain_text("Autumn offers")
    tab.settle().press("Add numbers")
    dialog.get_by_role("searchbox", name="Search numbers").fill("212")
    dialog.get_by_role("row").nth(1).get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Add 1 number").click()
    expect(dialog).to_have_count(0)
    expect(tab.page.get_by_text("1 number in its pool")).to_be_visible()
    (row,) = tab.settle().rows()
    click_row(tab, 0)
    expect(tab.page.locator("h1")).to_contain_text(row[0])
    assert [cells[0] for cells in tab.settle().rows()] == ["Autumn offers"]
    tab.expect_no_error()
    tab.page.go_back()
    expect(tab.page.locator("h1")).to_contain_text("Autumn offers")


def test_a_number_that_nobody_ticked_does_not_join_the_pool(visitor: Visitor) -> None:
    tab = visitor("operator").open("/campaigns").press("Add campaign")
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("Ticked by hand")
    dialog.get_by_role("button", name="Add campaign").click()
    expect(tab.page.locator("h1")).to_contain_text("Ticked by hand")
    tab.settle().press("Add numbers")
    box = dialog.get_by_role("searchbox", name="Search numbers")

    def found(text: str, begin: str) -> list[str]:
        box.fill(text)
        expect(dialog.get_by_role("rowheader").first).to_contain_text(begin)
        return dialog.get_by_role("rowheader").all_inner_texts()

    def tick(row: int) -> None:
        dialog.get_by_role("row").nth(row + 1).get_by_role("checkbox").check()

    first = found("+1212", "+1 212")
    tick(1)
    expect(dialog.get_by_role("button", name="Add 1 number")).to_be_enabled()
    second = found("+1305", "+1 305")
    assert not set(first) & set(second)
    expect(dialog.get_by_text("1 selected, 1 of them not shown")).to_be_visible()
    tick(0)
    expect(dialog.get_by_role("button", name="Add 2 numbers")).to_be_enabled()
    dialog.get_by_role("button", name="Clear selection", exact=True).click()
    expect(dialog.get_by_role("button", name="Add numbers")).to_be_disabled()
    tick(2)
    expect(dialog.get_by_role("button", name="Add 1 number")).to_be_enabled()
    found("+1212", "+1 212")
    tick(0)
    dialog.get_by_role("button", name="Add 2 numbers").click()
    expect(dialog).to_have_count(0)
    assert set(tab.settle().numbers()) == {first[0], second[2]}
    tab.expect_no_error()


def test_a_connection_is_added_with_secrets_that_do_not_come_back(visitor: Visitor) -> None:
    tab = visitor("admin").open("/connections").press("Add connection")
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Provider").click()
    tab.page.get_by_role("option", name="Twilio", exact=True).click()
    dialog.get_by_role("textbox", name="Name").fill("Twilio of our own")
    dialog.get_by_role("textbox", name="Account SID").fill("AC" + "1" * 32)
    dialog.get_by_role("textbox", name="Auth token").fill("2" * 32)
    dialog.get_by_role("textbox", name="Voice URL").fill("http://voice.example.com")
    dialog.get_by_role("button", name="Add connection").click()
    expect(dialog).to_contain_text("The Voice URL must be an address that starts with https://.")
    dialog.get_by_role("textbox", name="Voice URL").fill("https://voice.example.com")
    dialog.get_by_role("button", name="Add connection").click()
    expect(dialog.get_by_role("heading", name="Twilio of our own")).to_be_visible()
    expect(dialog.get_by_role("textbox", name="Auth token")).to_have_value("")
    assert "2" * 32 not in tab.page.content()
    dialog.get_by_role("button", name="Delete").click()
    tab.page.get_by_role("button", name="Delete connection").click()
    expect(dialog).to_have_count(0)
    assert "Twilio of our own" not in [row[0] for row in tab.settle().rows()]
    tab.expect_no_error()


def test_of_two_who_rename_an_agent_the_second_is_told(visitor: Visitor) -> None:
    first, second = visitor("operator").open("/agents"), visitor("admin").open("/agents")
    index = [row[0] for row in first.rows()].index("Nora (billing)")
    for tab in (first, second):
        click_row(tab, index)
    for tab, name in ((first, "Nora (invoices)"), (second, "Nora (payments)")):
        dialog = tab.page.get_by_role("dialog")
        dialog.get_by_role("textbox", name="Name").fill(name)
        dialog.get_by_role("button", name="Save").click()
        if tab is first:
            expect(dialog).to_have_count(0)
    expect(dialog).to_contain_text("Someone else changed this agent. Your change was not saved.")
    expect(dialog).to_contain_text("Nora (invoices)")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    assert "Nora (payments)" in [row[0] for row in second.settle().rows()]
