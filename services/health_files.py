"""Files of campaign health, as dialers and spreadsheets write them: columns matched to our fields."""

from collections.abc import Mapping

import pandas as pd

from services import files
from services.health_import import Given

REQUIRED = ("campaign", "number", "day", "attempts", "answered")

NAMES = {
    "campaign": ("campaign", "campaign name", "campaign_name", "pool"),
    "number": ("number", "phone number", "phone_number", "e164", "caller id", "caller_id", "ani", "did", "from"),
    "day": ("day", "date"),
    "attempts": ("attempts", "calls", "dialed", "dials"),
    "answered": ("answered", "answers", "connected"),
    "completed": ("completed",),
    "short_calls": ("short calls", "short_calls"),
    "failed": ("failed", "failed to connect"),
    "spam_reports": ("spam reports", "spam_reports", "spam"),
}
"""What the columns of our fields are called, in lower case."""


def rows(frame: pd.DataFrame, matched: Mapping[str, str | None]) -> list[Given]:
    """Return the rows of *frame* in our fields. Raises InvalidInput when a field that is needed has no column."""
    fields, columns = files.columns(frame, matched, REQUIRED)
    return [Given(**dict(zip(fields, values, strict=True))) for values in zip(*columns, strict=True)]
