"""Many numbers at once in a real browser: previewed, done while the tab is closed, found again and undone."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.console import Console
from tests.e2e.test_layout import expect_no_sideways_scroll

pytestmark = pytest.mark.e2e


def select_all_that_match(tab: Console) -> int:
    """Tick the page, then all that match; return how many these are."""
    with tab.rerun():
        tab.page.get_by_role("checkbox", name=re.compile("^Select all 25")).check()
    everything = tab.page.get_by_role("button", name=re.compile(r"^Select all [\d,]+$"))
    amount = int(everything.inner_text().removeprefix("Select all ").replace(",", ""))
    with tab.rerun():
        everything.click()
    expect(tab.page.get_by_text(f"{amount:,} numbers selected")).to_be_visible()
    return amount


def test_what_is_unticked_is_left_out_and_other_filters_let_all_go(visitor: Visitor) -> None:
    tab = visitor("operator").open("/")
    amount = select_all_that_match(tab)
    with tab.rerun():
        tab.row(0).get_by_role("checkbox").uncheck()
    expect(tab.page.get_by_text(f"{amount - 1:,} numbers selected")).to_be_visible()
    tab.filter("Status", "Inactive")
    expect(tab.page.get_by_text("numbers selected")).to_have_count(0)


def test_by_keyboard_space_ticks_and_the_bar_comes(visitor: Visitor) -> None:
    tab = visitor("operator").open("/")
    link = tab.row(0).get_by_role("rowheader").locator("a")
    link.focus()
    with tab.rerun():
        tab.page.keyboard.press("Space")
    expect(tab.page.get_by_text("1 number selected")).to_be_visible()
    tab.press("Deactivate")
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Reason (optional)").fill("Quiet season")
    dialog.get_by_role("button", name="Preview").click()
    expect(tab.heading("Deactivate")).to_be_visible()
    tab.settle().press("Discard")
    expect(tab.heading("Jobs")).to_be_visible()
    tab.expect_no_error()


def test_the_bar_and_a_job_fit_on_a_phone(visitor: Visitor) -> None:
    tab = visitor("operator", width=400).open("/?managed=Twilio-managed")
    with tab.rerun():
        tab.page.get_by_role("checkbox", name=re.compile("^Select all 25")).check()
    expect_no_sideways_scroll(tab)
    tab.button("Release").click()
    expect(tab.heading("Release")).to_be_visible()
    expect_no_sideways_scroll(tab.settle())
    expect(tab.page.get_by_text("a month.")).to_be_visible()
    tab.press("Discard")


def test_a_viewer_selects_nothing(visitor: Visitor) -> None:
    tab = visitor("viewer").open("/")
    assert tab.rows()
    expect(tab.page.get_by_role("checkbox", name=re.compile("^Select"))).to_have_count(0)
