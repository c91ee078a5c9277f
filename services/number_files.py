"""Files of numbers, as spreadsheets write them: columns matched to our fields, and outcomes to take away."""

from collections.abc import Mapping

from services import exports, files, number_import
from services.connections import vendors
from services.exports import Table
from services.files import Sheet
from services.number_import import Given, Outcome, Report

REQUIRED = ("number",)

_OWN = {
    "number": "Number",
    "connection": "Connection",
    "label": "Label",
    "agent": "Agent",
    "allowed_inbound": "Inbound countries",
    "allowed_outbound": "Outbound countries",
    "tags": "Tags",
    "notes": "Notes",
    "status": "Status",
}
_VENDORS = {
    field.name: (field.label, f"{vendor.name} {field.label}", field.name)
    for vendor in vendors()
    for field in vendor.number_fields
}
_OTHERS = {"countries": "Countries", "cells": "Cells"}

TITLES = {**_OWN, **{name: names[0] for name, names in _VENDORS.items()}}
"""What the columns of our fields are called."""

NUMBER_NAMES = (
    "number",
    "phone number",
    "phone",
    "phone no",
    "telephone number",
    "telephone",
    "tel",
    "tel no",
    "E.164",
    "E.164 number",
    "DID",
    "DID number",
    "DDI",
    "TN",
    "MSISDN",
    "CLI",
    "ANI",
    "caller id",
    "caller id number",
    "virtual number",
)
"""What a column of phone numbers is called by switches, carriers and dialers."""

NAMES = {
    "number": NUMBER_NAMES,
    "connection": ("connection", "telephony connection", "trunk"),
    "label": ("label", "name", "label (name)", "friendly name"),
    "agent": ("agent", "inbound agent", "inbound call agent"),
    "allowed_inbound": ("inbound countries", "allowed inbound countries", "allowed inbound"),
    "allowed_outbound": ("outbound countries", "allowed outbound countries", "allowed outbound"),
    "tags": ("tags", "tag"),
    "notes": ("notes", "note", "comment", "comments"),
    "status": ("status", "state"),
    **_VENDORS,
}
"""What else they may be called; case, spaces, underscores, dashes and dots do not matter."""

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
        row = dict(zip(names, values, strict=True))
        own = {name: value for name, value in row.items() if name in _OWN}
        fields = {name: value for name, value in row.items() if name in _VENDORS}
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


def title(field: str) -> str:
    """Return what the column of a field that was refused is called."""
    return {**TITLES, **_OTHERS}.get(field, field)
