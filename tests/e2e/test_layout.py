"""Wide and narrow: on a phone no page scrolls sideways."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SIZE, Visitor
from tests.e2e.console import Console

pytestmark = pytest.mark.e2e

_TOO_WIDE = """() => {
    const scrolls = e => e === document.documentElement || /auto|scroll/.test(getComputedStyle(e).overflowX);
    const scrolled = '[data-testid=stDataFrame], [data-testid=stTable], pre';
    const main = [...document.querySelectorAll('[data-testid=stMain] *')].filter(e => !e.closest(scrolled));
    const around = [document.documentElement, document.body, document.querySelector('[data-testid=stMain]')];
    const outside = main.filter(e => e.offsetWidth && e.getBoundingClientRect().right > innerWidth + 1);
    return [...around.filter(e => scrolls(e) && e.scrollWidth > e.clientWidth), ...outside]
        .map(e => e.dataset.testid || e.className || e.tagName);
}"""


def expect_no_sideways_scroll(tab: Console) -> None:
    assert tab.page.evaluate(_TOO_WIDE) == []


def test_no_page_of_administration_scrolls_sideways_on_a_phone(visitor: Visitor) -> None:
    tab = visitor("superadmin", width=400)
    for path in ("/users?tenant=1", "/tenants", "/settings", "/profile"):
        tab.open(path)
        expect_no_sideways_scroll(tab)


def test_no_page_scrolls_sideways_on_a_phone(visitor: Visitor) -> None:
    tab = visitor("operator", width=400)
    for path in (
        "/",
        "/?status=Active&country=Canada&search=1&type=Local",
        "/campaigns",
        "/settings",
        "/profile",
        "/add-number",
    ):
        tab.open(path)
        expect_no_sideways_scroll(tab)
    tab.button("Add manually").click()
    tab.field("Phone number (E.164)").fill("+1 415 555 2671")
    tab.choose("Telephony connection", "SIP trunk Denver · Generic SIP")
    expect_no_sideways_scroll(tab)
    tab.press("Next: Configure number")
    tab.field("Label (name)").wait_for()
    expect_no_sideways_scroll(tab)
    tab.open("/number?id=5")
    tab.page.get_by_text("History", exact=True).wait_for()
    expect_no_sideways_scroll(tab)


@pytest.mark.parametrize("width", [1400, 400])
def test_what_was_done_is_not_said_on_top_of_the_primary_action(visitor: Visitor, width: int) -> None:
    tab = visitor("admin", width=width).open("/number?id=5")
    tab.save_label(tab.field("Label").input_value())
    toast = tab.page.locator("[data-testid=stToast]")
    expect(toast).to_be_visible()
    box = toast.bounding_box()
    assert box is not None
    assert box["y"] > SIZE["height"] / 2
