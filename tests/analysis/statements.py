"""What reaches the database while something is done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

_FRAMES = ("PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SET ", "SHOW ")


@contextmanager
def queries_of(database: sa.Engine) -> Iterator[list[str]]:
    """Collect the statements, but for those that only frame others."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.lstrip().upper().startswith(_FRAMES):
            seen.append(" ".join(statement.split()))

    sa.event.listen(database, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(database, "before_cursor_execute", note)


@contextmanager
def plans_of(database: sa.Engine) -> Iterator[list[str]]:
    """Collect the steps by which SQLite answers each question."""
    steps: list[str] = []

    def explain(_connection: object, cursor: Any, statement: str, parameters: Any, *_rest: object) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            steps.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall())

    sa.event.listen(database, "before_cursor_execute", explain)
    try:
        yield steps
    finally:
        sa.event.remove(database, "before_cursor_execute", explain)
