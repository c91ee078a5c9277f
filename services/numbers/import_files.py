"""Files of numbers, as spreadsheets write them: columns matched to our fields, and outcomes to take away."""

from collections.abc import Mapping

from services.numbers import number_import
from services.numbers.import_columns import NAMES, OWN, PROVIDER_FIELDS, TITLES
from services.numbers.number_import import Given, Outcome, Report, Result
from services.text import exports, files
from services.text.exports import Table
from services.text.files import Sheet

__all__ = ["NAMES", "REQUIRED", "TITLES", "outcomes", "rows", "template", "titles"]

REQUIRED = ("number",)

_OTHERS = {"countries": "Countries", "cells": "Cells"}
_OURS = ("Row", "Outcome", "Reason")
"""The columns before those of the file, in the file of outcomes."""


def rows(sheet: Sheet, matched: Mapping[str, str | None]) -> list[Given]:
    """Return the rows of *sheet* in our fields.

    Raises InvalidInput when there are too many, or no column holds the number.
    """
    number_import.expect_few(len(sheet.rows))
    names, columns = files.columns(sheet, matched, REQUIRED)
    found = []
    for read, values in zip(sheet.rows, zip(*columns, strict=True), strict=True):
        row = {name: "" if value is None else value for name, value in zip(names, values, strict=True)}
        own = {name: value for name, value in row.items() if name in OWN}
        fields = {name: value for name, value in row.items() if name in PROVIDER_FIELDS}
        found.append(Given(**own, fields=fields, row=read.number, problem=read.problem))
    return found


def template(connection: str) -> bytes:
    """Return a CSV file to fill in: its header, and one row as an example, on *connection*."""
    example = {
        "number": "+14155551212",
        "connection": connection,
        "label": "Front desk",
        "allowed_inbound": "United States; Canada",
        "allowed_outbound": "US",
        "tags": "sales; west",
        "status": "Active",
    }
    return exports.text([Table("Numbers", list(TITLES.values()), [[example.get(name, "") for name in TITLES]])])


def outcomes(sheet: Sheet, report: Report, words: Mapping[Outcome, str]) -> bytes:
    """Return the file's rows as CSV behind their outcomes, to be mended and imported again.

    A row that did not fit the header still does not: its cells are those of the file.
    """
    first = len(_OURS) if tuple(sheet.columns[: len(_OURS)]) == _OURS else 0
    made = (
        [str(result.row), words[result.outcome], result.reason, *map(files.text, row.cells[first:])]
        for row, result in zip(sheet.rows, report.results, strict=True)
    )
    return exports.text([Table("Outcomes", [*_OURS, *map(exports.harmless, sheet.titles[first:])], made)])


def titles(result: Result) -> str:
    """Return what the columns of the fields are called that were refused, or differ."""
    fields = [result.field] if result.field else [one.field for one in result.differences]
    return ", ".join({**TITLES, **_OTHERS}.get(field, field) for field in fields)
