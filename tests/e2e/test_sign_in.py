"""Signing in and out in a real browser, whose cookie outlives a tab."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.console import Console

pytestmark = pytest.mark.e2e


def test_a_deep_link_leads_through_the_sign_in_and_a_second_tab_needs_none(visitor: Visitor) -> None:
    tab = visitor().open("/number?id=5")
    expect(tab.button("Sign in")).to_be_visible()
    tab.sign_in("operator")
    expect(tab.page.get_by_text("History", exact=True)).to_be_visible()
    assert tab.query["id"] == ["5"]
    number = tab.page.locator("h1").inner_text()
    second = Console(tab.page.context.new_page(), tab.address).open("/number?id=5")
    expect(second.page.locator("h1")).to_have_text(number)
    expect(second.button("Sign in")).to_have_count(0)
    tab.page.reload()
    tab.settle()
    expect(tab.page.locator("h1")).to_have_text(number)
    tab.expect_no_error()
    second.expect_no_error()


def test_signing_out_holds_after_a_reload_and_in_the_next_tab(visitor: Visitor) -> None:
    tab = visitor().open().sign_in("admin")
    tab.button("Ada Admin").click()
    tab.button("Sign out").click()
    expect(tab.button("Sign in")).to_be_visible()
    tab.page.wait_for_function("() => !/numberdesk=./.test(document.cookie)")
    tab.expect_no_error()
    tab.page.reload()
    expect(tab.button("Sign in")).to_be_visible()
    expect(Console(tab.page.context.new_page(), tab.address).open("/number?id=5").button("Sign in")).to_be_visible()


def test_a_viewer_cannot_write(visitor: Visitor) -> None:
    tab = visitor("viewer").open()
    assert tab.numbers()
    expect(tab.button("Add number")).to_have_count(0)
    tab.open_row(0)
    expect(tab.page.get_by_text("History", exact=True)).to_be_visible()
    for name in ("Save", "Deactivate", "Activate", "Remove from workspace"):
        expect(tab.button(name)).to_have_count(0)
    expect(tab.page.locator("[data-testid=stMain]").get_by_role("textbox")).to_have_count(0)
    tab.open("/add-number")
    expect(tab.page.get_by_text("Your role does not allow this. Ask an admin of the tenant.")).to_be_visible()
    expect(tab.button("Add manually")).to_have_count(0)
    tab.open("/edit-number?id=5")
    expect(tab.page.get_by_text(re.compile("Your role does not allow this"))).to_be_visible()
    expect(tab.button("Save")).to_have_count(0)
