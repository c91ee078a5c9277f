"""How fast it is, measured: each module prints the table that a chapter of the guide quotes. None of them is a test."""

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

import db.base.engine

ROUNDS = 25
RESULTS = Path(__file__).parent / "results"


@contextmanager
def database() -> Iterator[sa.Engine]:
    """Have `DATABASE_URL`, which is empty, in use, or a SQLite file that goes away again."""
    with tempfile.TemporaryDirectory() as folder:
        engine = db.base.engine.make_engine(os.environ.get("DATABASE_URL") or f"sqlite:///{folder}/benchmark.db")
        db.base.engine.migrate(engine)
        db.base.engine.use(engine)
        yield engine
        engine.dispose()


def analyze() -> None:
    """Tell the database in use what it holds, as it notices by itself in time."""
    engine = db.base.engine.current()
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def median(act: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Do *act* so many times; return the median in milliseconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def report(name: str, lines: Sequence[str]) -> None:
    """Print a table, and write it to `results` with the machine that it was measured on."""
    text = "\n".join(lines)
    sys.stdout.write(f"{text}\n")
    machine = f"{os.cpu_count()} cores ({_processor()}), {platform.system()}, Python {platform.python_version()}"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(f"`python -m benchmarks.{name.partition('-')[0]}`, {machine}\n\n{text}\n")


def _processor() -> str:
    named = (
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    )
    return next(named, platform.machine())


def compare(of: str, small: tuple[int, Mapping[str, float]], large: tuple[int, Mapping[str, float]]) -> None:
    """Print a table of milliseconds at two sizes of a database, with their ratio."""
    dialect = db.base.engine.current().dialect.name
    lines = [f"| {dialect} | {small[0]:,} {of} | {large[0]:,} {of} | ratio |", "|---|---|---|---|"]
    for name, after in large[1].items():
        before = small[1].get(name)
        ratio = f"{before:.1f} ms | {after:.1f} ms | {after / before:.1f}" if before else f"— | {after:.1f} ms | —"
        lines.append(f"| {name} | {ratio} |")
    report(f"{of}-{dialect}", lines)
