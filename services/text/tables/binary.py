"""What the reader of workbooks does not tell of Excel's binary sheets (MS-XLSB): cells that hold an error."""

import struct
from collections.abc import Iterator

from services.text.tables.seen import Seen

_ROW, _ERROR, _FORMULA_ERROR, _SHEET = 0, 3, 11, 156


def sheets(book: bytes) -> dict[str, str]:
    """Return the relation of each sheet, by what it is called."""
    found = {}
    for kind, data in _records(book):
        if kind == _SHEET:
            relation, end = _text(data, 8)
            found[_text(data, end)[0]] = relation
    return found


def survey(sheet: bytes) -> Seen:
    """Return what was seen in a sheet."""
    found, row = Seen(), 0
    for kind, data in _records(sheet):
        if kind == _ROW:
            (row,) = struct.unpack_from("<I", data)
        elif kind in (_ERROR, _FORMULA_ERROR):
            found.wrong[row, struct.unpack_from("<I", data)[0]] = "contains an error."
    return found


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of each record. Raises struct.error or IndexError where they do not fit."""
    at = 0
    while at < len(data):
        kind, at = data[at], at + 1
        if kind & 128:
            kind, at = kind & 127 | (data[at] & 127) << 7, at + 1
        size = shift = 0
        while shift < 28:
            part, at = data[at], at + 1
            size |= (part & 127) << shift
            shift += 7
            if not part & 128:
                break
        yield kind, data[at : at + size]
        at += size


def _text(data: bytes, at: int) -> tuple[str, int]:
    """Return the text that begins at a place, and where it ends."""
    (length,) = struct.unpack_from("<I", data, at)
    end = at + 4 + 2 * length
    return data[at + 4 : end].decode("utf-16-le", "replace"), end
