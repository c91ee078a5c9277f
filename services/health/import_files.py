"""Files of campaign health, as dialers and spreadsheets write them: columns matched to our fields."""

from collections.abc import Mapping

from services.health.health_import import Given
from services.numbers.import_columns import NUMBER_NAMES
from services.text import files
from services.text.files import Sheet

REQUIRED = ("campaign", "number", "day", "attempts", "answered")

NAMES = {
    "campaign": ("campaign", "campaign name", "pool"),
    "number": (*NUMBER_NAMES, "from", "from number"),
    "day": ("day", "date"),
    "attempts": ("attempts", "calls", "dialed", "dialled", "dials"),
    "answered": ("answered", "answers", "connected"),
    "completed": ("completed",),
    "short_calls": ("short calls",),
    "failed": ("failed", "failed to connect"),
    "spam_reports": ("spam reports", "spam"),
}
"""What the columns of our fields are called; case, spaces, underscores, dashes and dots do not matter."""


def rows(sheet: Sheet, matched: Mapping[str, str | None]) -> list[Given]:
    """Return the rows of *sheet* in our fields. Raises InvalidInput when a field that is needed has no column."""
    fields, columns = files.columns(sheet, matched, REQUIRED)
    return [
        Given(**dict(zip(fields, values, strict=True)), row=read.number, problem=read.problem)
        for read, values in zip(sheet.rows, zip(*columns, strict=True), strict=True)
    ]
