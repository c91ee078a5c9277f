"""A file of numbers, from the list to the list: checked, its good rows imported, the others taken away to be mended."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.console import Console
from tests.e2e.test_layout import expect_no_sideways_scroll

pytestmark = pytest.mark.e2e


def bring(tab: Console, file: Path) -> None:
    with tab.rerun():
        tab.page.locator("input[type=file]").set_input_files(file)


def outcomes(tab: Console) -> list[list[str]]:
    """Return row, number and outcome of the last table of the page."""
    tab.rows()
    cells: list[list[str]] = tab.page.locator("[data-testid=stDataFrame]").last.evaluate(
        "grid => [...grid.querySelectorAll('tbody tr')].map(row => [...row.children].map(cell => cell.textContent))"
    )
    return [row[:3] for row in cells]


def test_a_file_is_checked_its_good_rows_imported_and_the_others_taken_away(visitor: Visitor, tmp_path: Path) -> None:
    tab = visitor("operator").open()
    here = tab.numbers()[0]
    count = tab.count()
    tab.press("Import from a file")
    expect(tab.heading("Import numbers")).to_be_visible()
    with tab.page.expect_download() as template:
        tab.button("Template").click()
    assert "Inbound countries" in template.value.path().read_text("utf-8-sig")

    file = tmp_path / "moved.csv"
    file.write_text(
        "Number;Connection;Name;Inbound agent;Tags\n"
        "+1 212 555 7001;SIP trunk Denver;Harbour desk;;moved\n"
        "12125557001;SIP trunk Denver;Twice;;\n"
        "+12125557002;SIP trunk Denver;=HYPERLINK(1);Nobody;\n"
        f"{here};SIP trunk Denver;Mine already;;\n"
    )
    bring(tab, file)
    tab.press("Check")
    expect(
        tab.page.get_by_text("Nothing was written yet: 1 number can be added, 1 already here, 2 refused.")
    ).to_be_visible()
    assert outcomes(tab) == [
        ["3", "+1 212 555 7001", "Refused"],
        ["4", "+1 212 555 7002", "Refused"],
        ["2", "+1 212 555 7001", "Will be added"],
        ["5", here, "Already here"],
    ]
    tab.press("Import 4 rows")
    expect(tab.page.get_by_text("Nothing was written: 2 of 4 rows cannot be imported.")).to_be_visible()
    tab.press("Import the good rows only")
    expect(tab.page.get_by_text("1 number added, 1 already here, 2 refused.")).to_be_visible()
    with tab.page.expect_download() as taken:
        tab.button("Rows with outcomes").click()
    rows = list(csv.DictReader(io.StringIO(taken.value.path().read_text("utf-8-sig"))))
    assert [row["Row"] for row in rows] == ["2", "3", "4", "5"]
    assert [(row["Name"], row["Outcome"], row["Reason"]) for row in rows] == [
        ("Harbour desk", "Added", ""),
        ("Twice", "Refused", "The same number as row 2."),
        ("'=HYPERLINK(1)", "Refused", "There is no agent Nobody."),
        ("Mine already", "Already here", ""),
    ]
    tab.page.get_by_role("link", name="Back to the list").click()
    tab.expect_count(f"of {count + 1:,} numbers")
    assert tab.rows()[0][:5] == [
        "+1 212 555 7001",
        "Active",
        "Unassigned",
        "SIP trunk Denver · Generic SIP",
        "Harbour desk",
    ]
    tab.open_row(0)
    expect(tab.page.get_by_text("Olga Operator added the number")).to_be_visible()
    tab.expect_no_error()


def test_a_check_fits_on_a_phone(visitor: Visitor, tmp_path: Path) -> None:
    tab = visitor("operator", width=400).open("/import-numbers")
    file = tmp_path / "wide.csv"
    file.write_text("Number,Connection,Name\n+12125557009,Nowhere," + "wide " * 40 + "\n")
    expect_no_sideways_scroll(tab)
    bring(tab, file)
    tab.press("Check")
    expect(tab.page.get_by_text("0 numbers can be added, 1 refused.")).to_be_visible()
    expect_no_sideways_scroll(tab)
