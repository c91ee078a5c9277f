"""How long the app takes from its command to the list in a browser: `python -m benchmarks.start`.

The first start makes the demo, and ends with the sign-in; the others find it there, and the browser signed in.
"""

import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks import report
from benchmarks.reruns import APP, await_health, cookie, started
from components.ui.session import COOKIE


def once(browser: Browser, folder: Path, *, is_first: bool) -> tuple[float, float]:
    """Start the app on the data in *folder*; return after how many seconds it answers, and its page is there."""
    context, began = browser.new_context(), time.perf_counter()
    with started(APP, folder) as (address, _):
        if not is_first:
            value = cookie(folder).partition("=")[2]
            context.add_cookies([{"name": COOKIE, "value": value, "url": f"http://{address}"}])
        page = context.new_page()
        await_health(address)
        answers = time.perf_counter() - began
        page.goto(f"http://{address}")
        (page.get_by_role("button", name="Sign in") if is_first else page.get_by_role("row").nth(25)).wait_for()
        there = time.perf_counter() - began
        context.close()
    return answers, there


def main() -> None:
    """Print the table of the README."""
    lines = ["| start | answers after | page after |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for turn in ("the first, which makes the demo", "the second", "the third"):
            answers, there = once(browser, Path(name), is_first=turn.startswith("the first"))
            lines.append(f"| {turn} | {answers:.1f} s | {there:.1f} s |")
        browser.close()
    report("start", lines)


if __name__ == "__main__":
    main()
