"""Queries over the audit log."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

import db.base.bulk
from db.base.scope import Scope, Slice
from db.base.tables import table_of
from db.models import AuditEvent, AuditName, NumberOrder, PhoneNumber, Tenant
from db.numbers.text_search import SearchText, holding, names_holding

COUNT_LIMIT = 1000
"""Events are counted up to here; beyond, the total reads `1,000+`."""

MOST_NUMBERS, MOST_NAMES = 1000, 100
"""What was typed is common when more than this hold it: then a walk through the newest events soon finds some."""

RARE_DIGITS = 4
"""Fewer digits are common without a look."""

MOST_LEGS = 30
"""Values of one filter that are looked up apart; more of them are common, and the newest events are walked through."""


@dataclass(frozen=True)
class AuditQuery:
    """Filters over events. Empty means any; tenant None is for events without a tenant.

    A period is half open: from `since` on, and before `until`.
    """

    search: SearchText | None = None
    actors: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    tenants: tuple[int | None, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class AuditRow:
    """One event: who, when, what, and the values before and after by field.

    `number_id` is the number that it is about, also through an order; `tenant` is None for what
    belongs to no tenant.
    """

    id: int
    at: datetime
    actor: str
    action: str
    subject_type: str
    subject_id: int | None
    subject: str
    version: int | None
    before: dict[str, Any]
    after: dict[str, Any]
    number_id: int | None
    tenant: str | None


@dataclass(frozen=True)
class AuditFacets:
    """The filter options: actors, actions, kinds of subjects."""

    actors: list[str]
    actions: list[str]
    kinds: list[str]


def count(session: Session, scope: Scope, query: AuditQuery) -> int:
    """Return how many events match, at most COUNT_LIMIT + 1."""
    some = _newest(_matching(session, scope, query, COUNT_LIMIT + 1), COUNT_LIMIT + 1).subquery()
    return int(session.scalar(sa.select(sa.func.count()).select_from(some)) or 0)


def search(session: Session, scope: Scope, query: AuditQuery, part: Slice) -> list[AuditRow]:
    """Return the *part* of the events in *scope* that match *query*, newest first."""
    return _read(session, _matching(session, scope, query, part.offset + part.size), part)


def walk(session: Session, scope: Scope, query: AuditQuery, batch: int = 1000) -> Iterator[AuditRow]:
    """Yield every event that matches, newest first, holding *batch* rows at a time."""
    rows = _rows(_matching(session, scope, query))
    for row in session.execute(rows.execution_options(yield_per=batch)):
        yield AuditRow(*row)


def facets(session: Session, scope: Scope) -> AuditFacets:
    """Return the filter options."""
    return AuditFacets(
        actors=_values(session, scope, _event.actor_name),
        actions=_values(session, scope, _event.action),
        kinds=_values(session, scope, _event.subject_type),
    )


def of_subject(session: Session, scope: Scope, subject_type: str, subject_id: int, part: Slice) -> list[AuditRow]:
    """Return the *part* of a thing's history, newest first."""
    return _read(session, _about(scope, subject_type, [subject_id]), part)


def of_number(session: Session, scope: Scope, number_id: int, part: Slice) -> list[AuditRow]:
    """Return the *part* of a number's history and of its orders', newest first."""
    orders = sa.select(NumberOrder.id).where(scope.of(NumberOrder.tenant_id), NumberOrder.number_id == number_id)
    both = (_about(scope, "number", [number_id]), _about(scope, "order", list(session.scalars(orders))))
    few = _gathered(sa.union_all(*both))
    return _read(session, sa.select(few.id, few.at), part)


def since_version(session: Session, scope: Scope, subject_type: str, subject_id: int, version: int) -> list[AuditRow]:
    """Return a thing's changes after *version*, oldest first."""
    later = _about(scope, subject_type, [subject_id]).where(_event.subject_version > version)
    return [AuditRow(*row) for row in session.execute(_rows(later.order_by(_event.id).limit(20)))][::-1]


_event = table_of(AuditEvent).c
_FILTERED = ("id", "at", "tenant_id", "actor_name", "action", "subject_type")


def put(session: Session, events: Sequence[Mapping[str, Any]]) -> None:
    """Write events by the names of their columns."""
    db.base.bulk.insert(session, table_of(AuditEvent), events)


def _about(scope: Scope, subject_type: str, subject_ids: list[int]) -> Any:
    return sa.select(_event.id, _event.at).where(
        scope.of(_event.tenant_id), _event.subject_type == subject_type, _event.subject_id.in_(subject_ids)
    )


def _read(session: Session, found: Any, part: Slice) -> list[AuditRow]:
    """Return the *part* of the rows whose ids and times are *found*, newest first; only these are joined."""
    return [AuditRow(*row) for row in session.execute(_rows(_newest(found, part.size).offset(part.offset)))]


def _newest(found: Any, most: int) -> Any:
    return found.order_by(found.selected_columns.at.desc(), found.selected_columns.id.desc()).limit(most)


def _rows(found: Any) -> Any:
    """Return the query of the rows whose ids and times are *found*, newest first."""
    ids = found.subquery()
    ordered = sa.and_(_event.subject_type == "order", NumberOrder.id == _event.subject_id)
    return (
        sa.select(
            _event.id,
            _event.at,
            _event.actor_name,
            _event.action,
            _event.subject_type,
            _event.subject_id,
            _event.subject_label,
            _event.subject_version,
            _event.before,
            _event.after,
            sa.case((_event.subject_type == "number", _event.subject_id), else_=NumberOrder.number_id),
            Tenant.name,
        )
        .join(ids, ids.c.id == _event.id)
        .outerjoin(NumberOrder, ordered)
        .outerjoin(Tenant, Tenant.id == _event.tenant_id)
        .order_by(ids.c.at.desc(), ids.c.id.desc())
    )


def _matching(session: Session, scope: Scope, query: AuditQuery, most: int | None = None) -> Any:
    """Return the ids and times that `count`, `search` and `walk` share, so that they cannot disagree.

    With *most*, at least so many of the newest.
    """
    source, conditions = _event, [scope.of(_event.tenant_id)]
    if query.search is not None:
        labels = _labels(session, scope, query.search)
        if labels is None:
            parts = [names_holding(_event.subject_label, t) for t in (query.search.text, *query.search.digits)]
            conditions.append(sa.or_(*parts))
        else:
            needed = (getattr(_event, name) for name in _FILTERED)
            source = _gathered(sa.select(*needed).where(*conditions, _event.subject_label.in_(labels)))
            conditions = []
    if query.since is not None:
        conditions.append(source.at >= query.since)
    if query.until is not None:
        conditions.append(source.at < query.until)
    choices = [
        (source.action, query.actions),
        (source.subject_type, query.kinds),
        (source.actor_name, query.actors),
        (source.tenant_id, query.tenants),
    ]
    several = (choice for choice in choices if most and source is _event and 1 < len(choice[1]) <= MOST_LEGS)
    apart, legs = next(several, (None, ()))
    conditions += [_is_one_of(column, values) for column, values in choices if values and column is not apart]
    found = sa.select(source.id, source.at).where(*conditions)
    if apart is None or most is None:
        return found
    # The newest of each value, from its own place in the index: for IN, a database may sort all of them.
    newest = [_newest(found.where(apart == value), most).subquery() for value in legs]
    return sa.union_all(*(sa.select(leg.c.id, leg.c.at) for leg in newest))


def _gathered(few: Any) -> Any:
    """Return the columns of *few* rows that are gathered before they are filtered and sorted.

    Else SQLite would rather walk through a whole tenant, since that is in the order that is wanted.
    """
    return few.cte("few").prefix_with("MATERIALIZED").c


def _is_one_of(column: Any, values: tuple[Any, ...]) -> Any:
    known = column.in_([value for value in values if value is not None])
    return sa.or_(known, column.is_(None)) if None in values else known


def _labels(session: Session, scope: Scope, wanted: SearchText) -> list[str] | None:
    """Return what events may be about that holds what was typed; None when too much does.

    A whole number is looked for as it is; parts among the numbers on record, and names among those in the log.
    """
    if any(len(digits) < RARE_DIGITS for digits in wanted.digits):
        return None
    names = sa.select(AuditName.name).where(scope.of(AuditName.tenant_id), names_holding(AuditName.name, wanted.text))
    labels = list(session.scalars(names.limit(MOST_NAMES + 1)))
    if len(labels) > MOST_NAMES or not wanted.digits:
        return labels if len(labels) <= MOST_NAMES else None
    # Whoever has them: the events that are looked for are those in scope, and SQLite would go through all of a tenant.
    numbers = sa.select(PhoneNumber.e164).where(holding(session, wanted))
    labels += [*wanted.exact, *session.scalars(numbers.limit(MOST_NUMBERS + 1))]
    return labels if len(labels) <= MOST_NUMBERS else None


def _values(session: Session, scope: Scope, column: Any) -> list[str]:
    """Return the values of an indexed *column*, each found by one step: DISTINCT would read every event."""
    mine = scope.of(_event.tenant_id)
    seen = sa.select(sa.func.min(column).label("value")).where(mine).cte(recursive=True)
    following = sa.select(sa.func.min(column)).where(mine, column > seen.c.value).scalar_subquery()
    seen = seen.union_all(sa.select(following).where(seen.c.value.is_not(None)))
    return list(session.scalars(sa.select(seen.c.value).where(seen.c.value.is_not(None))))
