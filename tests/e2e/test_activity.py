"""The audit log in a real browser: a change is found with both values, and the way to its number leads back."""

import csv
import io
import re

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import Visitor
from tests.e2e.console import Console
from tests.e2e.test_layout import expect_no_sideways_scroll
from tests.e2e.test_numbers import downloaded

pytestmark = pytest.mark.e2e


def link(tab: Console, name: str) -> Locator:
    return tab.page.locator("[data-testid=stMain]").get_by_role("link", name=name, exact=True)


def rename(tab: Console, row: int, label: str) -> tuple[str, str]:
    """Give the number in a row of the list another label; return the number and the label before."""
    tab.open("/?status=Active")
    number = tab.numbers()[row]
    tab.open_row(row)
    before = tab.field("Label").input_value()
    tab.save_label(label)
    expect(tab.page.get_by_text("changed the label").first).to_be_visible()
    return number, before or "—"


def test_a_change_is_found_in_the_activity_and_its_link_leads_there_and_back(visitor: Visitor) -> None:
    rename(visitor("admin"), 5, "Back desk")
    tab = visitor("operator")
    number, before = rename(tab, 3, "Night desk")
    tab.open("/activity")
    tab.filter("Who", "Olga Operator").filter("Action", "Numbers: changed the label")
    change = tab.page.get_by_text(f"Label: {before} → Night desk")
    expect(change).to_be_visible()
    today = tab.page.get_by_role("radio", name="Today")
    with tab.rerun():
        today.click()
    expect(today).to_be_checked()
    query = tab.query
    assert set(query) == {"activity_who", "activity_action", "activity_from"}
    link(tab, number).click()
    expect(tab.page.locator("h1")).to_contain_text(number)
    tab.settle().page.go_back()
    expect(change).to_be_visible()
    expect(tab.button("Who: Olga Operator")).to_be_visible()
    assert tab.settle().query == query
    tab.expect_no_error()


def test_the_history_of_a_number_leads_to_all_of_it_and_back(visitor: Visitor) -> None:
    tab = visitor("operator")
    number, before = rename(tab, 4, "Front desk")
    tab.open("/activity?activity_who=Olga+Operator")
    tab.open(f"/number?id={_id_of(tab, number)}")
    link(tab, "Show all").click()
    expect(tab.heading("Activity")).to_be_visible()
    expect(tab.page.get_by_text(f"Label: {before} → Front desk")).to_be_visible()
    tab.settle()
    assert tab.query == {"activity_search": [number.replace(" ", "")]}
    lines = list(csv.DictReader(io.StringIO(downloaded(tab, "CSV").read_text("utf-8-sig"))))
    assert lines[0]["Changes"] == f"Label: {before} → Front desk"
    assert {line["Subject"] for line in lines} == {number.replace(" ", "")}
    tab.page.go_back()
    expect(tab.page.locator("h1")).to_contain_text(number)
    tab.expect_no_error()


def test_the_activity_reads_well_on_a_phone(visitor: Visitor) -> None:
    tab = visitor("operator", width=400)
    for path in ("/activity", "/activity?activity_search=1&activity_kind=Number&activity_from=2026-01-01"):
        tab.open(path)
        expect(tab.page.get_by_text(re.compile("added the number")).first).to_be_visible()
        expect_no_sideways_scroll(tab)


def _id_of(tab: Console, number: str) -> str:
    link(tab, number).first.click()
    expect(tab.page.locator("h1")).to_contain_text(number)
    (number_id,) = tab.settle().query["id"]
    return number_id
