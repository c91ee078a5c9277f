"""How long numbers take to come in by the file: `python -m benchmarks.file_import [ROWS]`."""

import random
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from sqlmodel import Session

import db.base.engine
from benchmarks import database
from db.models import Role
from services.core.access import Actor
from services.jobs import engine, import_jobs, imports, jobs
from services.numbers.import_fields import FIELDS
from services.numbers.number_import import NumberImport
from services.setup import builder
from services.text import exports, files, numbering
from services.text.exports import Table

AGENTS, CONNECTIONS = 20, 5
FIRST = (14152000000, 12122000000, 14162000000, 49302000000, 919820000000, 447946000000)
"""The first of the numbers, of six places in turn."""

Done = TypeVar("Done")


def world(session: Session) -> Actor:
    """Write a tenant with connections and agents; return its admin."""
    at = builder.tenant(session, "Load").id
    user = builder.user(session, "load", {at: Role.ADMIN})
    for i in range(CONNECTIONS):
        builder.connection(session, at, f"Trunk {i}")
    for i in range(AGENTS):
        builder.agent(session, at, f"Agent {i}")
    session.commit()
    return builder.actor(user, at, Role.ADMIN)


def file(amount: int) -> bytes:
    """Return a CSV file of *amount* numbers of several countries, every column filled."""
    chance = random.Random(7)
    rows = (
        (
            f"+{FIRST[i % len(FIRST)] + i // len(FIRST)}",
            f"Trunk {chance.randrange(CONNECTIONS)}",
            f"Line {i}",
            f"Agent {chance.randrange(AGENTS)}",
            "US; Canada",
            "",
            "moved",
            "Brought over from the old console",
        )
        for i in range(amount)
    )
    return exports.text([Table("Numbers", [field.title for field in FIELDS[:8]], rows)])


def timed(what: str, rows: int, act: Callable[[], Done]) -> Done:
    """Do *act* and print how long it took, and how much of it was our own work."""
    began, worked = time.perf_counter(), time.process_time()
    done = act()
    took, worked = time.perf_counter() - began, time.process_time() - worked
    sys.stdout.write(f"| {what} | {took:.2f} s | {rows / took:,.0f} | {worked:.2f} s |\n")
    sys.stdout.flush()
    return done


def main(amount: int = 20_000) -> None:
    """Print the table of the guide."""
    data, kind = file(amount), NumberImport()
    with database() as where, db.base.engine.open_session() as session:
        actor = world(session)
        sys.stdout.write(f"| {amount:,} rows, {where.dialect.name} | time | rows a second | our own work |\n")
        sys.stdout.write("|---|---|---|---|\n")
        frame = timed("read the file", amount, lambda: files.read("numbers.csv", data))
        matched = files.guess(frame, imports.names(NumberImport))
        given = imports.rows(NumberImport, frame, matched)
        timed("understand the numbers alone", amount, lambda: [numbering.read(str(row.get("number"))) for row in given])
        timed("check", amount, lambda: imports.check(session, actor, kind, given))

        def draft() -> int:
            return import_jobs.draft(session, actor, kind, frame, matched, "numbers.csv")

        def write() -> None:
            while engine.advance(job) is not engine.Step.END:
                pass

        job = timed("check and keep as a preview", amount, draft)
        jobs.start(session, actor, job)
        timed("write", amount, write)
        session.rollback()
        timed("the same file again", amount, draft)
        table = import_jobs.results(session, actor, job)
        timed("the rows with outcomes", amount, lambda: exports.text([table]))
        changed = jobs.get(session, actor, job).changed
    sys.stdout.write(f"\n{changed:,} added.\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
