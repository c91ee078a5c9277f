"""Whatever is stored or stands in the address: no reader's browser calls anybody else, and no text becomes a link."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, expect

from tests.e2e.conftest import CALM, PATIENCE, free_port, running
from tests.e2e.console import Console
from tests.e2e.poison import POISON, opened, poison, username

pytestmark = pytest.mark.e2e

_WATCH = """
    window.refused = [];
    addEventListener('securitypolicyviolation', e => window.refused.push(`${e.violatedDirective} ${e.blockedURI}`));
"""
_FOREIGN = """() => [document, ...[...document.querySelectorAll('*')].map(at => at.shadowRoot).filter(Boolean)]
    .flatMap(root => [...root.querySelectorAll('[src], [href], [data], [srcset], [action]')])
    .filter(at => ['src', 'href', 'data', 'srcset', 'action'].some(name => {
        const to = at.getAttribute(name);
        if (to === null) return false;
        const url = new URL(to, location.href);
        return !['data:', 'blob:'].includes(url.protocol) && url.origin !== location.origin;
    })).map(at => at.outerHTML)"""
_DRESSED = """() => [...document.querySelectorAll('.stMarkdownColoredText, [role=img]')]
    .filter(at => ['loud', 'skull'].includes(at.textContent)).map(at => at.parentElement.outerHTML)"""

_GO = "path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')); }"

LISTS = {
    "/": [
        *("search", "status", "provider", "connection", "agent", "country", "type", "managed", "tag", "attention"),
        *("sort", "page", "per_page"),
    ],
    "/campaigns": ["campaigns_search", "campaigns_status", "campaigns_attention", "campaigns_sort"],
    "/agents": ["agents_search", "agents_status"],
    "/connections": ["connections_search", "connections_status", "connections_provider", "connections_test"],
    "/users": ["users_search", "users_role", "users_status"],
    "/tenants": ["tenants_search", "tenants_status"],
    "/number-health": ["health_search", "health_verdict", "health_campaign", "health_days"],
    "/activity": [f"activity_{key}" for key in ("search", "who", "action", "kind", "tenant", "from", "to")],
    "/tenant-audit": ["audit_from", "audit_to", "audit_sort"],
    "/reconcile": ["reconcile_connection", "reconcile_number", "comparison"],
}
"""What each list reads from its address."""

PAGES = [*LISTS, "/add-number", "/import-numbers", "/import-health", "/settings", "/profile"]
WITH_ROWS = {"/agents", "/connections", "/users", "/tenants"}
"""Lists that open a dialog for a row."""

OPENERS = re.compile("^(Add (agent|campaign|connection|user|tenant)|Remove from workspace|Release number|Buy back)$")
"""Buttons that open a dialog."""


class Watched(Console):
    """A tab of which every request, every link and every refusal of the policy is looked at."""

    def __init__(self, page: Page, address: str, called: list[str]) -> None:
        super().__init__(page, address)
        self.called = called

    def look(self, where: str) -> None:
        """Fail on whatever leaves, or would if it were clicked."""
        assert not self.called, (where, self.called)
        for find in (_FOREIGN, "() => window.refused", _DRESSED):
            found = self.page.evaluate(find)
            assert not found, (where, found)
        self.expect_no_error()

    def visit(self, path: str) -> None:
        """Go to *path* within the tab, as a link of the app does, and look at it."""
        with self.rerun():
            self.page.evaluate(_GO, path)
        self.look(path)

    def look_into(self, where: str) -> None:
        """Look at what opens on the page: popovers, and dialogs by button and by row."""
        popovers = self.page.get_by_test_id("stMain").get_by_test_id("stPopoverButton")
        for place in range(popovers.count()):
            self.look_into_popover(popovers.nth(place), where)
        for place in range(self.page.get_by_role("button", name=OPENERS).count()):
            self.page.get_by_role("button", name=OPENERS).nth(place).click()
            self._look_at_dialog(where)
        if urlsplit(where).path in WITH_ROWS:
            self.row(0).get_by_role("rowheader").get_by_role("button").click()
            self._look_at_dialog(where)

    def look_into_popover(self, button: Locator, where: str) -> None:
        if button.is_visible() and button.is_enabled():
            button.click()
            self.page.get_by_test_id("stPopoverBody").first.wait_for()
            self.settle()
            self.look(f"{where}: {button.inner_text()}")
            self.page.keyboard.press("Escape")
            expect(self.page.get_by_test_id("stPopoverBody")).to_have_count(0)

    def _look_at_dialog(self, where: str) -> None:
        dialog = self.page.get_by_role("dialog")
        dialog.wait_for()
        self.settle()
        self.look(f"{where}: {dialog.inner_text()[:40]}")
        for place in range(dialog.get_by_test_id("stPopoverButton").count()):
            button = dialog.get_by_test_id("stPopoverButton").nth(place)
            if button.is_enabled():
                button.click()
                self.page.get_by_test_id("stPopoverBody").first.wait_for()
                self.look(f"{where}: {button.inner_text()}")
                button.click()
        self.page.get_by_role("button", name="Close").last.click()
        expect(dialog).to_have_count(0)
        self.settle()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("poisoned")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The address of an app in which every stored text is poisoned."""
    with running(folder, free_port()) as address:
        poison(folder / "data")
        yield address


@pytest.fixture(scope="module")
def watched(address: str, browser: Browser) -> Iterator[Callable[[str | None], Watched]]:
    """Returns the tab of somebody, or of nobody: of each there is one, in a browser of its own."""
    contexts: list[BrowserContext] = []
    tabs: dict[str | None, Watched] = {}

    def opened_tab(name: str | None) -> Watched:
        context = browser.new_context(**CALM, color_scheme="light" if name == "superadmin" else "dark")
        contexts.append(context)
        context.add_init_script(_WATCH)
        called: list[str] = []

        def note(request: Request) -> None:
            if urlsplit(request.url).scheme not in ("data", "blob") and not request.url.startswith(f"{address}/"):
                called.append(request.url)

        context.on("request", note)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        tab = Watched(page, address, called)
        tab.open("/?tenant=1")
        if name is not None:
            tab.sign_in(username(name))
        return tab

    def tab_of(name: str | None) -> Watched:
        if name not in tabs:
            tabs[name] = opened_tab(name)
        return tabs[name]

    yield tab_of
    for context in contexts:
        context.close()


def numbers(folder: Path) -> list[int]:
    """Return numbers of the first tenant, of each kind that is drawn in a way of its own."""
    with opened(folder / "data" / "numberdesk.db") as app:
        found = app.execute(
            sa.text("""
                WITH ours AS (SELECT * FROM phone_number WHERE tenant_id = 1)
                SELECT min(id) FROM ours WHERE is_managed AND status = 'active' UNION
                SELECT min(id) FROM ours WHERE NOT is_managed AND status = 'active' UNION
                SELECT max(id) FROM ours WHERE status = 'released' UNION
                SELECT number_id FROM number_order WHERE tenant_id = 1 AND state = 'unknown' UNION
                SELECT max(number_id) FROM number_order WHERE tenant_id = 1 AND state = 'failed' UNION
                SELECT max(number_id) FROM campaign_health WHERE tenant_id = 1
            """)
        )
        return list(found.scalars())


def test_a_superadmin_sees_every_page_and_dialog(watched: Callable[[str | None], Watched], folder: Path) -> None:
    tab = watched("superadmin")
    paths = [f"{page}?tenant=1" for page in PAGES]
    paths += [f"/number?id={number}&tenant=1" for number in numbers(folder)]
    for path in [*paths, f"/edit-number?id={numbers(folder)[0]}&tenant=1", "/campaign?id=1&tenant=1"]:
        tab.visit(path)
        tab.look_into(path)
    tab.look_into_popover(tab.page.get_by_test_id("stSidebar").get_by_test_id("stPopoverButton"), "the user's corner")


@pytest.mark.parametrize("name", ["operator", "viewer"])  # the others see no more than a superadmin
def test_every_role_sees_every_page(name: str, watched: Callable[[str | None], Watched], folder: Path) -> None:
    tab = watched(name)
    for path in [*PAGES, f"/number?id={numbers(folder)[0]}", "/campaign?id=1"]:
        tab.visit(path)


def test_whatever_stands_in_the_address(watched: Callable[[str | None], Watched], folder: Path) -> None:
    with opened(folder / "data" / "numberdesk.db") as app:
        agent = app.scalar(sa.text("SELECT name FROM agent WHERE tenant_id = 1 AND is_active"))
        tag = app.scalar(sa.text("SELECT tag FROM number_tag WHERE tenant_id = 1"))
    nobody = watched(None)
    nobody.open(f"/?search={quote(POISON)}").page.wait_for_load_state()
    nobody.look("the sign-in form")
    tab = watched("superadmin")
    for path, keys in LISTS.items():
        tab.visit(f"{path}?tenant=1&id={quote(POISON)}&" + "&".join(f"{key}={quote(POISON)}" for key in keys))
        if keys[0].endswith("search"):
            expect(tab.page.get_by_role("button", name=f"Search: {POISON[:60]}")).to_be_visible()
    tab.visit(f"/?agent={quote(agent)}&tag={quote(tag)}&tenant=1")
    expect(tab.page.get_by_role("button", name=f"Tag: {POISON[:60]}")).to_be_visible()


def test_what_is_typed_comes_back_as_it_is(watched: Callable[[str | None], Watched], folder: Path) -> None:
    tab = watched("admin")
    tab.open("/agents").button("Add agent").click()
    tab.page.get_by_role("dialog").get_by_role("textbox", name="Name").fill(POISON[:80])
    tab.page.get_by_role("dialog").get_by_role("button", name="Add agent").click()
    expect(tab.page.get_by_test_id("stToast")).to_contain_text(f"{POISON[:80].strip()} was added.")
    tab.look("the toast of an agent that was added")


def test_what_a_provider_says(watched: Callable[[str | None], Watched], folder: Path) -> None:
    tab = watched("operator")
    with opened(folder / "data" / "numberdesk.db") as app:
        managed = "SELECT id FROM phone_number WHERE tenant_id = 1 AND is_managed AND provider = 'twilio'"
        number = app.scalar(sa.text(f"{managed} AND status = 'active'"))
    tab.open(f"/number?id={number}&tenant=1").press("Read from Twilio").look("webhooks at the provider")
    tab.button("Re-sync from Twilio").click()
    expect(tab.page.get_by_role("dialog")).to_contain_text(f"At Twilio: {POISON[:60]}")
    tab.look("Re-sync")
    tab.open("/reconcile?tenant=1").press("Compare")
    expect(tab.page.get_by_role("table", name="Different webhooks")).to_be_visible()
    tab.look("Reconcile")
