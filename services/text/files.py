"""Uploaded files, from programs and spreadsheets: read as a table, with columns matched to our fields.

A file is read in its own process (`services.text.tables`) with limited memory and time.
"""

import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import structlog

from services.core import settings
from services.core.errors import Busy, InvalidInput
from services.text import exports, written_numbers
from services.text.tables import limits
from services.text.tables.grids import Choice, Line, Sheet
from services.text.tables.headers import folded, share_of_numbers
from services.text.tables.limits import LARGEST

AT_ONCE = 2
"""How many files this process reads at once; others wait."""

NUMBER = "number"
"""The field whose column is known by its cells."""

NUMBER_NAMES = (
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
"""Other names that switches, carriers and dialers use for a column of phone numbers."""

_ROOT = Path(__file__).parents[2]
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_LOOKED_AT = 200
_SURE = 0.6
_reading = threading.BoundedSemaphore(AT_ONCE)


def read(
    name: str, data: bytes, names: Mapping[str, Sequence[str]] | None = None, choice: Choice | None = None
) -> Sheet:
    """Return the table in a file. *names* are possible column names of our fields, used to find the header.

    Raises InvalidInput with the reason when it is none, or larger than can be read, and Busy when others are
    read for so long that its turn does not come.
    """
    if len(data) > LARGEST:
        raise InvalidInput(f"The file is {len(data) / 2**20:,.0f} MB; at most {LARGEST // 2**20} MB can be read.")
    if not data.strip():
        raise InvalidInput("The file is empty.")
    known = {field: sorted({folded(one) for one in called}) for field, called in (names or {}).items()}
    found = _read_apart(name, data, json.dumps({"names": known, "choice": asdict(choice or Choice())}))
    if refusal := found.get("refusal"):
        raise InvalidInput(refusal)
    return Sheet(**{**found, "rows": [Line(*row) for row in found["rows"]]})


def is_busy() -> bool:
    """Return whether the maximum of files is being read, so that another one waits."""
    if _reading.acquire(blocking=False):
        _reading.release()
        return False
    return True


def guess(sheet: Sheet, names: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """Return the column of the file for each field in *names*, by what it is called; None where nothing tells.

    The number's column is the one whose cells are numbers: of several with its name, or of those without any.
    """
    called = [folded(title) for title in sheet.titles]
    known = {field: [folded(one) for one in several] for field, several in names.items()}
    found: dict[str, str | None] = {}
    for field, several in known.items():
        places = [at for one in several for at, title in enumerate(called) if title == one]
        if field == NUMBER:
            taken = {one for other, ones in known.items() if other != NUMBER for one in ones}
            places = _holding_numbers(sheet, places, [at for at, title in enumerate(called) if title not in taken])
        found[field] = sheet.columns[places[0]] if places else None
    return found


def _holding_numbers(sheet: Sheet, named: Sequence[int], free: Sequence[int]) -> list[int]:
    """Return the place of the column that holds the numbers: the best of *named*, or the one of *free* that is sure."""
    shares = {at: share_of_numbers(sheet.column(sheet.columns[at], _LOOKED_AT)) for at in {*named, *free}}
    best = max(named, key=lambda at: shares[at], default=None)
    if best is not None and shares[best]:
        return [best]
    others = sorted((at for at in free if at not in named), key=lambda at: -shares[at])
    if others and shares[others[0]] >= _SURE and (len(others) == 1 or shares[others[0]] > shares[others[1]]):
        return [others[0]]
    return [] if best is None else [best]


def columns(
    sheet: Sheet, matched: Mapping[str, str | None], required: Sequence[str]
) -> tuple[list[str], list[list[object]]]:
    """Return the fields that have a column, and their values. Raises InvalidInput when one that is needed has none."""
    missing = [field for field in required if not matched.get(field)]
    if missing:
        raise InvalidInput(f"Choose the column for the {missing[0].replace('_', ' ')}.")
    found = {field: sheet.column(column) for field, column in matched.items() if column}
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


def packed(cell: object) -> object:
    """Return a cell as JSON can keep it in any database; `unpacked` gives it back."""
    if type(cell) is str:
        if cell.isprintable() or cell == written_numbers.storable(cell):
            return cell
        return {"escaped": cell.encode("unicode_escape").decode()}
    if isinstance(cell, datetime):
        return {"moment": cell.isoformat()}
    if isinstance(cell, date):
        return {"day": cell.isoformat()}
    return {"float": str(cell)} if isinstance(cell, float) and not math.isfinite(cell) else cell


def unpacked(kept: Any) -> object:
    """Return the cell that was `packed`."""
    if type(kept) is not dict:
        return kept
    if "escaped" in kept:
        return kept["escaped"].encode().decode("unicode_escape")
    return float(kept["float"]) if "float" in kept else _day(kept)


def _read_apart(name: str, data: bytes, request: str) -> dict[str, Any]:
    """Read *data* in a separate process and return the result. Raises InvalidInput when that fails."""
    environment = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}  # it needs no key and no database
    seconds = settings.current().file_seconds
    if not _reading.acquire(timeout=seconds):
        raise Busy("Too many files are being read at the moment. Try again in a minute.")
    try:
        process = subprocess.Popen(  # noqa: S603 - it runs our own module
            [sys.executable, "-m", "services.text.tables", request],
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process:
            try:
                out, err = process.communicate(data, timeout=seconds)
            except subprocess.TimeoutExpired as exc:
                process.kill()
                raise _took_long() from exc
            except BaseException:
                process.kill()
                raise
    finally:
        _reading.release()
    if process.returncode == 0 and out != b"{}":
        found: dict[str, Any] = json.loads(out, object_hook=_day)
        return found
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _took_long()
    if process.returncode in (0, -signal.SIGABRT, -signal.SIGSEGV):
        raise InvalidInput(
            f"Reading the file takes more than the {limits.MEMORY // 2**20:,} MB of memory allowed per file. Delete "
            f"everything outside the table, or split the file."
        )
    structlog.get_logger().error(
        "file.unreadable", status=process.returncode, error=err[-2000:].decode(errors="replace")
    )
    raise InvalidInput(f"{name} could not be read as CSV or as a workbook.")


def _took_long() -> InvalidInput:
    return InvalidInput(
        "Reading the file takes too long. Delete everything outside the table, split the file, or save it as CSV."
    )


def _day(found: dict[str, Any]) -> object:
    """Decode a cell that JSON cannot represent; return anything else unchanged."""
    if found.keys() == {"moment"}:
        return datetime.fromisoformat(found["moment"])
    return date.fromisoformat(found["day"]) if found.keys() == {"day"} else found
