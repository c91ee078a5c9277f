"""Files that people bring, as programs and spreadsheets write them: read as a table, columns matched to our fields."""

import contextlib
import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath

import pandas as pd
from charset_normalizer import from_bytes

from services import exports
from services.errors import InvalidInput

LARGEST = 50 * 2**20
"""Bytes of the largest file that is read."""

_SAMPLE = 64 * 1024
_SHORTENED = re.compile(r"\d(\.\d+)?[eE]\+?\d+")


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
    frame.columns = _told_apart(str(column).strip() for column in frame.columns)
    frame = frame.head(_filled(frame))
    if frame.empty:
        raise InvalidInput("The file has no rows below its header.")
    return frame


def guess(columns: Iterable[str], names: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """Return the column of the file for each field in *names*, by what it is called; None where no name tells."""
    known = {column.casefold(): column for column in columns}
    return {field: next((known[name] for name in called if name in known), None) for field, called in names.items()}


def columns(
    frame: pd.DataFrame, matched: Mapping[str, str | None], required: Sequence[str]
) -> tuple[list[str], list[list[object]]]:
    """Return the fields that have a column, and their values. Raises InvalidInput when one that is needed has none."""
    missing = [field for field in required if not matched.get(field)]
    if missing:
        raise InvalidInput(f"Say which column holds the {missing[0].replace('_', ' ')}.")
    found = {field: frame[column].tolist() for field, column in matched.items() if column}
    return list(found), list(found.values())


def text(value: object) -> str:
    """Return what is in a cell; a whole number that became a float is whole again, and an escape is gone."""
    if type(value) is str:
        return exports.unescaped(value.strip())
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return exports.unescaped(str(value).strip())


def is_shortened(number: str) -> bool:
    """Return whether a spreadsheet has cut a number down to the likes of 1.41556E+10."""
    return _SHORTENED.fullmatch(number) is not None


def expect_whole(number: str) -> None:
    """Raise InvalidInput for a number that a spreadsheet has cut down."""
    if is_shortened(number):
        raise InvalidInput(f"Excel has shortened this number to {number}: store the column as text.", field="number")


def _told_apart(names: Iterable[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        same = sum(other == name or other.startswith(f"{name} (") for other in found)
        found.append(f"{name} ({same + 1})" if same else name)
    return found


def _filled(frame: pd.DataFrame) -> int:
    """Return how many rows there are up to the last one that has anything in it; spreadsheets end in rows without."""
    if frame.empty or any(text(value) for value in frame.iloc[-1]):
        return len(frame)
    filled = (frame.notna() & (frame != "")).any(axis=1).to_numpy().nonzero()[0]
    return int(filled[-1]) + 1 if len(filled) else 0


def _csv(data: bytes) -> pd.DataFrame:
    text = _decoded(data)
    try:
        delimiter = csv.Sniffer().sniff(text[:_SAMPLE], delimiters=",;\t|").delimiter
    except csv.Error:
        delimiter = ","
    return pd.read_csv(
        io.StringIO(text.lstrip("\ufeff")), sep=delimiter, dtype=str, keep_default_na=False, index_col=False
    )


def _decoded(data: bytes) -> str:
    # A few letters do not tell the Western code page from its neighbours, and it is by far the most frequent one.
    likely = ("utf-8-sig",) if b"\0" in data[:_SAMPLE] else ("utf-8-sig", "cp1252")
    for encoding in likely:
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode(encoding)
    best = from_bytes(data[:_SAMPLE]).best()
    if best is None:
        raise InvalidInput("The file is no text that can be read. Save it as UTF-8.")
    return data.decode(best.encoding)
