"""How fast it is, measured: each module prints the table that a chapter of the guide quotes. None of them is a test."""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa

import db.base.engine

ROUNDS = 25


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


def compare(of: str, small: tuple[int, Mapping[str, float]], large: tuple[int, Mapping[str, float]]) -> None:
    """Print a table of milliseconds at two sizes of a database, with their ratio."""
    out = sys.stdout.write
    dialect = db.base.engine.current().dialect.name
    out(f"| {dialect} | {small[0]:,} {of} | {large[0]:,} {of} | ratio |\n|---|---|---|---|\n")
    for name, before in small[1].items():
        out(f"| {name} | {before:.1f} ms | {large[1][name]:.1f} ms | {large[1][name] / before:.1f} |\n")
