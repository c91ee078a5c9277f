"""CSV and Excel files of tables, with cells that no spreadsheet will execute."""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self, TypeVar
from zoneinfo import ZoneInfo

import xlsxwriter

from db.audit.queries import AuditRow
from db.numbers.rows import NumberRow
from services.audit import wording
from services.connections.connections import all_providers, provider_named
from services.text import labels, numbering

Cell = str | int | Decimal

Subject = TypeVar("Subject")

EXCEL_ROWS = 1_048_575
"""Rows that a sheet can hold below its header."""

EXCEL_TEXT = 32_767
"""The most characters of a cell; Excel drops longer ones entirely."""

_SIGNS = tuple("=+@-\uff1d\uff0b\uff20\uff0d\ufe66\ufe62\ufe6b\ufe63\u2212\u207a\u207b\u207c")  # wide, small, raised
_PARTS = re.compile(r"([;\t\r\n])")  # where a spreadsheet of other settings begins another cell
_E164 = re.compile(r"\+[0-9]+")
_PLAIN = re.compile(r"[^\W_][^;\t\r\n]*")
_BETWEEN = re.compile("[,;]")
_IN_QUOTES = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?=[,;]|\Z)')
_UNQUOTED = re.compile("[^,;]*")
_LONGEST_LIST = 2_000  # a list of tags is shorter; looking for the ends of quotes takes long in what is not


@dataclass(frozen=True)
class Table:
    """Rows with a header and a title. `note` explains them."""

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    note: str = ""

    @classmethod
    def of(
        cls, title: str, subjects: Iterable[Subject], columns: Mapping[str, Callable[[Subject], Cell]], note: str = ""
    ) -> Self:
        """Return a table with a row for each of *subjects*; *columns* say, by title, what a cell holds of it."""
        cells = columns.values()
        return cls(title, tuple(columns), ([cell(one) for cell in cells] for one in subjects), note)


Writer = Callable[[Iterable[Table]], bytes]
"""Makes a file of tables: `text` or `workbook`."""


def numbers(rows: Iterable[NumberRow], zone: ZoneInfo) -> Table:
    """Return *rows* as a table, with times in *zone*."""
    return Table("Numbers", NUMBERS_HEADER, (number_cells(row, zone) for row in rows))


def activity(rows: Iterable[AuditRow], zone: ZoneInfo) -> Table:
    """Return changes as a table, with times in *zone*."""
    return Table.of(
        "Activity",
        rows,
        {
            "Time": lambda row: row.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
            "Who": lambda row: row.actor,
            "What": wording.event_action,
            "Kind": lambda row: wording.kind(row.subject_type),
            "Subject": lambda row: row.subject,
            "Changes": lambda row: "; ".join(change.text for change in wording.changes(row, zone)),
            "Tenant": lambda row: row.tenant or "",
        },
    )


def text(tables: Iterable[Table]) -> bytes:
    """Return the first of *tables* as CSV in UTF-8, with cells that no spreadsheet will execute."""
    out, table = io.BytesIO(), next(iter(tables))
    with io.TextIOWrapper(out, "utf-8-sig", newline="") as made:
        writer = csv.writer(made)
        writer.writerow(table.header)
        writer.writerows([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in table.rows)
        made.flush()
        return out.getvalue()


def workbook(tables: Iterable[Table], sheet_rows: int = EXCEL_ROWS) -> bytes:
    """Return *tables* as an Excel workbook, a sheet for each; texts stay texts, so none is a formula.

    Rows beyond *sheet_rows* continue on the next sheet. Only one row is in memory besides the file.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(
        out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        bold = book.add_format({"bold": True})
        for table in tables:
            _fill(book, table, bold, sheet_rows)
    return out.getvalue()


def harmless(cell: str) -> str:
    """Return *cell* so that no spreadsheet runs it: what begins like a formula gets an apostrophe.

    So does what begins so behind a semicolon, tab or line end, where other settings begin another cell. A + with
    digits alone is a number whichever way it is read, and other tools want it as it is. `unescaped` takes back
    exactly what this adds.
    """
    if _PLAIN.fullmatch(cell):
        return cell
    return "".join(f"'{part}" if _runs(part) else part for part in _PARTS.split(cell))


def unescaped(cell: str) -> str:
    """Return *cell* without the apostrophes that keep a spreadsheet from running it."""
    if "'" not in cell:
        return cell
    return "".join(part[1:] if part[:1] == "'" and _runs(part[1:]) else part for part in _PARTS.split(cell))


def joined(values: Iterable[str]) -> str:
    """Return several names as one cell, which `parted` takes apart again: `sales; "Hamburg, north"`."""
    return "; ".join(_quoted(value) if _BETWEEN.search(value) or value[:1] == '"' else value for value in values)


def parted(cell: str) -> list[str]:
    """Return the names in a cell, which commas or semicolons part; one in quotes may hold any of them."""
    if '"' not in cell or len(cell) > _LONGEST_LIST:
        return _BETWEEN.split(cell)
    found, at = [], 0
    while at <= len(cell):
        name = _IN_QUOTES.match(cell, at)
        if name:
            found.append(name[1].replace('""', '"'))
        else:
            name = _UNQUOTED.match(cell, at)
            assert name  # it takes anything, also nothing
            found.append(name[0])
        at = name.end() + 1
    return found


def _quoted(value: str) -> str:
    doubled = value.replace('"', '""')
    return f'"{doubled}"'


def _runs(text: str) -> bool:
    """Return whether a cell begins like a formula, behind what may be passed over.

    An apostrophe of its own is: else the cell would lose it when it is read again.
    """
    start = next((at for at, char in enumerate(text) if not _is_passed_over(char)), len(text))
    return text[start:].startswith(_SIGNS) and not _E164.fullmatch(text)


def _is_passed_over(char: str) -> bool:
    """Return whether *char* may be dropped at the start of a cell: a blank, an invisible mark, a quote."""
    return char in "\"'" or char.isspace() or unicodedata.category(char) in ("Cc", "Cf")


_NUMBER_COLUMNS: tuple[tuple[str, Callable[[NumberRow], Cell | datetime | None]], ...] = (
    ("Number", lambda row: row.e164),
    ("Status", lambda row: labels.STATUS[row.status]),
    ("Inbound agent", lambda row: row.agent or labels.UNASSIGNED),
    ("Provider", lambda row: provider_named(row.provider).name),
    ("Connection", lambda row: row.connection),
    ("Name", lambda row: row.label),
    ("Country", lambda row: numbering.country_name(row.country) if row.country else ""),
    ("Type", lambda row: labels.TYPE[row.number_type]),
    ("Managed by", lambda row: labels.MANAGED[row.is_managed]),
    ("Tenant", lambda row: row.tenant),
    ("Created", lambda row: row.created_at),
    ("Inbound countries", lambda row: joined(map(numbering.country_name, row.allowed_inbound))),
    ("Outbound countries", lambda row: joined(map(numbering.country_name, row.allowed_outbound))),
    ("Tags", lambda row: joined(row.tags)),
    ("Notes", lambda row: row.notes),
    *(
        (field.label, lambda row, name=field.name: row.provider_fields.get(name))
        for provider in all_providers()
        for field in provider.number_fields
    ),
    ("Campaigns", lambda row: joined(row.campaigns)),
    ("SID", lambda row: row.provider_sid),
    ("Monthly price", lambda row: row.price),
    ("Currency", lambda row: row.currency),
    ("Changed", lambda row: row.updated_at),
    ("Released", lambda row: row.released_at),
    ("Can be bought back until", lambda row: row.buy_back_until),
)
NUMBERS_HEADER = tuple(title for title, _ in _NUMBER_COLUMNS)
"""Column names of a list of numbers, recognized by the import where it supports them."""


def number_cells(row: NumberRow, zone: ZoneInfo) -> Sequence[Cell]:
    """Return the cells of a number, under NUMBERS_HEADER; empty ones for what it has not."""
    found = (cell(row) for _, cell in _NUMBER_COLUMNS)
    return [
        f"{cell.astimezone(zone):%Y-%m-%d %H:%M}" if isinstance(cell, datetime) else "" if cell is None else cell
        for cell in found
    ]


def _fill(book: xlsxwriter.Workbook, table: Table, bold: object, sheet_rows: int) -> None:
    sheet, line, sheets = _sheet(book, table, table.title, bold), 1, 1
    for row in table.rows:
        if line > sheet_rows:
            sheets += 1
            sheet, line = _sheet(book, table, f"{table.title} {sheets}", bold), 1
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(line, column, _with_own_apostrophes(cell)[:EXCEL_TEXT])
            else:
                sheet.write_number(line, column, cell)
        line += 1


def _with_own_apostrophes(cell: str) -> str:
    """Return *cell* so that reading the file leaves its own apostrophes: in Excel files nothing else needs one."""
    return harmless(cell) if unescaped(cell.strip()) != cell.strip() else cell


def _sheet(book: xlsxwriter.Workbook, table: Table, title: str, bold: object) -> xlsxwriter.workbook.Worksheet:
    sheet = book.add_worksheet(title)
    sheet.write_row(0, 0, table.header, bold)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(table.header) - 1, 20)
    return sheet
