"""Reads one file: the query comes as an argument, the file on standard input, and the table goes out as JSON."""

import contextlib
import gc
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from services.text.tables import delimited, encodings, grids, limits, markup, workbooks
from services.text.tables.grids import Choice, Names, Sheet
from services.text.tables.limits import Unreadable

_ARCHIVE = "an archive: unpack it and upload the file inside"
_NO_TABLES = {
    b"%PDF": "a PDF",
    b"{\\rtf": "a text document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"SQLite format 3": "a database",
    b"\x1f\x8b": _ARCHIVE,
    b"BZh91AY&SY": _ARCHIVE,
    b"\xfd7zXZ": _ARCHIVE,
    b"\x28\xb5\x2f\xfd": _ARCHIVE,
    b"PK\x05\x06": "an empty archive",
    b"Rar!": _ARCHIVE,
    b"7z\xbc\xaf": _ARCHIVE,
}
_JSON = re.compile(r"\s*(?:\[\s*)?\{\s*(?:\"|\})")
_MARKUP = ("<!doctype", "<html", "<?xml")


def read(data: bytes, names: Names, choice: Choice) -> Sheet:
    """Return the table in *data*: what a file is, its content says and not its name. Raises Unreadable."""
    for begin, what in _NO_TABLES.items():
        if data.startswith(begin):
            raise Unreadable(f"The file is {what}. Use a CSV file or a workbook.")
    if workbooks.is_packed(data) or workbooks.is_old(data):
        grid, titles = workbooks.read(data, names, choice.sheet)
        return replace(grids.table(grid, names, choice.header), sheets=titles)
    text = encodings.decoded(data, choice.encoding)
    if markup.is_markup(text.text):
        found = markup.grids(encodings.mended(text.text))
        best = max(found, key=lambda grid: (grids.header(grid.lines, names).named, len(grid.lines)))
        grid = next((grid for grid in found if grid.title == choice.sheet), best)
        sheet = replace(grids.table(grid, names, choice.header), sheets=[grid.title for grid in found])
    elif _JSON.match(text.text):
        raise Unreadable("The file is JSON. Use a CSV file or a workbook.")
    elif text.text.lstrip("\ufeff \t\r\n")[:9].lower().startswith(_MARKUP):
        raise Unreadable("The file is a web page or XML without a table. Use a CSV file or a workbook.")
    else:
        sheet = grids.table(delimited.grid(text.text, names), names, choice.header)
    return replace(sheet, encoding=text.codec, encodings=text.choices or ())


def _plain(value: object) -> Mapping[str, str] | str:
    """Return a cell that JSON does not know as one that it does."""
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    return {"day": value.isoformat()} if isinstance(value, date) else str(value)


def _answer() -> dict[str, Any]:
    request = json.loads(sys.argv[1])
    names = {field: frozenset(called) for field, called in request["names"].items()}
    try:
        return vars(read(sys.stdin.buffer.read(), names, Choice(**request["choice"])))
    except Unreadable as exc:
        return {"refusal": str(exc)}
    except MemoryError:
        return {}


if __name__ == "__main__":
    limits.confine()
    gc.disable()  # it lives for one file
    answer = _answer()
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.buffer.write(json.dumps(answer, default=_plain, ensure_ascii=False).encode())
