"""Two tabs of one person in two tenants: each stays in its own, and comes back to it."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.console import Console

pytestmark = pytest.mark.e2e

FIRST, SECOND = "Bharat Dialers", "Nordlicht Telefonie"


def tenant(tab: Console) -> str:
    """Return what the address says about the tenant."""
    return "".join(tab.query.get("tenant", []))


def test_a_save_in_one_tab_is_not_moved_by_a_choice_in_another(visitor: Visitor) -> None:
    here, there = visitor("partner").open(), visitor("partner").open()
    here.choose_tenant(FIRST)
    here.open_row(0)
    first, path = tenant(here), here.page.url.removeprefix(here.address)
    there.choose_tenant(SECOND)
    assert tenant(there) not in ("", first)
    before = here.field("Label").input_value()
    for label in ("Saved in the first tab", before):
        with here.rerun():
            here.save_label(label)
        expect(here.page.get_by_text("Resource not available")).to_have_count(0)
        expect(here.field("Label")).to_have_value(label)
    assert tenant(here) == first
    here.page.reload()
    here.settle()
    assert tenant(here) == first
    expect(here.field("Label")).to_have_value(before)
    # A colleague's link, followed in a tab of the other tenant, opens in the tenant that it is about.
    there.open(path)
    expect(there.field("Label")).to_have_value(before)
    assert tenant(there) == first


def test_the_menu_links_and_the_way_back_stay_in_the_tenant(visitor: Visitor) -> None:
    tab, other = visitor("partner").open(), visitor("partner").open()
    tab.choose_tenant(FIRST)
    other.choose_tenant(SECOND)
    first = tenant(tab)
    for name in ("Agents", "Campaigns", "Phone numbers"):
        with tab.rerun():
            tab.page.locator("[data-testid=stSidebar]").get_by_role("link", name=name, exact=True).click()
        expect(tab.heading(name)).to_be_visible()
        assert tenant(tab) == first
    for name in ("Campaigns", "Agents"):  # one step back for each step
        with tab.rerun():
            tab.page.go_back()
        expect(tab.heading(name)).to_be_visible()
        assert tenant(tab) == first


def test_back_over_a_change_of_tenant_comes_to_the_former_one(visitor: Visitor) -> None:
    tab = visitor("partner").open()
    tab.choose_tenant(FIRST)
    first, numbers = tenant(tab), tab.numbers()
    tab.choose_tenant(SECOND)
    assert tenant(tab) != first
    with tab.rerun():
        tab.page.go_back()
    expect(tab.page).to_have_url(re.compile(rf"tenant={first}\b"))
    tab.expect_numbers(numbers)


def test_the_wizard_stays_with_its_tenant(visitor: Visitor) -> None:
    tab, other = visitor("superadmin").open(), visitor("superadmin").open()
    other.choose_tenant(FIRST)
    tab.choose_tenant(SECOND).press("Add number")
    options = []
    for turn in range(2):
        tab.press("Add manually")
        tab.page.get_by_role("combobox", name="Telephony connection", exact=True).click()
        tab.page.get_by_role("option").first.wait_for()
        options.append(tab.page.get_by_role("option").all_inner_texts())
        tab.page.keyboard.press("Escape")
        if turn == 0:
            tab.press("Back")
            other.choose_tenant(SECOND).choose_tenant(FIRST)
    assert options[0] == options[1]
    tab.field("Phone number (E.164)").fill("+14155550123")
    tab.choose_tenant(FIRST)
    expect(tab.page.get_by_text("This tab switched to another tenant")).to_be_visible()
    tab.press("Add manually")
    expect(tab.field("Phone number (E.164)")).to_have_value("")
