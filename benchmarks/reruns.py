"""What a step through the signed-in list costs: `python -m benchmarks.reruns [SESSIONS …]`, by default 1, 20 and 100.

An app is started on the demo, or on `DATABASE_URL`, and beside it a bare page with 25 rows. Both are driven over their
websocket as browsers do it, one after the other: each session loads the page, and then goes from page to page.
"""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import psutil
import requests
import tenacity
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from benchmarks import report
from components.ui import session as signed_in

STEPS = 30
"""Steps of each session, after the page was loaded."""

APP = str(Path(__file__).parents[1] / "app.py")
BARE = """
import pandas, streamlit as st
st.set_page_config(layout="wide")
st.title("Numbers")
st.text_input("Search")
st.selectbox("Sort", ["Newest first", "By name"])
page = st.pagination(40, key="page", bind="query-params")
rows = [{"Number": f"+1415555{page:02}{n:02}", "Status": "Active", "Name": f"Line {n}"} for n in range(25)]
st.dataframe(pandas.DataFrame(rows), hide_index=True)
"""


class Driven(NamedTuple):
    """What driving an app has shown: milliseconds of each step and of the first load, and what a step cost."""

    steps: list[float]
    first: list[float]
    seconds: float
    cpu: float
    sent: int
    errors: int


@contextmanager
def started(script: str, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Start a Streamlit app with its data in *folder*; yield its address, where it will answer, and its process."""
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as other:
        port, sandbox = free.getsockname()[1], other.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true", f"--server.port={port}"]
    environment = {"NUMBERDESK_DATA_DIR": str(folder), "NUMBERDESK_DEMO": "1", "NUMBERDESK_SANDBOX_PORT": str(sandbox)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603 - ours
    try:
        yield f"127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def running(script: str, folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Start an app as `started` does, and wait until it answers."""
    with started(script, folder) as (address, process):
        await_health(address)
        yield address, process


@tenacity.retry(stop=tenacity.stop_after_delay(60), wait=tenacity.wait_fixed(0.02), reraise=True)
def await_health(address: str) -> None:
    """Wait until an app answers."""
    requests.get(f"http://{address}/_stcore/health", timeout=5).raise_for_status()


def cookie(folder: Path, username: str = "operator") -> str:
    """Return the cookie of somebody who has signed in to the app whose data is in *folder*."""
    os.environ["NUMBERDESK_DATA_DIR"] = str(folder)
    now = datetime.now(UTC)
    return f"{signed_in.COOKIE}={signed_in.make_token(username, now, now + timedelta(days=1))}"


async def _visit(address: str, headers: dict[str, str], driven: Driven, steps: int, thinking: float) -> tuple[int, int]:
    sent = errors = 0
    async with connect(
        f"ws://{address}/_stcore/stream",
        additional_headers=headers,
        subprotocols=[Subprotocol("streamlit")],
        origin=Origin(f"http://{address}"),
        max_size=None,
        open_timeout=120,
    ) as socket:
        for step in range(steps + 1):
            began = time.perf_counter()
            size, wrong = await _rerun(socket, f"page={step % 3 + 1}" if step else "")
            took = (time.perf_counter() - began) * 1000
            (driven.steps if step else driven.first).append(took)
            sent, errors = sent + size * bool(step), errors + wrong
            if thinking:
                await asyncio.sleep(thinking)
    return sent, errors


async def _rerun(socket: ClientConnection, query: str) -> tuple[int, int]:
    """Have the script run; return how many bytes came, and how many exceptions."""
    asked, size, errors = BackMsg(), 0, 0
    asked.rerun_script.query_string = query
    await socket.send(asked.SerializeToString())
    while True:
        data = await asyncio.wait_for(socket.recv(decode=False), 120)
        size += len(data)
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        errors += kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception"
        if kind == "script_finished" and message.script_finished in (0, 2):
            return size, errors


async def drive(
    address: str,
    process: psutil.Process,
    headers: dict[str, str],
    sessions: int,
    steps: int = STEPS,
    thinking: float = 0,
) -> Driven:
    """Have so many *sessions* go from page to page, *thinking* for so many seconds between."""
    driven = Driven([], [], 0, 0, 0, 0)
    began, busy = time.perf_counter(), sum(process.cpu_times()[:2])
    found = await asyncio.gather(*(_visit(address, headers, driven, steps, thinking) for _ in range(sessions)))
    seconds, cpu = time.perf_counter() - began, sum(process.cpu_times()[:2]) - busy
    return driven._replace(
        seconds=seconds, cpu=cpu, sent=sum(size for size, _ in found), errors=sum(wrong for _, wrong in found)
    )


def line(name: str, sessions: int, found: Driven) -> str:
    """Return what was found as a line of the table."""
    ordered, runs = sorted(found.steps), len(found.steps) + len(found.first)
    return (
        f"| {name} | {sessions} | {len(ordered) / found.seconds:.0f} | {statistics.median(ordered):.0f} ms | "
        f"{ordered[int(len(ordered) * 0.95) - 1]:.0f} ms | {1000 * found.cpu / runs:.1f} ms | "
        f"{found.sent / len(ordered) / 1024:.1f} kB | {found.errors} |"
    )


def main(*asked: int) -> None:
    """Print the table of the README."""
    lines = ["| page | sessions | steps a second | p50 | p95 | CPU a run | sent a step | errors |", "|" + "---|" * 8]
    with tempfile.TemporaryDirectory() as name:
        folder, beside = Path(name) / "data", Path(name) / "bare"
        for made in (folder, beside):
            made.mkdir()
        (beside / "bare.py").write_text(BARE)
        with running(APP, folder) as own, running(str(beside / "bare.py"), beside) as bare:
            headers = {"Cookie": cookie(folder)}
            asyncio.run(drive(*own, headers, 2))  # what is imported when it is first used
            for sessions in asked or (1, 20, 100):
                lines.append(line("bare", sessions, asyncio.run(drive(*bare, {}, sessions))))
                lines.append(line("list", sessions, asyncio.run(drive(*own, headers, sessions))))
    report("reruns", lines)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
