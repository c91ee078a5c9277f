"""Rows of files, as their reader leaves them."""

from typing import Any

from services.jobs import imports
from services.jobs.imports import ImportKind, Row
from services.text import files


def number_row(number: object, connection: object = None, *, at: int = 0, problem: str = "", **cells: object) -> Row:
    """Return a row of a file of numbers; what is None has no column."""
    return _row({"number": number, "connection": connection, **cells}, at, problem)


def fact_row(
    campaign: object,
    number: object,
    day: object,
    attempts: object,
    answered: object,
    completed: object = None,
    short_calls: object = None,
    failed: object = None,
    spam_reports: object = None,
    *,
    at: int = 0,
    problem: str = "",
) -> Row:
    """Return a row of a file of campaign health."""
    cells = {
        "campaign": campaign,
        "number": number,
        "day": day,
        "attempts": attempts,
        "answered": answered,
        "completed": completed,
        "short_calls": short_calls,
        "failed": failed,
        "spam_reports": spam_reports,
    }
    return _row(cells, at, problem)


def _row(cells: dict[str, object], at: int, problem: str) -> Row:
    return Row({field: cell for field, cell in cells.items() if cell is not None}, at, problem)


def rows_of(kind: type[ImportKind[Any]], data: bytes, name: str = "a.csv") -> list[Row]:
    """Return the rows of a file as the page of imports reads them, its columns matched by their names."""
    sheet = files.read(name, data, imports.names(kind))
    return imports.rows(kind, sheet, files.guess(sheet, imports.names(kind)))
