"""Files of what a list shows: CSV and Excel."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from zoneinfo import ZoneInfo

import xlsxwriter

from db.numbers import NumberRow
from services import numbering, words
from services.connections import vendor

Maker = Callable[[Iterable[NumberRow], ZoneInfo], bytes]
"""Makes a file of rows, with times in the reader's zone."""

EXCEL_ROWS = 1_048_575
"""Rows that a sheet can hold below its header."""

_HEADER = (
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
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_E164 = re.compile(r"\+[0-9]+")


def numbers_csv(rows: Iterable[NumberRow], zone: ZoneInfo) -> bytes:
    """Return *rows* as CSV in UTF-8, created times in *zone*, with cells that no spreadsheet will run."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEADER)
    writer.writerows([harmless(cell) for cell in _cells(row, zone)] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def numbers_excel(rows: Iterable[NumberRow], zone: ZoneInfo) -> bytes:
    """Return *rows* as an Excel workbook; every cell is text, so none is a formula.

    What one sheet cannot hold goes on to the next.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(
        out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        bold = book.add_format({"bold": True})
        sheet, line = _sheet(book, bold), 1
        for row in rows:
            if line > EXCEL_ROWS:
                sheet, line = _sheet(book, bold), 1
            for column, cell in enumerate(_cells(row, zone)):
                sheet.write_string(line, column, cell)
            line += 1
    return out.getvalue()


def harmless(cell: str) -> str:
    """Return *cell* so that no spreadsheet runs it: a leading = + - @ gets an apostrophe.

    A + with digits alone is a number whichever way it is read, and other tools want it as it is.
    """
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) and not _E164.fullmatch(cell) else cell


def _sheet(book: xlsxwriter.Workbook, bold: object) -> xlsxwriter.workbook.Worksheet:
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, _HEADER, bold)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(_HEADER) - 1, 20)
    return sheet


def _cells(row: NumberRow, zone: ZoneInfo) -> Sequence[str]:
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
