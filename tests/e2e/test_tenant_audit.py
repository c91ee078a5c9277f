"""An auditor's way: from a finding to the numbers behind it, to one of them, to who changed it."""

import io
import re
from typing import Any

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from tests.e2e.conftest import Visitor
from tests.e2e.test_layout import expect_no_sideways_scroll

pytestmark = pytest.mark.e2e


def test_an_auditor_goes_from_a_finding_to_the_history_of_a_number(visitor: Visitor) -> None:
    tab = visitor("viewer").open("/tenant-audit")
    expect(tab.heading("Tenant audit")).to_be_visible()
    finding = tab.page.locator(".st-key-finding_inactive_connection")
    expect(finding).to_contain_text(re.compile(r"\d+ numbers on an inactive connection"))
    counted = int(re.findall(r"(\d+) numbers", finding.inner_text())[0])
    with tab.rerun():
        finding.get_by_role("link", name="Show numbers").click()
    expect(tab.button("Attention: Inactive connection")).to_be_visible()
    assert tab.query == {"attention": ["Inactive connection"]}
    assert tab.count() == counted
    assert {row[3] for row in tab.rows()} == {"Twilio legacy · Twilio"}
    number = tab.numbers()[0]
    tab.open_row(0)
    expect(tab.page.locator("h1")).to_contain_text(number)
    expect(tab.heading("History")).to_be_visible()
    expect(tab.page.get_by_text("Olga Operator added the number")).to_be_visible()
    tab.expect_no_error()


def test_the_report_is_downloaded_as_pdf_and_as_excel(visitor: Visitor) -> None:
    tab = visitor("viewer").open("/tenant-audit?audit_from=2026-01-01")
    files = {}
    for kind in ("PDF", "Excel, with all numbers"):
        tab.button("Download").click()
        with tab.page.expect_download(timeout=60_000) as download:  # another journey may have imported many numbers
            tab.button(kind).click()
        files[kind] = download.value.path().read_bytes()
        tab.page.keyboard.press("Escape")
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(files["PDF"])).pages)
    assert "Tenant audit: Acme Voice" in text
    assert "by Victor Viewer" in text
    assert "Changes from 1 Jan 2026" in text
    book = CalamineWorkbook.from_filelike(io.BytesIO(files["Excel, with all numbers"]))
    summary: dict[Any, Any] = {row[0]: row[1] for row in book.get_sheet_by_name("Summary").to_python()[1:]}
    assert summary["First day of changes"] == "2026-01-01"
    assert len(book.get_sheet_by_name("Numbers").to_python()) == summary["Numbers held"] + 1
    tab.expect_no_error()


def test_a_superadmin_goes_from_all_tenants_into_one_and_stays_there(visitor: Visitor) -> None:
    tab = visitor("superadmin").open("/tenant-audit")
    tab.choose("Tenant", "All tenants")
    rows = tab.rows()
    names = [row[0] for row in rows]  # another journey may have added a tenant
    assert names[:3] == ["Acme Voice", "Bharat Dialers", "Nordlicht Telefonie"]
    with tab.rerun():
        tab.row(2).get_by_role("link").click()
    expect(tab.page.get_by_text("Nordlicht Telefonie as of")).to_be_visible()
    expect(tab.page.get_by_test_id("stMetric").filter(has_text="Numbers held")).to_contain_text(rows[2][2])
    tab.page.reload()
    expect(tab.page.get_by_text("Nordlicht Telefonie as of")).to_be_visible()
    tab.expect_no_error()


def test_nothing_of_the_report_is_cut_on_a_phone(visitor: Visitor) -> None:
    tab = visitor("viewer", width=400).open("/tenant-audit")
    expect(tab.heading("What changed")).to_be_attached()
    expect_no_sideways_scroll(tab)
