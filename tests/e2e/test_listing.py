"""A list in a real browser: by mouse, by keyboard, by screen reader, wide and narrow."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Visitor
from tests.e2e.console import LISTING, Console

pytestmark = pytest.mark.e2e

LISTS = {
    "/": "Phone numbers",
    "/agents": "Agents",
    "/campaigns": "Campaigns",
    "/connections": "Telephony connections",
    "/users": "Users",
    "/tenants": "Tenants",
    "/number-health": "Numbers by health, worst first",
    "/tenant-audit": "Tenants compared",
}

_CUT = f"""() => [...document.querySelectorAll('{LISTING}')].flatMap(({{shadowRoot}}) => {{
    const scroll = shadowRoot.querySelector('.scroll');
    const cut = [...shadowRoot.querySelectorAll('th, td, .words')]
        .filter(at => at.scrollWidth > at.clientWidth + 1 || at.scrollHeight > at.clientHeight + 1);
    return [...(scroll.scrollWidth > scroll.clientWidth ? ['the table'] : []), ...cut.map(at => at.textContent)];
}})"""


def table(tab: Console, name: str = "Phone numbers") -> Locator:
    return tab.page.get_by_role("table", name=name)


def numbers(tab: Console) -> Locator:
    return table(tab).get_by_role("rowheader").get_by_role("link")


@pytest.fixture
def another(visitor: Visitor) -> Console:
    return visitor("operator").open("/?sort=By+number")


def test_a_click_stays_in_the_tab_and_with_ctrl_or_the_middle_button_opens_another(another: Console) -> None:
    tab, link = another, numbers(another).nth(1)
    address, shown = link.get_attribute("href"), link.inner_text()
    for how in ({"modifiers": ["ControlOrMeta"]}, {"button": "middle"}):
        with tab.page.context.expect_page() as opened:
            link.click(**how)
        page: Page = opened.value
        expect(page.locator("h1")).to_contain_text(shown)
        assert page.url == f"{tab.address}{address}"
        page.close()
        expect(tab.page).not_to_have_url(re.compile("id="))
    link.click()
    expect(tab.page.locator("h1")).to_contain_text(shown)
    expect(tab.page).to_have_url(f"{tab.address}{address}")
    tab.expect_no_error()


def test_arrows_go_from_row_to_row_and_enter_opens(another: Console) -> None:
    tab, links = another, numbers(another)
    links.first.focus()
    for key, row in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("End", 24), ("ArrowDown", 24), ("Home", 0)):
        tab.page.keyboard.press(key)
        expect(links.nth(row)).to_be_focused()
    shown = links.first.inner_text()
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("h1")).to_contain_text(shown)


def test_a_header_sorts_says_so_and_keeps_the_focus(another: Console) -> None:
    tab = another
    header = table(tab).get_by_role("columnheader", name="Created")
    expect(table(tab).get_by_role("columnheader", name="Number")).to_have_attribute("aria-sort", "ascending")
    expect(header).to_have_attribute("aria-sort", "none")
    header.get_by_role("button").focus()
    for order, named in (("descending", None), ("ascending", "Oldest first"), ("descending", None)):
        before = tab.numbers()
        with tab.rerun():
            tab.page.keyboard.press("Enter")
        expect(header).to_have_attribute("aria-sort", order)
        expect(header.get_by_role("button")).to_be_focused()
        assert tab.query == ({"sort": [named]} if named else {})
        assert tab.numbers() != before


def test_rows_are_ticked_by_keyboard_and_stay_so_while_others_are_shown(visitor: Visitor) -> None:
    tab = visitor("operator").open("/campaigns").press("Add campaign")
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("Ticked by keyboard")
    dialog.get_by_role("button", name="Add campaign").click()
    expect(tab.page.locator("h1")).to_contain_text("Ticked by keyboard")
    tab.settle().press("Add numbers")
    search = dialog.get_by_role("searchbox", name="Search numbers")
    search.fill("+1")
    boxes = dialog.get_by_role("rowheader").locator("xpath=..").get_by_role("checkbox")
    boxes.first.focus()
    tab.page.keyboard.press("Space")
    expect(dialog.get_by_role("button", name="Add 1 number")).to_be_enabled()
    expect(boxes.first).to_be_checked()
    expect(boxes.first).to_be_focused()
    for _ in range(2):
        tab.page.keyboard.press("ArrowDown")
        tab.page.keyboard.press("Space")
    expect(dialog.get_by_role("button", name="Add 3 numbers")).to_be_enabled()
    expect(boxes.nth(2)).to_be_focused()
    every = dialog.get_by_role("checkbox", name=re.compile("^Select all"))
    assert every.evaluate("box => box.indeterminate")
    name = boxes.nth(1).get_attribute("aria-label")
    assert re.fullmatch(r"Select \+1 [\d ]+", name or "")
    search.fill("+1416")
    expect(dialog.get_by_text(re.compile("3 selected, [1-3] of them not shown"))).to_be_visible()
    search.fill("+1")
    expect(dialog.get_by_role("checkbox", name=name or "", exact=True)).to_be_checked()
    every.check()
    count = boxes.count()
    expect(dialog.get_by_role("button", name=f"Add {count} numbers")).to_be_visible()
    every.uncheck()
    expect(dialog.get_by_role("button", name="Add numbers", exact=True)).to_be_disabled()
    tab.expect_no_error()


def test_a_dialog_gives_the_focus_back_to_the_row_that_opened_it(visitor: Visitor) -> None:
    tab = visitor("operator").open("/agents")
    button = table(tab, "Agents").get_by_role("rowheader").get_by_role("button").nth(1)
    button.focus()
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("dialog")).to_be_visible()
    tab.settle()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()


def test_the_focus_goes_back_to_where_the_reader_was_and_a_click_beside_leaves_it(visitor: Visitor) -> None:
    tab = visitor("operator").open("/agents")
    buttons = table(tab, "Agents").get_by_role("rowheader").get_by_role("button")
    buttons.nth(1).focus()
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("ArrowDown")  # before the dialog is there
    expect(tab.page.get_by_role("dialog")).to_be_visible()
    tab.settle()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    expect(buttons.nth(2)).to_be_focused()
    table(tab, "Agents").get_by_role("row").nth(1).get_by_role("cell").first.click()
    expect(buttons.nth(2)).not_to_be_focused()


def test_a_screen_reader_finds_a_table_with_named_rows(another: Console) -> None:
    shown, row = numbers(another).first.inner_text(), another.rows()[0]
    expect(table(another)).to_match_aria_snapshot(f"""
        - table "Phone numbers":
          - rowgroup:
            - row:
              - columnheader "Number":
                - button "Number"
              - columnheader "Status"
              - columnheader "Inbound Agent"
              - columnheader "Provider"
              - columnheader "Name"
              - columnheader "Created"
          - rowgroup:
            - row:
              - rowheader "{shown}":
                - link "{shown}"
              - cell "{row[1].replace(", ", " ")}"
    """)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 400)])
def test_no_list_has_a_finding_of_axe_or_is_cut_at_1400_pixels(visitor: Visitor, scheme: str, width: int) -> None:
    tab = visitor("superadmin", width=width)
    tab.page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    for path, name in LISTS.items():
        tab.open(f"{path}?tenant=all&per_page=100")
        expect(table(tab, name)).to_be_visible()
        if width == 1400:
            assert tab.page.evaluate(_CUT) == [], path
        found = Axe().run(tab.page, context=LISTING).response["violations"]
        assert [(rule["id"], node["target"]) for rule in found for node in rule["nodes"]] == [], path


def test_a_rate_stands_in_one_line_with_its_interval(visitor: Visitor) -> None:
    tab = visitor("superadmin").open("/number-health?tenant=all&per_page=100")
    cells = table(tab, "Numbers by health, worst first").get_by_text(re.compile(r"^[\d.]+% \(\d+–\d+%\)$"))
    expect(cells.first).to_be_visible()
    assert cells.evaluate_all("all => all.filter(one => one.getClientRects().length > 1).length") == 0


def test_what_scrolls_is_reached_by_keyboard_and_says_what_it_is(visitor: Visitor) -> None:
    tab = visitor("operator", width=400).open("/")
    region = tab.page.get_by_role("region", name="Phone numbers")
    region.focus()
    tab.page.keyboard.press("ArrowRight")
    expect(table(tab).get_by_role("columnheader").nth(1)).to_be_in_viewport()
    tab.page.set_viewport_size({"width": 1400, "height": 900})
    expect(region).to_have_count(0)


def test_the_number_stays_in_sight_on_a_phone(visitor: Visitor) -> None:
    tab = visitor("superadmin", width=400).open("/?tenant=all")
    link, last = numbers(tab).first, table(tab).get_by_role("columnheader").last
    before = link.bounding_box()
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    after = link.bounding_box()
    assert before
    assert after
    assert abs(after["x"] - before["x"]) < 2, "it does not move with the other columns"


def test_times_are_told_roughly_and_exactly(another: Console) -> None:
    cell = table(another).get_by_role("row").nth(1).get_by_role("cell").last
    expect(cell).to_have_text(re.compile("ago$|^just now$"))
    assert re.fullmatch(r"\d{1,2} \w{3} \d{4}, \d\d:\d\d \S+", cell.locator("span").get_attribute("title") or "")


def test_filters_are_counted_also_when_they_come_from_the_address(visitor: Visitor) -> None:
    tab = visitor("operator").open("/?status=Active&country=Canada")
    expect(tab.button("Filters · 2")).to_be_visible()


def test_of_rows_that_exclude_each_other_one_is_chosen_by_keyboard(visitor: Visitor) -> None:
    tab = visitor("operator").open("/add-number")
    tab.button("Purchase from Twilio").click()
    tab.button("Search available").click()
    stock = table(tab, "Numbers for sale")
    radios, headers = stock.get_by_role("radio"), stock.get_by_role("rowheader")
    for at, press in ((0, "Space"), (1, "ArrowDown")):
        radios.nth(0).focus()
        tab.page.keyboard.press(press)
        expect(tab.button(f"Continue with {headers.nth(at).inner_text()}")).to_be_enabled()
        assert [one.is_checked() for one in radios.all()].count(True) == 1
    tab.expect_no_error()
