"""How long the app takes from its command to the list in a browser: `python -m benchmarks.start`.

The first start makes the demo, and ends with the sign-in; the others find it there, and the browser signed in.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks import report
from benchmarks.reruns import await_health, cookie
from components.ui.session import COOKIE

ROOT = Path(__file__).parents[1]


def once(browser: Browser, folder: Path, *, is_first: bool) -> tuple[float, float]:
    """Start the app on the data in *folder*; return after how many seconds it answers, and its page is there."""
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as other:
        port, sandbox = free.getsockname()[1], other.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = {"NUMBERDESK_DATA_DIR": str(folder), "NUMBERDESK_DEMO": "1", "NUMBERDESK_SANDBOX_PORT": str(sandbox)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    context = browser.new_context()
    if not is_first:
        context.add_cookies([{"name": COOKIE, "value": cookie(folder).partition("=")[2], "url": address}])
    page, began = context.new_page(), time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - ours
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await_health(f"{address}/_stcore/health")
        answers = time.perf_counter() - began
        page.goto(address)
        (page.get_by_role("button", name="Sign in") if is_first else page.get_by_role("row").nth(25)).wait_for()
        return answers, time.perf_counter() - began
    finally:
        context.close()
        process.terminate()
        process.wait(30)


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
