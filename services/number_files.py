"""Files of numbers, as spreadsheets write them: columns matched to our fields, and outcomes to take away."""

from collections.abc import Mapping

import pandas as pd

from services import exports, files, number_import
from services.connections import vendors
from services.exports import Table
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
}
_VENDORS = {
    field.name: (field.label, f"{vendor.name} {field.label}".lower(), field.name, field.name.replace("_", " "))
    for vendor in vendors()
    for field in vendor.number_fields
}
_COUNTRIES = {"countries": "Countries"}

TITLES = {**_OWN, **{name: names[0] for name, names in _VENDORS.items()}}
"""What the columns of our fields are called."""

NAMES = {
    "number": (
        "number",
        "phone number",
        "phone_number",
        "phone",
        "e164",
        "e.164",
        "did",
        "ani",
        "caller id",
        "caller_id",
    ),
    "connection": ("connection", "telephony connection", "telephony_connection", "trunk"),
    "label": ("label", "name", "label (name)", "friendly name", "friendly_name"),
    "agent": ("agent", "inbound agent", "inbound call agent", "inbound_agent"),
    "allowed_inbound": ("inbound countries", "allowed inbound countries", "inbound_countries", "allowed_inbound"),
    "allowed_outbound": ("outbound countries", "allowed outbound countries", "outbound_countries", "allowed_outbound"),
    "tags": ("tags", "tag"),
    "notes": ("notes", "note", "comment", "comments"),
    **{name: tuple(called.lower() for called in names) for name, names in _VENDORS.items()},
}
"""What else they may be called, in lower case."""

_OUTCOME, _REASON = "Outcome", "Reason"


def rows(frame: pd.DataFrame, matched: Mapping[str, str | None]) -> list[Given]:
    """Return the rows of *frame* in our fields.

    Raises InvalidInput when there are too many, or no column holds the number.
    """
    number_import.expect_few(len(frame))
    names, columns = files.columns(frame, matched, REQUIRED)
    found = []
    for values in zip(*columns, strict=True):
        row = dict(zip(names, values, strict=True))
        own = {name: value for name, value in row.items() if name in _OWN}
        found.append(Given(**own, fields={name: value for name, value in row.items() if name in _VENDORS}))
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
    }
    return exports.text([Table("Numbers", list(TITLES.values()), [[example.get(name, "") for name in TITLES]])])


def outcomes(frame: pd.DataFrame, report: Report, words: Mapping[Outcome, str]) -> bytes:
    """Return the file's rows as CSV with their outcomes, to be mended and imported again."""
    kept = [column for column in frame.columns if column not in (_OUTCOME, _REASON)]
    given = zip(*(frame[column].tolist() for column in kept), strict=True)
    made = (
        [*(files.text(cell) for cell in row), words[result.outcome], result.reason]
        for row, result in zip(given, report.results, strict=True)
    )
    return exports.text([Table("Outcomes", [*map(exports.harmless, kept), _OUTCOME, _REASON], made)])


def title(field: str) -> str:
    """Return what the column of a field that was refused is called."""
    return {**TITLES, **_COUNTRIES}.get(field, field)
