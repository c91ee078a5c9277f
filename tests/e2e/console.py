"""The console as a person at a browser uses it: signs in, reads the list, clicks, types, waits for what comes."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, WebSocket, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

PASSWORD = "demo-password"

LISTING = "[data-testid=stBidiComponentIsolated]"
"""Where a list is drawn, as real HTML."""

_CELLS = """() => {
    const lists = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')];
    const rows = lists.flatMap(list => [...(list.shadowRoot?.querySelectorAll('tbody tr') ?? [])]);
    const grids = rows.length ? [] : document.querySelectorAll('[data-testid=stDataFrame] tbody tr');
    const text = cell => [...cell.querySelectorAll('.badge')].map(badge => badge.textContent).join(', ');
    return [...rows, ...grids].map(row =>
        [...row.querySelectorAll('th, td:not(.tick)')].map(cell => text(cell) || cell.textContent));
}"""
# The grid writes its hidden table a moment after its canvas: it is to be the same twice in a row.
_STEADY = """() => {
    const now = JSON.stringify((CELLS)()), steady = now !== '[]' && now === window.lastCells;
    window.lastCells = now;
    return steady;
}""".replace("CELLS", _CELLS)
_SHOWN = "() => JSON.stringify(({cells})().map(row => row[0])) === {wanted}"


class Console:
    """One tab at *address*."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self._socket: WebSocket | None = None
        page.on("websocket", self._connected)

    def _connected(self, socket: WebSocket) -> None:
        self._socket = socket

    def open(self, path: str = "/") -> Self:
        """Go to *path* and wait until it is drawn."""
        self.page.goto(self.address + path)
        return self.settle()

    def settle(self) -> Self:
        """Wait until the script has run and nothing on the page is out of date."""
        app = self.page.locator("[data-testid=stApp]")
        expect(app).to_have_attribute("data-test-connection-state", "CONNECTED")
        expect(app).to_have_attribute("data-test-script-state", "notRunning")
        expect(
            self.page.locator("[data-testid=stStatusWidget], [data-stale=true], [data-testid=stSkeleton]")
        ).to_have_count(0)
        return self

    @contextmanager
    def rerun(self) -> Iterator[None]:
        """Do something that makes the script run, and wait until it has."""
        assert self._socket is not None, "Open a page first."
        with self._socket.expect_event("framereceived", _ends_a_run):
            yield
        self.settle()

    def sign_in(self, username: str, password: str = PASSWORD) -> Self:
        """Fill the sign-in form and wait until its cookie is written."""
        self.page.get_by_role("textbox", name="User name").fill(username)
        self.page.get_by_role("textbox", name="Password").fill(password)
        self.button("Sign in").click()
        expect(self.page.locator("[data-testid=stSidebarUserContent]")).to_be_visible()
        self.page.wait_for_function("() => document.cookie.includes('numberdesk=')")
        return self.settle()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> Self:
        with self.rerun():
            self.button(name).click()
        return self

    def field(self, name: str) -> Locator:
        return self.page.get_by_role("textbox", name=name, exact=True)

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name, exact=True)

    def choose(self, name: str, option: str) -> Self:
        """Choose *option* in the selectbox or multiselect *name*, and close its menu."""
        self.settle()
        box = self.page.get_by_role("combobox", name=name, exact=True)
        choice = self.page.get_by_role("option", name=option, exact=True)
        box.scroll_into_view_if_needed()
        box.click()
        self.page.get_by_role("option").first.wait_for()
        if not choice.count():  # a long menu draws only what can be seen of it
            box.fill(option)
        with self.rerun():
            choice.click()
            if box.get_attribute("aria-expanded") == "true":
                box.press("Escape")
        return self

    def choose_tenant(self, tenant: str) -> Self:
        chosen = self.page.locator("[data-testid=stSidebar] [data-testid=stSelectbox]")
        box = self.page.get_by_role("combobox", name="Tenant", exact=True)
        if tenant not in chosen.inner_text() and box.input_value() != tenant:
            self.choose("Tenant", tenant)
        expect(self.page.get_by_text("Select a tenant")).to_have_count(0)
        return self

    def filter(self, name: str, option: str) -> Self:
        """Add *option* to the filter *name* and close the filters again."""
        filters = self.page.get_by_role("button", name=re.compile("^Filters"))
        filters.click()
        self.choose(name, option)
        expect(self.button(f"{name}: {option}")).to_be_visible()
        filters.click()
        expect(self.page.get_by_role("combobox", name=name, exact=True)).to_have_count(0)
        return self

    def search(self, text: str) -> Self:
        """Type into the search box and wait until the address carries it."""
        box = self.page.get_by_role("searchbox", name="Search", exact=True)
        with self.rerun():
            box.fill(text)
            box.press("Enter")
        self.page.wait_for_function(
            "text => (new URLSearchParams(location.search).get('search') ?? '') === text", arg=text
        )
        return self

    @property
    def query(self) -> dict[str, list[str]]:
        """What the address says after its `?`."""
        return parse_qs(urlsplit(self.page.url).query)

    def rows(self) -> list[list[str]]:
        """Return the cells of the list's rows; without a list, of a grid's, as its hidden table has them."""
        self.page.evaluate("() => { window.lastCells = undefined; }")
        self.page.wait_for_function(_STEADY, polling=300)
        cells: list[list[str]] = self.page.evaluate(_CELLS)
        return cells

    def numbers(self) -> list[str]:
        """Return the numbers in the grid."""
        return [row[0] for row in self.rows()]

    def expect_numbers(self, wanted: list[str]) -> None:
        """Wait until the grid shows exactly the numbers *wanted*."""
        text = json.dumps(json.dumps(wanted, separators=(",", ":"), ensure_ascii=False))
        self.page.wait_for_function(_SHOWN.format(cells=_CELLS, wanted=text))

    def expect_count(self, text: str) -> None:
        """Wait until the list says how many numbers there are."""
        expect(self.page.locator(".st-key-pager")).to_contain_text(text)

    def count(self) -> int:
        """Return how many numbers the list says there are."""
        found = re.search(r"([\d,]+) numbers?", self.page.locator(".st-key-pager").inner_text())
        assert found
        return int(found[1].replace(",", ""))

    def row(self, index: int) -> Locator:
        """Return a row of the list."""
        return self.page.locator(f"{LISTING} tbody tr").nth(index)

    def open_row(self, index: int) -> Self:
        """Click the number in a row of the list, which opens its page."""
        self.row(index).get_by_role("link").first.click()
        expect(self.page).to_have_url(re.compile(r"/number\?id=\d+"))
        return self.settle()

    def select_row(self, index: int) -> Self:
        """Select a row of the list."""
        with self.rerun():
            self.row(index).locator("input").check()
        return self

    def section(self, title: str) -> Locator:
        """Return the form on a number's page whose title is *title*."""
        return self.page.locator("[data-testid=stForm]").filter(has=self.page.get_by_text(title, exact=True))

    def save_label(self, text: str) -> None:
        """Type a label and save it; what comes of it is the caller's to await."""
        self.field("Label").fill(text)
        self.section("Label").get_by_role("button", name="Save").click()

    def expect_no_error(self) -> None:
        """See that nothing went wrong on the page."""
        expect(self.page.locator("[data-testid=stException]")).to_have_count(0)
        expect(self.page.get_by_text("Something went wrong on our side")).to_have_count(0)


def _ends_a_run(frame: bytes | str) -> bool:
    """Return whether the server says with *frame* that the script has run to its end."""
    if isinstance(frame, str):
        return False
    message = ForwardMsg.FromString(frame)
    return bool(message.HasField("script_finished") and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY)
