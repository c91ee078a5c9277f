"""Finding numbers by part of the number or of the label, on either database."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlmodel import Session

from db.engine import has_trigrams
from db.models import PhoneNumber

_TRIGRAM = 3
_trigrams = sa.table("number_search", sa.column("rowid", sa.Integer))


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
    if _is_short(wanted):
        return _contains(wanted)
    if engine.dialect.name == "sqlite":
        return PhoneNumber.id.in_(sa.select(_trigrams.c.rowid).where(_match(wanted)))
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


class _Streamed(sa.Join):
    """A join that SQLite goes through from left to right, as it does with any that is called so."""

    inherit_cache = True


@compiles(_Streamed)
def _compile_streamed(join: Any, compiler: Any, **options: Any) -> str:
    left, right = (compiler.process(side, **options) for side in (join.left, join.right))
    on = compiler.process(join.onclause, from_linter=options.get("from_linter"))
    return f"{left} CROSS JOIN {right} ON {on}"


def streamed(session: Session, wanted: SearchText) -> tuple[Any, Any]:
    """Return what to select numbers from, and the condition of `holding`, so that those found are read one by one.

    SQLite would collect all that were found in any tenant first, or look through the tenant's numbers for them.
    """
    if session.get_bind().dialect.name != "sqlite" or wanted.exact or _is_short(wanted):
        return PhoneNumber.__table__, holding(session, wanted)
    return _Streamed(_trigrams, PhoneNumber.__table__, _trigrams.c.rowid == PhoneNumber.id), _match(wanted)


def names_holding(column: Any, text: str) -> Any:
    """Return the condition that a name in *column* holds *text*, whatever its case. For tables of thousands."""
    return column.ilike(f"%{_plain(text)}%", escape="\\")


def _is_short(wanted: SearchText) -> bool:
    """Return whether there is too little to look it up by trigrams."""
    return len(wanted.digits or wanted.text) < _TRIGRAM or len(wanted.text) < _TRIGRAM


def _match(wanted: SearchText) -> Any:
    quoted = wanted.text.replace('"', '""')
    match = f'label:"{quoted}"'
    if wanted.digits:
        match = f'e164:"{wanted.digits}" OR {match}'
    return sa.text("number_search MATCH :match").bindparams(match=match)


def _contains(wanted: SearchText) -> Any:
    label = PhoneNumber.label.ilike(f"%{_plain(wanted.text)}%", escape="\\")
    if not wanted.digits:
        return label
    return sa.or_(label, PhoneNumber.e164.like(f"%{wanted.digits}%"))


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
