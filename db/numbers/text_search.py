"""Finding numbers by part of the number or of the label, on either database."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlmodel import Session

from db.base.engine import has_trigrams
from db.base.tables import table_of
from db.models import PhoneNumber

_TRIGRAM = 3
_trigrams = sa.table("number_search", sa.column("rowid", sa.Integer))


@dataclass(frozen=True)
class SearchText:
    """What was typed into the search box, as the query needs it.

    `digits` are parts of numbers, any of which is wanted; `exact` are whole numbers, to come first.
    """

    text: str
    digits: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()


def holding(session: Session, wanted: SearchText) -> Any:
    """Return the condition that a number or its label holds what was typed.

    It goes through trigrams. On a PostgreSQL without pg_trgm, only starts and ends of numbers and starts of labels
    are found.
    """
    engine: Any = session.get_bind()
    if _is_short(wanted):
        return containing(wanted)
    if engine.dialect.name == "sqlite":
        return PhoneNumber.id.in_(sa.select(_trigrams.c.rowid).where(_match(wanted)))
    if has_trigrams(engine):
        both: Any = sa.literal_column("(phone_number.e164 || ' ' || phone_number.label)")
        parts = (_plain(wanted.text), *wanted.digits)
        return sa.or_(*(both.ilike(f"%{part}%", escape="\\") for part in parts))
    label = sa.func.lower(PhoneNumber.label)
    labels = (label.like(f"{part}%", escape="\\") for part in (_plain(wanted.text.lower()), *wanted.digits))
    starts = (PhoneNumber.e164.like(f"+{digits}%") for digits in wanted.digits)
    ends = (sa.func.reverse(PhoneNumber.e164).like(f"{digits[::-1]}%") for digits in wanted.digits)
    return sa.or_(*labels, *starts, *ends)


def closeness(wanted: SearchText | None) -> tuple[Any, ...]:
    """Return what to sort by first: whole numbers as they were typed, then the others that hold what was typed."""
    return (sa.case((PhoneNumber.e164.in_(wanted.exact), 0), else_=1),) if wanted and wanted.exact else ()


class Ordered(sa.Join):
    """A join that SQLite goes through from left to right, as it does with any that is called so."""

    inherit_cache = True


@compiles(Ordered, "sqlite")
def _compile_ordered(join: Any, compiler: Any, **options: Any) -> str:
    left, right = (compiler.process(side, **options) for side in (join.left, join.right))
    on = compiler.process(join.onclause, from_linter=options.get("from_linter"))
    return f"{left} CROSS JOIN {right} ON {on}"


def streamed(session: Session, wanted: SearchText) -> tuple[Any, Any]:
    """Return what to select numbers from, and the condition of `holding`, so that those found are read one by one.

    SQLite would collect all that were found in any tenant first, or look through the tenant's numbers for them.
    """
    if session.get_bind().dialect.name != "sqlite" or _is_short(wanted):
        return table_of(PhoneNumber), holding(session, wanted)
    return Ordered(_trigrams, table_of(PhoneNumber), _trigrams.c.rowid == PhoneNumber.id), _match(wanted)


def found_by_trigrams(session: Session, wanted: SearchText) -> Any | None:
    """Select the ids of numbers that hold what was typed, one by one; None where they are not found so."""
    if session.get_bind().dialect.name != "sqlite" or _is_short(wanted):
        return None
    return sa.select(_trigrams.c.rowid.label("id")).where(_match(wanted))


def names_holding(column: Any, text: str) -> Any:
    """Return the condition that a name in *column* holds *text*, whatever its case. For tables of thousands."""
    return column.ilike(f"%{_plain(text)}%", escape="\\")


def _is_short(wanted: SearchText) -> bool:
    """Return whether there is too little to look it up by trigrams."""
    return min(map(len, (wanted.text, *wanted.digits))) < _TRIGRAM


def _match(wanted: SearchText) -> Any:
    quoted = wanted.text.replace('"', '""')
    match = " OR ".join([f'label:"{quoted}"', *(f'"{digits}"' for digits in wanted.digits)])
    return sa.text("number_search MATCH :match").bindparams(match=match)


def containing(wanted: SearchText, number: Any = PhoneNumber) -> Any:
    """Return the condition of `holding` for a *number* that is read anyway."""
    parts = (_plain(wanted.text), *wanted.digits)
    labels = (number.label.ilike(f"%{part}%", escape="\\") for part in parts)
    return sa.or_(*labels, *(number.e164.like(f"%{digits}%") for digits in wanted.digits))


def _plain(text: str) -> str:
    return text.replace("\0", "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
