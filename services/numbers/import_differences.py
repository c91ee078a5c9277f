"""Differences between a file's row and a number on record, by field, as values are stored."""

from collections.abc import Mapping, Sequence
from typing import Any

from db.numbers.rows import NumberRow
from services.connections.connections import provider_named
from services.core import validation
from services.core.errors import InvalidInput
from services.jobs.imports import Difference, Row, RowReader
from services.numbers.import_fields import CONFIGURED, CONNECTION, TITLES, country_names, status
from services.text import exports, files, labels, written_numbers

_LONGEST = 60
_BEFORE = 20
"""How many characters of a long value to show, and how many before the first difference."""


def between(row: Row, record: NumberRow, reader: RowReader[Any]) -> list[Difference]:
    """Return the differences between a row and the *record*; fields without a column are ignored.

    *reader* knows the agents and connections that a row can name. An unreadable value counts as different.
    """
    here: Mapping[str, str] = {
        "connection": record.connection or "",
        "label": validation.one_line(record.label),
        "agent": record.agent or "",
        "allowed_inbound": country_names(record.allowed_inbound),
        "allowed_outbound": country_names(record.allowed_outbound),
        "tags": exports.joined(record.tags),
        "notes": validation.notes(record.notes),
        **{own.name: record.provider_fields.get(own.name, "") for own in provider_named(record.provider).number_fields},
    }
    found = []
    for field in (CONNECTION, *CONFIGURED):
        cell = row.get(field.name)
        if cell is None or field.name not in here:
            continue
        try:
            in_file = field.words(field.read(reader, cell))
        except InvalidInput:
            in_file = files.text(cell)
        if in_file != here[field.name]:
            found.append(Difference(field.name, here[field.name], in_file))
    if (cell := files.text(row.get("status"))) and status(cell) is not record.status:
        known = status(cell)
        found.append(Difference("status", labels.STATUS[record.status], labels.STATUS[known] if known else cell))
    return found


def in_words(differences: Sequence[Difference]) -> str:
    """Return *differences* as text: `Label: here “Front desk”, in the file “Reception”; Tags: …`."""
    return "; ".join(f"{TITLES[one.field]}: {_in_words(one.here, one.in_file)}" for one in differences)


def _in_words(here: str, in_file: str) -> str:
    unseen = here and in_file and written_numbers.visible(here) == written_numbers.visible(in_file)
    hint = " (the difference is hard to see)" if unseen else ""
    return f"here {_excerpt(here, in_file)}, in the file {_excerpt(in_file, here)}{hint}"


def _excerpt(value: str, other: str) -> str:
    """Return a quoted value; of a long one, the part around the first difference from the *other*."""
    if not value:
        return "none"
    value, other = value.replace("\n", "↵"), other.replace("\n", "↵")
    if len(value) <= _LONGEST:
        return f"“{value}”"
    same = next((at for at, (a, b) in enumerate(zip(value, other, strict=False)) if a != b), len(other))
    start = max(0, min(same - _BEFORE, len(value) - _LONGEST))
    end = start + _LONGEST
    return f"“{'…' if start else ''}{value[start:end]}{'…' if end < len(value) else ''}”"
