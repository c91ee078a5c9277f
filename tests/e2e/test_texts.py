"""What `plain` and `code` make of a text is what the reader sees and copies, wherever Streamlit reads Markdown."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests
import tenacity
from playwright.sync_api import Browser

from tests.e2e.conftest import CALM, ROOT, free_port
from tests.e2e.texts import PLACES, TEXTS

pytestmark = pytest.mark.e2e

_READ = """() => Object.fromEntries([...document.querySelectorAll('[class*=st-key-shown_]')].map(at => [
    [...at.classList].find(name => name.startsWith('st-key-shown_')).slice('st-key-shown_'.length), at.innerText]))"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of the page that draws the texts."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "tests/e2e/texts.py", "--server.headless=true"]
    command += ["--server.address=127.0.0.1", f"--server.port={port}"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    address = f"http://127.0.0.1:{port}"
    try:
        for attempt in tenacity.Retrying(stop=tenacity.stop_after_delay(30), wait=tenacity.wait_fixed(0.1)):
            with attempt:
                requests.get(f"{address}/_stcore/health", timeout=5).raise_for_status()
        yield address
    finally:
        process.terminate()
        process.wait(20)


def test_a_text_is_read_and_copied_as_it_was_written(address: str, browser: Browser) -> None:
    context = browser.new_context(**CALM)
    page = context.new_page()
    page.goto(address)
    page.locator(f".st-key-shown_{PLACES[-1]}_{len(TEXTS) - 1}").wait_for(timeout=60_000)
    page.wait_for_function("() => !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')")
    shown: dict[str, str] = page.evaluate(_READ)
    assert len(shown) == len(PLACES) * len(TEXTS)
    wrong = {}
    for key, found in shown.items():
        place, _, number = key.rpartition("_")
        text = re.sub(r"[ \t\r\n]+", " ", TEXTS[int(number)]).strip(" ")
        wanted = f"Before {text} and\n{text}" if place == "words" else text
        if found.replace("\N{NO-BREAK SPACE}", " ").strip() != wanted:
            wrong[key] = wanted, found
    assert not wrong
    links = "[class*=st-key-shown_] a, [class*=st-key-shown_] img"
    assert page.locator(links).count() == 0
    context.close()
