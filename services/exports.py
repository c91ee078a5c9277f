"""Files of what a list shows: CSV and Excel."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

import xlsxwriter

from db.audit import AuditRow
from db.numbers import NumberRow
from services import audit_words, numbering, words
from services.connections import vendor

Row = TypeVar("Row")


@dataclass(frozen=True)
class Table(Generic[Row]):
    """What a file of a list has: its header, and the cells of a row with times in the reader's zone."""

    header: Sequence[str]
    cells: Callable[[Row, ZoneInfo], Sequence[str]]


Writer = Callable[[Table[Row], Iterable[Row], ZoneInfo], bytes]
"""Makes a file of rows."""

EXCEL_ROWS = 1_048_575
"""Rows that a sheet can hold below its header."""

EXCEL_LETTERS = 32_767
"""Letters that a cell can hold."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_E164 = re.compile(r"\+[0-9]+")


def csv_file(table: Table[Row], rows: Iterable[Row], zone: ZoneInfo) -> bytes:
    """Return *rows* as CSV in UTF-8, times in *zone*, with cells that no spreadsheet will run."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(table.header)
    writer.writerows([harmless(cell) for cell in table.cells(row, zone)] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def excel_file(table: Table[Row], rows: Iterable[Row], zone: ZoneInfo) -> bytes:
    """Return *rows* as an Excel workbook; every cell is text, so none is a formula.

    What one sheet cannot hold goes on to the next.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(
        out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        bold = book.add_format({"bold": True})
        sheet, line = _sheet(book, bold, table.header), 1
        for row in rows:
            if line > EXCEL_ROWS:
                sheet, line = _sheet(book, bold, table.header), 1
            for column, cell in enumerate(table.cells(row, zone)):
                sheet.write_string(line, column, cell[:EXCEL_LETTERS])
            line += 1
    return out.getvalue()


def harmless(cell: str) -> str:
    """Return *cell* so that no spreadsheet runs it: a leading = + - @ gets an apostrophe.

    A + with digits alone is a number whichever way it is read, and other tools want it as it is.
    """
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) and not _E164.fullmatch(cell) else cell


def _sheet(book: xlsxwriter.Workbook, bold: object, header: Sequence[str]) -> xlsxwriter.workbook.Worksheet:
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, header, bold)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(header) - 1, 20)
    return sheet


def _number_cells(row: NumberRow, zone: ZoneInfo) -> Sequence[str]:
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


def _event_cells(row: AuditRow, zone: ZoneInfo) -> Sequence[str]:
    return (
        row.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
        row.actor,
        audit_words.action(row.action),
        audit_words.kind(row.subject_type),
        row.subject,
        "; ".join(change.text for change in audit_words.changes(row, zone)),
        row.tenant or "",
    )


NUMBERS = Table(
    (
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
    ),
    _number_cells,
)
ACTIVITY = Table(("Time", "Who", "What", "Kind", "Subject", "Changes", "Tenant"), _event_cells)
