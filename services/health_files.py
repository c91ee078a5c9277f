"""Files of campaign health, as dialers and spreadsheets write them: read as text, columns matched to ours."""

import contextlib
import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import PurePath

import pandas as pd
from charset_normalizer import from_bytes

from services.errors import InvalidInput
from services.health_import import Given

LARGEST = 50 * 2**20
"""Bytes of the largest file that is read."""

REQUIRED = ("campaign", "number", "day", "attempts", "answered")

_NAMES = {
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
_SAMPLE = 64 * 1024


def read(name: str, data: bytes) -> pd.DataFrame:
    """Return the rows of a CSV or Excel file. Raises InvalidInput with the reason when it is neither."""
    if len(data) > LARGEST:
        raise InvalidInput(f"The file has {len(data) / 2**20:,.0f} MB; at most {LARGEST // 2**20} MB can be read.")
    if not data.strip():
        raise InvalidInput("The file is empty.")
    try:
        if PurePath(name).suffix.lower() in (".xlsx", ".xls"):
            frame = pd.read_excel(io.BytesIO(data), engine="calamine", dtype=object)
        else:
            frame = _csv(data)
    except InvalidInput:
        raise
    except Exception as exc:  # whatever the readers raise, each has errors of its own
        raise InvalidInput(f"{name} could not be read as CSV or Excel.") from exc
    frame.columns = [str(column).strip() for column in frame.columns]
    if frame.empty:
        raise InvalidInput("The file has no rows below its header.")
    return frame


def guess(columns: Iterable[str]) -> dict[str, str | None]:
    """Return the column of the file for each of our fields, by its name; None where no name tells."""
    known = {column.casefold(): column for column in columns}
    return {field: next((known[name] for name in names if name in known), None) for field, names in _NAMES.items()}


def rows(frame: pd.DataFrame, matched: Mapping[str, str | None]) -> list[Given]:
    """Return the rows of *frame* in our fields. Raises InvalidInput when a field that is needed has no column."""
    missing = [field for field in REQUIRED if not matched.get(field)]
    if missing:
        raise InvalidInput(f"Say which column holds the {missing[0].replace('_', ' ')}.")
    fields = [field for field in _NAMES if matched.get(field)]
    columns = [frame[matched[field]].tolist() for field in fields]
    return [Given(**dict(zip(fields, values, strict=True))) for values in zip(*columns, strict=True)]


def _csv(data: bytes) -> pd.DataFrame:
    text = _text(data)
    try:
        delimiter = csv.Sniffer().sniff(text[:_SAMPLE], delimiters=",;\t|").delimiter
    except csv.Error:
        delimiter = ","
    return pd.read_csv(io.StringIO(text.lstrip("\ufeff")), sep=delimiter, dtype=str, keep_default_na=False)


def _text(data: bytes) -> str:
    # A few letters do not tell the Western code page from its neighbours, and it is by far the most frequent one.
    likely = ("utf-8-sig",) if b"\0" in data[:_SAMPLE] else ("utf-8-sig", "cp1252")
    for encoding in likely:
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode(encoding)
    best = from_bytes(data[:_SAMPLE]).best()
    if best is None:
        raise InvalidInput("The file is no text that can be read. Save it as UTF-8.")
    return data.decode(best.encoding)
