"""Many numbers from end to end, as an operator has them on a day: on an app that nobody else uses."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.e2e.conftest import Twilio, Visitor, free_port, running, signing_in
from tests.e2e.console import Console
from tests.e2e.test_import_numbers import bring

pytestmark = pytest.mark.e2e
SLOW = 90_000
"""Milliseconds that thousands of numbers may take on a busy machine."""

ROWS, WRONG = 10_000, 200


@pytest.fixture(scope="module")
def sandbox_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sandbox_port: int) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("journeys"), sandbox_port) as address:
        yield address


@pytest.fixture(scope="module")
def signed_in(server: str, browser: Browser) -> Iterator[Callable[[str], BrowserContext]]:
    with signing_in(server, browser) as of:
        yield of


def select_all(tab: Console, amount: int) -> None:
    """Tick the page of the list, then all that match, which are so many."""
    with tab.rerun():
        tab.page.get_by_role("checkbox", name=re.compile("^Select all")).check()
    every = tab.button(f"Select all {amount:,}")
    if amount > 25:
        with tab.rerun():
            every.click()
    expect(tab.page.get_by_text(f"{amount:,} numbers selected")).to_be_visible()


def open_job(tab: Console, title: str) -> None:
    """Find a job in the list of jobs and wait until it has ended."""
    tab.open("/jobs")
    row = tab.page.get_by_role("row").filter(has_text=title).first
    row.get_by_role("rowheader").locator("a").click()
    expect(tab.heading(title)).to_be_visible()
    expect(tab.settle().page.get_by_text("Done", exact=True)).to_be_visible(timeout=SLOW)


def test_ten_thousand_rows_are_imported_the_wrong_ones_mended_and_an_agent_assigned_while_nobody_looks(
    visitor: Visitor, tmp_path: Path
) -> None:
    file = tmp_path / "moved.csv"
    rows = [
        f"+1 312 {555 + n // 5_000} {n % 5_000:04d},{'Nowhere' if n % (ROWS // WRONG) == 0 else 'SIP trunk Denver'}"
        for n in range(ROWS)
    ]
    file.write_text("\n".join(["Number,Connection", *rows]))
    tab = visitor("operator").open("/import-numbers")
    bring(tab, file)
    tab.press("Check")
    expect(tab.page.get_by_text("Check only: 9,800 can be added, 200 refused.")).to_be_visible(timeout=SLOW)
    tab.open("/import-numbers")  # the check waits to be started
    tab.page.get_by_role("link", name="moved.csv: 10,000 rows").click()
    start = tab.button("Import 9,800 rows")
    expect(start).to_be_visible()
    tab.settle()
    start.click()
    expect(start).to_have_count(0)
    tab.page.close()

    tab = visitor("operator")
    open_job(tab, "Import numbers: moved.csv")
    expect(tab.page.get_by_text("moved.csv: 9,800 added, 200 refused.")).to_be_visible()
    mend(tab, "SIP trunk Denver", WRONG)
    expect(tab.page.get_by_text("Check only: 200 can be added.")).to_be_visible()
    tab.press("Import 200 rows")
    expect(tab.page.get_by_text("moved.csv: 200 added.")).to_be_visible(timeout=SLOW)
    tab.open("/?search=%2B1312555").expect_count("1,000+ numbers")

    tab.open("/?search=%2B13125552")
    tab.expect_count("of 1,000 numbers")
    tab.open("/?search=%2B1312555&status=Active")
    with tab.rerun():
        tab.page.get_by_role("checkbox", name=re.compile("^Select all")).check()
    with tab.rerun():
        tab.button("Select all that match").click()
    tab.press("Assign agent")
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Inbound call agent").click()
    tab.page.get_by_role("option", name="Leo (support)").click()
    dialog.get_by_role("button", name="Preview").click()
    expect(tab.page.get_by_text("5,000 numbers would change")).to_be_visible(timeout=SLOW)
    tab.settle().button("Change 5,000 numbers").dblclick()
    expect(tab.page.get_by_text(re.compile(r"^[1-9][\d,]* of 5,000 numbers$"))).to_be_visible(timeout=SLOW)
    tab.page.close()  # in the middle

    tab = visitor("operator")
    open_job(tab, "Assign agent Leo (support)")
    expect(tab.page.get_by_text("5,000 of 5,000")).to_have_count(0)
    assert {tuple(row[1:3]) for row in tab.settle().rows()} == {
        ("Changed", "Inbound call agent: Unassigned → Leo (support)")
    }
    tab.settle().press("Undo")
    expect(tab.heading("Undo: Assign agent Leo (support)")).to_be_visible()
    expect(tab.page.get_by_text("Done", exact=True)).to_be_visible(timeout=SLOW)
    assert {row[1] for row in tab.settle().rows()} == {"Changed"}
    tab.expect_no_error()


def mend(tab: Console, value: str, amount: int) -> None:
    """Paste a value into the last column of so many refused rows, and have them checked."""
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.page.evaluate("text => navigator.clipboard.writeText(text)", "\n".join([value] * amount))
    with tab.rerun():
        tab.page.get_by_text("Mend rows").click()
    canvas = tab.page.get_by_test_id("stDataFrame").last.locator("canvas").first
    box = canvas.bounding_box()
    assert box
    tab.page.mouse.click(box["x"] + box["width"] - 60, box["y"] + 52)
    with tab.rerun():
        tab.page.keyboard.press("Control+v")
    tab.settle().press("Check again")


def test_the_numbers_of_a_customer_who_leaves_are_imported_from_the_account_and_released(
    visitor: Visitor, twilio: Twilio
) -> None:
    begin, held = part_of(twilio, 40)
    tab = visitor("operator").open(f"/reconcile?reconcile_number=%2B{begin[1:]}")
    compare(tab)
    every = tab.page.get_by_role("button", name=re.compile(r"^Select all [\d,]+$")).last
    with tab.rerun():
        every.click()
    tab.page.get_by_role("button", name=re.compile(r"^Import [\d,]+ numbers$")).click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog).to_contain_text("will be replaced")
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(tab.page.get_by_text("Done", exact=True)).to_be_visible(timeout=SLOW)

    tab.open(f"/?search=%2B{begin[1:]}&managed=Twilio-managed&status=Active")
    amount = tab.count()
    assert amount >= 40
    select_all(tab, amount)
    tab.press("Release")
    expect(tab.heading("Release")).to_be_visible()
    expect(tab.page.get_by_text("What they cost a month is not known here.")).to_be_visible()
    start = tab.button(f"Release {amount} numbers")
    tab.field(f"Type {amount} to confirm").fill(str(amount))
    start.click()
    expect(tab.page.get_by_text("Done", exact=True)).to_be_visible(timeout=SLOW)
    expect(tab.page.get_by_role("row").nth(1)).to_contain_text("Changed")
    assert len(held_there(twilio, begin)) <= held - amount
    tab.open(f"/?search=%2B{begin[1:]}&status=Released")
    assert tab.count() >= amount
    tab.expect_no_error()


def test_an_account_of_which_forty_numbers_differ_is_reconciled(
    visitor: Visitor, twilio: Twilio, pytestconfig: pytest.Config
) -> None:
    """Everything that the account holds is put on record, 40 are changed there, found, and put right."""
    if not pytestconfig.getoption("--whole-account", default=False):
        pytest.skip("it takes some minutes: --whole-account")
    tab = visitor("operator").open("/reconcile")
    compare(tab)
    put_right(tab, r"^Select all 2,\d+$", r"^Import [\d,]+ numbers$", "Import")
    compare(tab)
    held = twilio("GET", PageSize="1000")["incoming_phone_numbers"]
    changed = [one["sid"] for one in held[:: len(held) // 40][:40]]
    assert len(changed) == 40
    for place, sid in enumerate(changed):
        twilio("POST", f"/{sid}", FriendlyName=f"Changed {place}")
    compare(tab)
    section = tab.page.get_by_role("table", name="Different label")
    expect(section).to_be_visible()
    put_right(tab, r"^Select all 4\d$", r"^Use 4\d labels from Twilio$", "Use values from Twilio")
    compare(tab)
    expect(section).to_have_count(0)
    tab.expect_no_error()


def compare(tab: Console) -> None:
    """Compare what is chosen, and wait until it is."""
    button = tab.page.locator(".st-key-reconcile_compare button")
    with tab.rerun():
        button.click()
    expect(button).to_be_enabled(timeout=SLOW)
    expect(tab.page.get_by_text("in the account at Twilio")).to_be_visible(timeout=SLOW)
    tab.settle()


def put_right(tab: Console, every: str, action: str, confirmation: str) -> None:
    """Select all that a section lists, have a job do something about it, and come back."""
    with tab.rerun():
        tab.page.get_by_role("button", name=re.compile(every)).click()
    tab.page.get_by_role("button", name=re.compile(action)).click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("button", name=confirmation, exact=True).click()
    expect(tab.page.get_by_text("Done", exact=True)).to_be_visible(timeout=20 * SLOW)
    with tab.rerun():
        tab.page.get_by_role("link", name="Reconcile", exact=True).click()


def part_of(twilio: Twilio, least: int) -> tuple[str, int]:
    """Return how numbers begin of which the account holds not many more than *least*, and how many these are."""
    owned = twilio("GET", PageSize="1000")["incoming_phone_numbers"]
    begins = Counter(one["phone_number"][:length] for one in owned for length in range(4, 9))
    held = {begin: len(held_there(twilio, begin)) for begin, n in begins.items() if least * 3 / 4 <= n <= least * 2}
    begin = min((begin for begin, n in held.items() if n >= least), key=held.__getitem__)
    return begin, held[begin]


def held_there(twilio: Twilio, begin: str) -> list[str]:
    """Return which numbers of the account have *begin* in them."""
    found = twilio("GET", PhoneNumber=begin, PageSize="1000")["incoming_phone_numbers"]
    return [one["phone_number"] for one in found]
