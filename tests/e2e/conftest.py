"""The running app on a data folder of its own, the system's Chromium, and tabs of people who are signed in."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import tenacity
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from providers.sandbox.accounts import MAIN
from tests.e2e.console import Console

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / ".pytest_cache" / "e2e"
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 15_000
SIZE: ViewportSize = {"width": 1400, "height": 900}
CALM: dict[str, Any] = {"viewport": SIZE, "reduced_motion": "reduce"}
"""As somebody's browser who wants no animations: nothing is waited for that only moves."""

Visitor = Callable[..., Console]
Twilio = Callable[..., dict[str, Any]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole-account", action="store_true", help="reconcile all 2,500 numbers of the account")


@pytest.fixture(scope="package")
def sandbox_port() -> int:
    """Where the demo's sandbox listens, to switch its faults on."""
    return free_port()


@pytest.fixture
def fault(server: str, sandbox_port: int) -> Iterator[Callable[..., None]]:
    """Switches a fault of the sandbox on, for the test; each must happen."""
    address = f"http://127.0.0.1:{sandbox_port}/faults"

    def switch_on(**fault: object) -> None:
        requests.post(address, json=fault, timeout=5).raise_for_status()

    yield switch_on
    left = requests.get(address, timeout=5).json()["faults"]
    requests.delete(address, timeout=5)
    assert not left, "a fault that was switched on did not happen"


@pytest.fixture
def twilio(server: str, sandbox_port: int) -> Twilio:
    """Asks the account of the demo, as its own console does."""
    root = f"http://127.0.0.1:{sandbox_port}/api/2010-04-01/Accounts/{MAIN.sid}/IncomingPhoneNumbers"

    def ask(method: str, path: str = "", **values: str) -> dict[str, Any]:
        sent: dict[str, Any] = {"params": values} if method == "GET" else {"data": values}
        answer = requests.request(method, f"{root}{path}.json", auth=(MAIN.sid, MAIN.token), timeout=10, **sent)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    return ask


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the app, with its data in `data`."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="package")
def server(home: Path, sandbox_port: int) -> Iterator[str]:
    """The address of the app, run as in production on a fresh demo workspace."""
    with running(home, sandbox_port) as address:
        yield address


@contextmanager
def running(folder: Path, sandbox_port: int) -> Iterator[str]:
    """Run the app with its data in *folder*, and yield its address. It must log no error."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {
        "NUMBERDESK_DATA_DIR": str(folder / "data"),
        "NUMBERDESK_DEMO": "1",
        "NUMBERDESK_SANDBOX_PORT": str(sandbox_port),
        "NUMBERDESK_SETTLE_SECONDS": "2",
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    command += ["--server.address=127.0.0.1", f"--server.port={port}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_healthy(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
    said = (folder / "log").read_text()
    assert "Traceback" not in said, said
    assert "asked_in_transaction" not in said, said


@tenacity.retry(stop=tenacity.stop_after_delay(60), wait=tenacity.wait_fixed(0.1), reraise=True)
def _wait_until_healthy(port: int, process: "subprocess.Popen[bytes]") -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/health")
        assert connection.getresponse().status == 200
    finally:
        connection.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        pytest.skip(f"No system browser: looked for {', '.join(names)}.")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def signed_in(server: str, browser: Browser) -> Iterator[Callable[[str], BrowserContext]]:
    """A browser for each user, signed in once: its cookie and cache serve every test."""
    with signing_in(server, browser) as of:
        yield of


@contextmanager
def signing_in(server: str, browser: Browser) -> Iterator[Callable[[str], BrowserContext]]:
    """Yield what returns the browser of a user, signed in at the app at *server*."""
    browsers: dict[str, BrowserContext] = {}

    def of(username: str) -> BrowserContext:
        if username not in browsers:
            browsers[username] = browser.new_context(**CALM)
            page = browsers[username].new_page()
            Console(page, server).open().sign_in(username)
            page.close()
        return browsers[username]

    yield of
    for context in browsers.values():
        context.close()


@pytest.fixture
def visitor(
    server: str, browser: Browser, signed_in: Callable[[str], BrowserContext], request: pytest.FixtureRequest
) -> Iterator[Visitor]:
    """Opens a tab: of a user who is signed in, or in a fresh browser of nobody.

    When the test fails, a picture of each tab is kept.
    """
    contexts: list[BrowserContext] = []
    tabs: list[Page] = []

    def open_tab(username: str | None = None, *, width: int = SIZE["width"]) -> Console:
        if username:
            context = signed_in(username)
        else:
            context = browser.new_context(**CALM)
            contexts.append(context)
        tab = context.new_page()
        tabs.append(tab)
        tab.set_default_timeout(PATIENCE)
        tab.set_viewport_size({"width": width, "height": SIZE["height"]})
        return Console(tab, server)

    yield open_tab
    if request.node.stash.get(_FAILED, False):
        PICTURES.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"\W+", "-", request.node.name)
        for place, tab in enumerate(tab for tab in tabs if not tab.is_closed()):
            tab.screenshot(path=PICTURES / f"{name}-{place}.png", full_page=True)
    for opened in (*tabs, *contexts):
        opened.close()


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember for the teardown whether the test failed."""
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
        if report.failed:
            report.sections.append(("Pictures", str(PICTURES)))
    return report
