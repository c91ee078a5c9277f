"""The list in a real browser: its address says what it shows, and its files hold what the filters match."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import expect
from python_calamine import CalamineWorkbook

from tests.e2e.conftest import Visitor
from tests.e2e.console import Console

pytestmark = pytest.mark.e2e

MAIN = "[data-testid=stMain]"


def test_the_address_carries_the_filters_through_a_reload_and_to_somebody_else(visitor: Visitor) -> None:
    tab = visitor("operator").open()
    everything = tab.numbers()
    tab.filter("Provider", "Generic SIP").filter("Status", "Active")
    tab.choose("Sort", "By number")
    listed = tab.numbers()
    assert listed != everything
    assert {row[3] for row in tab.rows()} == {"SIP trunk Denver · Generic SIP"}
    assert tab.query == {"provider": ["Generic SIP"], "status": ["Active"], "sort": ["By number"]}
    tab.page.reload()
    tab.settle()
    tab.expect_numbers(listed)
    other = visitor("viewer").open(tab.page.url.removeprefix(tab.address))
    other.expect_numbers(listed)
    tab.expect_no_error()


def test_going_back_from_a_number_finds_the_list_as_it_was_left(visitor: Visitor) -> None:
    tab = visitor("operator").open()
    tab.filter("Country", "Canada")
    tab.choose("Sort", "Oldest first")
    tab.expect_count("numbers")
    listed, query = tab.numbers(), tab.query
    tab.open_row(2)
    expect(tab.page.locator("h1")).to_contain_text(listed[2])
    tab.page.go_back()
    expect(tab.button("Country: Canada")).to_be_visible()
    tab.expect_numbers(listed)
    tab.open_row(1)
    expect(tab.page.locator("h1")).to_contain_text(listed[1])
    tab.page.locator(MAIN).get_by_role("link", name="Phone numbers").click()
    expect(tab.button("Country: Canada")).to_be_visible()
    tab.expect_numbers(listed)
    tab.settle()
    assert tab.query == query
    tab.expect_no_error()


def test_chips_remove_one_filter_and_clear_removes_all(visitor: Visitor) -> None:
    tab = visitor("operator").open()
    everything = tab.numbers()
    tab.filter("Type", "Toll-free").filter("Managed by", "Twilio-managed")
    tab.search("8")
    assert set(tab.query) == {"type", "managed", "search"}
    tab.press("Search: 8")
    expect(tab.button("Search: 8")).to_have_count(0)
    expect(tab.button("Type: Toll-free")).to_be_visible()
    tab.press("Type: Toll-free")
    expect(tab.button("Type: Toll-free")).to_have_count(0)
    assert set(tab.query) == {"managed"}
    tab.search("no such label anywhere")
    expect(tab.page.get_by_text("No numbers match the search and filters.")).to_be_visible()
    with tab.rerun():
        tab.button("Clear filters").last.click()
    tab.expect_numbers(everything)
    assert tab.query == {}
    tab.expect_no_error()


def test_a_number_is_found_however_it_is_typed(visitor: Visitor) -> None:
    # One of the demo's own: what other journeys add meanwhile may end in the same digits.
    tab = visitor("operator").open("/?country=United+States&sort=Oldest+first")
    row = next(row for row in tab.rows() if row[4] != "—" and row[0].startswith("+1 "))
    number, label = row[0], row[4]
    _, area, exchange, line = number.split()
    everything = tab.numbers()
    whole = f"{area}{exchange}{line}"
    for typed in (f"+1 ({area}) {exchange}-{line}", f"({area}) {exchange}-{line}", whole, whole[3:], number):
        tab.search(typed)
        tab.expect_numbers([number])
    tab.search(line)
    assert number in tab.numbers()
    assert all(line in found.replace(" ", "") or line in name for found, _, _, _, name, *_ in tab.rows())
    tab.search(label[2:].upper())
    assert number in tab.numbers()
    assert label[2:].upper() in " ".join(row[4].upper() for row in tab.rows())
    tab.search("")
    tab.expect_numbers(everything)


def test_pages_turn_and_their_size_is_in_the_address(visitor: Visitor) -> None:
    tab = visitor("operator").open()
    first = tab.numbers()
    assert len(first) == 25
    tab.press("Page 2")
    tab.expect_count("26–50 of")
    assert tab.query == {"page": ["2"]}
    second = tab.numbers()
    assert not set(first) & set(second)
    tab.page.reload()
    tab.expect_numbers(second)
    tab.choose("Rows per page", "50")
    tab.expect_count("1–50 of")
    assert tab.query == {"per_page": ["50"]}


def downloaded(tab: Console, kind: str, menu: str = "Download") -> Path:
    tab.button(menu).click()
    with tab.page.expect_download() as download:
        tab.button(kind).click()
    path = download.value.path()
    tab.page.keyboard.press("Escape")
    return path


def test_the_files_hold_exactly_what_the_filters_match(visitor: Visitor) -> None:
    tab = visitor("operator").open("/?country=Canada&status=Active")
    tab.expect_count("numbers")
    listed = sorted(number.replace(" ", "") for number in tab.numbers())
    assert 0 < len(listed) < 25
    text = downloaded(tab, "CSV").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))
    assert sorted(line["Number"] for line in lines) == listed
    assert {(line["Country"], line["Status"]) for line in lines} == {("Canada", "Active")}
    header, *cells = CalamineWorkbook.from_path(downloaded(tab, "Excel")).get_sheet_by_index(0).to_python()
    prices = [float(line["Monthly price"]) if line["Monthly price"] else "" for line in lines]
    assert [dict(zip(header, row, strict=True)) for row in cells] == [
        {**line, "Monthly price": price} for line, price in zip(lines, prices, strict=True)
    ]


def test_a_file_is_not_limited_to_the_page_that_is_shown(visitor: Visitor) -> None:
    tab = visitor("viewer").open()
    assert tab.count() > 25
    assert len(downloaded(tab, "CSV").read_text().splitlines()) == 1 + tab.count()
