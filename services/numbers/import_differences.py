"""What a row of a file says of a number that is on record otherwise: by field, as values are stored."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from db.numbers.records import NumberRecord
from services.connections.connections import vendor
from services.core import validation
from services.core.errors import InvalidInput
from services.numbers.import_rows import Given, RowReader, status, vendor_field
from services.text import exports, files, labels, numbering, written_numbers

_LONGEST = 60
_BEFORE = 20
"""Characters that are shown of a long value, and how many of them before the first that differs."""


class Difference(NamedTuple):
    """A field that a file and the record do not agree on; both values in words, empty for none."""

    field: str
    here: str
    in_file: str


def between(given: Given, record: NumberRecord, reader: RowReader) -> list[Difference]:
    """Return what a row says of a number that the *record* does not; what the file has no column for says nothing.

    *reader* knows the agents and connections that a row can name. A value that cannot be understood differs.
    """
    here: Mapping[str, str] = {
        "connection": record.connection or "",
        "label": validation.one_line(record.label),
        "agent": record.agent or "",
        "allowed_inbound": _countries(record.allowed_inbound),
        "allowed_outbound": _countries(record.allowed_outbound),
        "tags": exports.joined(record.tags),
        "notes": validation.notes(record.notes),
    }
    found = []
    for field, value in here.items():
        cell = getattr(given, field)
        if cell is not None and (said := _read(_READ[field], cell, reader)) != value:
            found.append(Difference(field, value, said))
    for own in vendor(record.provider).number_fields:
        if own.name in given.fields:
            value, said = record.provider_fields.get(own.name, ""), vendor_field(own.name, given.fields[own.name])
            if said != value:
                found.append(Difference(own.name, value, said))
    if (cell := files.text(given.status)) and status(cell) is not record.status:
        read = status(cell)
        found.append(Difference("status", labels.STATUS[record.status], labels.STATUS[read] if read else cell))
    return found


def told(differences: Sequence[Difference], titles: Mapping[str, str]) -> str:
    """Return *differences* in words: `Label: here “Front desk”, in the file “Reception”; Tags: …`."""
    return "; ".join(f"{titles[one.field]}: {_told(one.here, one.in_file)}" for one in differences)


def _told(here: str, in_file: str) -> str:
    unseen = here and in_file and written_numbers.visible(here) == written_numbers.visible(in_file)
    hint = " (the difference is hard to see)" if unseen else ""
    return f"here {_shown(here, in_file)}, in the file {_shown(in_file, here)}{hint}"


def _countries(codes: Sequence[str]) -> str:
    return exports.joined(map(numbering.country_name, sorted(set(codes))))


def _connection(cell: object, reader: RowReader) -> str:
    return reader.connection(cell).name


def _agent(cell: object, reader: RowReader) -> str:
    found = reader.agent(cell)
    return found.name if found else ""


def _codes(cell: object, reader: RowReader) -> str:
    return _countries(reader.codes(cell))


def _label(cell: object, _reader: RowReader) -> str:
    return validation.label(files.text(cell))


def _tags(cell: object, _reader: RowReader) -> str:
    return exports.joined(validation.tags(exports.parted(files.text(cell))))


def _notes(cell: object, _reader: RowReader) -> str:
    return validation.notes(files.text(cell))


_READ: Mapping[str, Callable[[object, RowReader], str]] = {
    "connection": _connection,
    "label": _label,
    "agent": _agent,
    "allowed_inbound": _codes,
    "allowed_outbound": _codes,
    "tags": _tags,
    "notes": _notes,
}


def _read(read: Callable[[object, RowReader], str], cell: object, reader: RowReader) -> str:
    try:
        return read(cell, reader)
    except InvalidInput:
        return files.text(cell)


def _shown(value: str, other: str) -> str:
    """Return a value in quotes, of a long one the part around the first character that differs from the *other*."""
    if not value:
        return "none"
    value, other = value.replace("\n", "↵"), other.replace("\n", "↵")
    if len(value) <= _LONGEST:
        return f"“{value}”"
    same = next((at for at, (a, b) in enumerate(zip(value, other, strict=False)) if a != b), len(other))
    start = max(0, min(same - _BEFORE, len(value) - _LONGEST))
    end = start + _LONGEST
    return f"“{'…' if start else ''}{value[start:end]}{'…' if end < len(value) else ''}”"
