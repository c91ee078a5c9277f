"""A file of numbers, from the list to the list: checked, its good rows imported, the others taken away to be mended."""

import csv
import io
import re
from pathlib import Path

import pytest
import xlsxwriter
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.console import Console
from tests.e2e.test_layout import expect_no_sideways_scroll
from tests.e2e.test_numbers import downloaded
from tests.services.text.test_hostile_files import two_cells

pytestmark = pytest.mark.e2e


def bring(tab: Console, file: Path) -> None:
    with tab.rerun():
        tab.page.locator("input[type=file]").set_input_files(file)


def outcomes(tab: Console) -> list[list[str]]:
    """Return number, row and outcome of the rows of a job."""
    expect(tab.page.get_by_role("table", name="Numbers")).to_be_visible()
    return [row[:3] for row in tab.rows()]


def check(tab: Console, file: Path, says: str) -> None:
    """Bring a file and have it checked, which leads to its job."""
    bring(tab, file)
    tab.press("Check")
    expect(tab.page.get_by_text(says)).to_be_visible()


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
    check(tab, file, "Check only: 1 can be added, 1 differs, 2 refused.")
    assert outcomes(tab) == [
        ["+1 212 555 7001", "2", "Will be added"],
        ["+1 212 555 7001", "3", "Refused"],
        ["+1 212 555 7002", "4", "Refused"],
        [here, "5", "Differs"],
    ]
    tab.press("Import 1 row")
    expect(tab.page.get_by_text("moved.csv: 1 added, 1 differs, 2 refused.")).to_be_visible()
    taken = downloaded(tab, "CSV", "Download results")
    rows = list(csv.DictReader(io.StringIO(taken.read_text("utf-8-sig"))))
    assert [row["Row"] for row in rows] == ["2", "3", "4", "5"]
    assert "in the file “Mine already”" in rows[-1].pop("Reason")
    assert [(row["Name"], row["Outcome"], row.get("Reason")) for row in rows] == [
        ("Harbour desk", "Added", ""),
        ("Twice", "Refused", "Duplicate of row 2."),
        ("'=HYPERLINK(1)", "Refused", "Agent “Nobody” not found."),
        ("Mine already", "Differs", None),
    ]
    tab.page.get_by_role("link", name="Phone numbers").last.click()
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


def test_a_download_of_the_list_is_here_already_and_tells_what_was_changed_in_it(
    visitor: Visitor, tmp_path: Path
) -> None:
    tab = visitor("operator").open("/?status=Active&status=Inactive&status=Released&status=Removed")
    for kind, name in (("Excel", "numbers.xlsx"), ("CSV", "numbers.csv")):
        file = tmp_path / name
        file.write_bytes(downloaded(tab, kind).read_bytes())
        tab.press("Import from a file")
        bring(tab, file)
        expect(
            tab.page.get_by_text("Columns ignored: Provider, Country, Type, Managed by, Tenant, Created")
        ).to_be_visible()
        tab.press("Check")
        told = re.compile(r"^Check only: 0 can be added, [\d,]+ already here\.$")
        expect(tab.page.get_by_text(told)).to_be_visible()
        tab.open("/?status=Active&status=Inactive&status=Released&status=Removed")
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))
    live = next(row for row in rows if row["Status"] == "Active" and row["Name"])
    before, live["Name"], live["Tags"] = live["Name"], "Harbour *desk*", 'north; "Kiel, east"'
    changed = tmp_path / "changed.csv"
    with changed.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(live))
        writer.writeheader()
        writer.writerows(rows)
    tab.press("Import from a file")
    bring(tab, changed)
    tab.press("Check")
    expect(tab.page.get_by_text(re.compile(r"0 can be added, [\d,]+ already here, 1 differs\."))).to_be_visible()
    (differs,) = [row for row in tab.rows() if row[2] == "Differs"]
    assert f"Label: here “{before}”, in the file “Harbour *desk*”; Tags: here" in differs[3]
    assert 'in the file “"Kiel, east"; north”. Not changed' in differs[3]
    assert differs[4] == "Label, Tags"
    tab.expect_no_error()


def test_a_check_fits_on_a_phone(visitor: Visitor, tmp_path: Path) -> None:
    tab = visitor("operator", width=400).open("/import-numbers")
    file = tmp_path / "wide.csv"
    file.write_text("Number,Connection,Name\n+12125557009,Nowhere," + "wide " * 40 + "\n")
    expect_no_sideways_scroll(tab)
    bring(tab, file)
    tab.press("Check")
    expect(tab.page.get_by_text("0 can be added, 1 refused.")).to_be_visible()
    expect_no_sideways_scroll(tab)


def test_refused_rows_are_mended_where_they_are(visitor: Visitor, tmp_path: Path) -> None:
    tab = visitor("operator").open("/import-numbers")
    file = tmp_path / "mend.csv"
    file.write_text("Number,Connection\n+12125557031,Nowhere\n+12125557032,SIP trunk Denver\n")
    check(tab, file, "Check only: 1 can be added, 1 refused.")
    tab.page.get_by_text("Mend rows").click()
    grid = tab.page.get_by_test_id("stDataFrame").last
    expect(grid).to_be_visible()
    canvas = grid.locator("canvas").first
    box = canvas.bounding_box()
    assert box
    tab.page.mouse.dblclick(box["x"] + box["width"] - 60, box["y"] + 52)
    cell = tab.page.locator("textarea.gdg-input")
    cell.fill("SIP trunk Denver")
    with tab.rerun():
        cell.press("Enter")
    tab.settle()
    tab.press("Check again")
    expect(tab.page.get_by_text("Check only: 2 can be added.")).to_be_visible()
    tab.press("Import 2 rows")
    expect(tab.page.get_by_text("mend.csv: 2 added.")).to_be_visible(timeout=30_000)
    tab.expect_no_error()


def test_sheet_header_and_encoding_can_be_chosen_where_there_is_a_choice(visitor: Visitor, tmp_path: Path) -> None:
    tab = visitor("operator").open("/import-numbers")
    file = tmp_path / "stock.xlsx"
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet("Read me").write(0, 0, "How to use this file")
        for title, number in (("North", "+12125557021"), ("South", "+12125557022")):
            sheet = book.add_worksheet(title)
            sheet.write(0, 0, f"Stock of {title}")
            sheet.write_row(1, 0, ["TN", "Trunk", "Colour"])
            sheet.write_row(2, 0, [number, "SIP trunk Denver", "red"])
    bring(tab, file)
    expect(tab.page.get_by_text("Columns ignored: Colour.")).to_be_visible()
    tab.choose("Sheet", "South")
    tab.choose("Header", "Row 1: Stock of South")
    expect(tab.page.get_by_text("Columns ignored: Stock of South, Column B, Column C.")).to_be_visible()
    tab.choose("Header", "Row 2: TN, Trunk, Colour")
    tab.press("Check")
    assert outcomes(tab) == [["+1 212 555 7022", "3", "Will be added"]]

    text = tmp_path / "cyrillic.csv"
    text.write_bytes("Number,Connection,Label\n+12125557023,SIP trunk Denver,Отдел\n".encode("koi8_r"))
    tab.open("/import-numbers")
    bring(tab, text)
    tab.choose("Encoding", "Cyrillic (KOI8-R): Отдел")
    assert tab.rows()[0] == ["2", "+12125557023", "SIP trunk Denver", "Отдел"]
    tab.open("/import-numbers")
    file.write_text("Number,Connection\n+12125557024,SIP trunk Denver\n")
    bring(tab, file)
    for choice in ("Sheet", "Header", "Encoding"):
        expect(tab.page.get_by_role("combobox", name=choice, exact=True)).to_have_count(0)


def test_a_file_that_would_end_its_reader_is_refused_in_words(visitor: Visitor, tmp_path: Path) -> None:
    tab = visitor("operator").open("/import-numbers")
    file = tmp_path / "far.xlsx"
    file.write_bytes(two_cells("XFD1048576"))
    bring(tab, file)
    expect(tab.page.get_by_text("The sheet S reaches to column XFD; at most 500 columns can be read.")).to_be_visible()
    expect(tab.button("Check")).to_have_count(0)
    tab.expect_no_error()
