"""A manager's journey: which number stands out, why, what its calls were like, and the file for a colleague."""

import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from python_calamine import CalamineWorkbook

from tests.e2e.conftest import Visitor

pytestmark = pytest.mark.e2e


def test_a_manager_sees_which_number_decays_and_why(visitor: Visitor) -> None:
    tab = visitor("viewer").open("/number-health")
    expect(tab.heading("Needs attention")).to_be_visible()
    card = tab.page.locator("[class*=st-key-attention]").filter(has_text="Low")
    expect(card).to_contain_text("Even its upper bound")
    expect(card).to_contain_text(
        "Replace it, or check its call list: the rest of its pool does better on the same days."
    )
    link = card.get_by_role("link")
    number = link.inner_text()
    link.click()
    expect(tab.page).to_have_url(re.compile(r"/number\?id=\d+"))
    expect(tab.page.locator("h1")).to_contain_text(number)
    expect(tab.page.get_by_role("alert")).to_contain_text("Low in Spring renewals.")
    expect(tab.page.get_by_text(re.compile("Dashed: pool median"))).to_be_visible()
    expect(tab.page.locator("[data-testid=stVegaLiteChart]")).to_have_count(2)
    tab.settle()
    with tab.rerun():
        tab.page.get_by_role("radio", name="7 days").click()
    assert tab.query["window"] == ["7 days"]
    with tab.rerun():
        tab.page.get_by_role("radio", name="Table").click()
    expect(tab.page.locator("[data-testid=stVegaLiteChart]")).to_have_count(0)
    tab.expect_no_error()


def test_the_download_holds_the_flags_with_their_reasons(visitor: Visitor, tmp_path: Path) -> None:
    tab = visitor("viewer").open("/number-health?health_verdict=Low")
    expect(tab.button("Status: Low")).to_be_visible()
    tab.page.get_by_role("button", name="Download", exact=True).click()
    with tab.page.expect_download() as download:
        tab.button("Excel").click()
    file = tmp_path / "health.xlsx"
    download.value.save_as(file)
    book = CalamineWorkbook.from_filelike(io.BytesIO(file.read_bytes()))
    assert book.sheet_names == ["Number health", "Idle"]
    header, *rows = book.get_sheet_by_name("Number health").to_python()
    assert [row[header.index("Status")] for row in rows] == ["Low"]
    assert "Even its upper bound" in str(rows[0][header.index("Why")])
    assert len(book.get_sheet_by_name("Idle").to_python()) > 100


def test_the_numbers_of_an_agent_are_a_click_away(visitor: Visitor) -> None:
    tab = visitor("operator").open("/agents")
    rows = tab.rows()
    at = next(at for at, row in enumerate(rows) if row[2].isdigit() and int(row[2]) < 1_000)
    name, _status, count, *_ = rows[at]
    tab.row(at).get_by_role("link", name=count, exact=True).click()
    expect(tab.page).to_have_url(re.compile(r"/\?agent="))
    expect(tab.button(f"Agent: {name}")).to_be_visible()
    assert tab.settle().count() == int(count)
