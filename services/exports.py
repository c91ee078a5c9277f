"""Files of tables: CSV and Excel, with cells that no spreadsheet will run."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

import xlsxwriter

from db.audit import AuditRow
from db.numbers import NumberRow
from services import audit_words, numbering, words
from services.connections import vendor

Cell = str | int | Decimal

EXCEL_ROWS = 1_048_575
"""Rows that a sheet can hold below its header."""

EXCEL_TEXT = 32_767
"""Characters that a cell can hold; one more and Excel has none of them."""

NUMBERS_HEADER = (
    "Number",
    "Status",
    "Inbound agent",
    "Provider",
    "Connection",
    "Name",
    "Country",
    "Type",
    "Managed by",
    "Tenant",
    "Created",
)
ACTIVITY_HEADER = ("Time", "Who", "What", "Kind", "Subject", "Changes", "Tenant")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_DIGITS = tuple("0123456789")
_E164 = re.compile(r"\+[0-9]+")


@dataclass(frozen=True)
class Table:
    """Rows under a header and a title, wherever they are shown. `note` says what they mean."""

    title: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    note: str = ""


Maker = Callable[[Iterable[Table]], bytes]
"""Makes a file of tables: `text` or `workbook`."""


def numbers(rows: Iterable[NumberRow], zone: ZoneInfo) -> Table:
    """Return *rows* as a table, created times in *zone*."""
    return Table("Numbers", NUMBERS_HEADER, (number_cells(row, zone) for row in rows))


def activity(rows: Iterable[AuditRow], zone: ZoneInfo) -> Table:
    """Return changes as a table, with times in *zone*."""
    return Table("Activity", ACTIVITY_HEADER, (event_cells(row, zone) for row in rows))


def text(tables: Iterable[Table]) -> bytes:
    """Return the first of *tables* as CSV in UTF-8, with cells that no spreadsheet will run."""
    out, table = io.StringIO(), next(iter(tables))
    writer = csv.writer(out)
    writer.writerow(table.header)
    writer.writerows([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in table.rows)
    return out.getvalue().encode("utf-8-sig")


def workbook(tables: Iterable[Table]) -> bytes:
    """Return *tables* as an Excel workbook, a sheet for each; texts stay texts, so none is a formula.

    What one sheet cannot hold goes on to the next. No more than a row is held in memory besides the file.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(
        out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        bold = book.add_format({"bold": True})
        for table in tables:
            _fill(book, table, bold)
    return out.getvalue()


def harmless(cell: str) -> str:
    """Return *cell* so that no spreadsheet runs it: a leading = + - @ gets an apostrophe.

    A + with digits alone is a number whichever way it is read, and other tools want it as it is.
    """
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) and not _E164.fullmatch(cell) else cell


def unescaped(cell: str) -> str:
    """Return *cell* without the apostrophe that keeps a spreadsheet from running it, or from making it a number."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*_FORMULA_STARTS, *_DIGITS)) else cell


def number_cells(row: NumberRow, zone: ZoneInfo) -> Sequence[str]:
    """Return the cells of a number, under NUMBERS_HEADER."""
    return (
        row.e164,
        words.STATUS[row.status],
        row.agent or "Unassigned",
        vendor(row.provider).name,
        row.connection or "",
        row.label,
        numbering.country_name(row.country) if row.country else "",
        words.TYPE[row.number_type],
        words.MANAGED[row.is_managed],
        row.tenant,
        row.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
    )


def event_cells(row: AuditRow, zone: ZoneInfo) -> Sequence[str]:
    """Return the cells of a change, under ACTIVITY_HEADER."""
    return (
        row.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
        row.actor,
        audit_words.deed(row),
        audit_words.kind(row.subject_type),
        row.subject,
        "; ".join(change.text for change in audit_words.changes(row, zone)),
        row.tenant or "",
    )


def _fill(book: xlsxwriter.Workbook, table: Table, bold: object) -> None:
    sheet, line, sheets = _sheet(book, table, table.title, bold), 1, 1
    for row in table.rows:
        if line > EXCEL_ROWS:
            sheets += 1
            sheet, line = _sheet(book, table, f"{table.title} {sheets}", bold), 1
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(line, column, cell[:EXCEL_TEXT])
            else:
                sheet.write_number(line, column, cell)
        line += 1


def _sheet(book: xlsxwriter.Workbook, table: Table, title: str, bold: object) -> xlsxwriter.workbook.Worksheet:
    sheet = book.add_worksheet(title)
    sheet.write_row(0, 0, table.header, bold)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(table.header) - 1, 20)
    return sheet
