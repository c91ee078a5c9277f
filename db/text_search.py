"""Finding numbers by part of the number or of the label, on either database."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db.engine import has_trigrams
from db.models import PhoneNumber

_TRIGRAM = 3


@dataclass(frozen=True)
class SearchText:
    """What was typed into the search box, as the query needs it."""

    text: str
    digits: str = ""
    exact: str | None = None


def holding(session: Session, wanted: SearchText) -> Any:
    """Return the condition that a number or its label holds what was typed.

    It goes through the unique index for a whole number, through trigrams for parts. On a PostgreSQL
    without pg_trgm, only starts and ends of numbers and starts of labels are found.
    """
    if wanted.exact:
        return PhoneNumber.e164 == wanted.exact
    engine: Any = session.get_bind()
    if len(wanted.digits or wanted.text) < _TRIGRAM or len(wanted.text) < _TRIGRAM:
        return _contains(wanted)
    if engine.dialect.name == "sqlite":
        return _found_by_trigrams_sqlite(wanted)
    if has_trigrams(engine):
        both: Any = sa.literal_column("(phone_number.e164 || ' ' || phone_number.label)")
        either = [both.ilike(f"%{_plain(wanted.text)}%", escape="\\")]
        if wanted.digits:
            either.append(both.ilike(f"%{wanted.digits}%"))
        return sa.or_(*either)
    label = sa.func.lower(PhoneNumber.label).like(f"{_plain(wanted.text.lower())}%", escape="\\")
    if not wanted.digits:
        return label
    start = PhoneNumber.e164.like(f"+{wanted.digits}%")
    end = sa.func.reverse(PhoneNumber.e164).like(f"{wanted.digits[::-1]}%")
    return sa.or_(label, start, end)


def names_holding(column: Any, text: str) -> Any:
    """Return the condition that a name in *column* holds *text*, whatever its case. For tables of thousands."""
    return column.ilike(f"%{_plain(text)}%", escape="\\")


def _found_by_trigrams_sqlite(wanted: SearchText) -> Any:
    quoted = wanted.text.replace('"', '""')
    match = f'label:"{quoted}"'
    if wanted.digits:
        match = f'e164:"{wanted.digits}" OR {match}'
    rowids = sa.text("SELECT rowid FROM number_search WHERE number_search MATCH :match").bindparams(match=match)
    return sa.literal_column("phone_number.id").in_(rowids.columns(sa.column("rowid", sa.Integer)))


def _contains(wanted: SearchText) -> Any:
    label = PhoneNumber.label.ilike(f"%{_plain(wanted.text)}%", escape="\\")
    if not wanted.digits:
        return label
    return sa.or_(label, PhoneNumber.e164.like(f"%{wanted.digits}%"))


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
