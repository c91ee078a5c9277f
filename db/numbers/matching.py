"""Which numbers are wanted, and the conditions that say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from db.base.scope import Scope
from db.base.tables import table_of
from db.models import GONE, LIVE, NumberStatus, NumberTag, NumberType, PhoneNumber
from db.numbers import attention
from db.numbers.attention import Attention, Rules
from db.numbers.text_search import SearchText


class Sort(StrEnum):
    """Orders of the list. Each ends in the primary key, so that pages never overlap."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NUMBER = "number"
    NAME = "name"


@dataclass(frozen=True)
class NumberQuery:
    """Which numbers are wanted. Empty means any; without status or search, those still held.

    `rules` are needed by some kinds of `attention`. With `ids` only those are meant, held or gone.
    """

    search: SearchText | None = None
    statuses: tuple[NumberStatus, ...] = ()
    providers: tuple[str, ...] = ()
    connections: tuple[int | None, ...] = ()
    agents: tuple[int | None, ...] = ()
    countries: tuple[str, ...] = ()
    types: tuple[NumberType, ...] = ()
    managed: bool | None = None
    tags: tuple[str, ...] = ()
    attention: tuple[Attention, ...] = ()
    rules: Rules | None = None
    ids: tuple[int, ...] = ()
    sort: Sort = Sort.NEWEST


def matching(scope: Scope, query: NumberQuery) -> list[Any]:
    """Return the conditions that all queries share, so that they cannot disagree; the search comes on top."""
    conditions = [scope.of(PhoneNumber.tenant_id), *kinds(PhoneNumber, query)]
    if query.ids:
        conditions.append(PhoneNumber.id.in_(query.ids))
    elif query.search is None and not set(query.statuses) & set(GONE):
        conditions.append(LIVE)
    if query.connections:
        conditions.append(among(PhoneNumber.connection_id, query.connections))
    if query.agents:
        conditions.append(among(PhoneNumber.agent_id, query.agents))
    if query.tags:
        tagged = sa.exists().where(NumberTag.number_id == PhoneNumber.id, NumberTag.tag.in_(query.tags))
        conditions.append(tagged)
    if query.attention:
        conditions.append(sa.or_(*(attention.condition(kind, scope.of, query.rules) for kind in query.attention)))
    return conditions


def among(column: Any, values: Sequence[int | None]) -> Any:
    """Return the condition that a column has one of *values*, of which None is nothing."""
    named = [value for value in values if value is not None]
    either = [column.in_(named)] if named else []
    return sa.or_(*either, *([column.is_(None)] if None in values else []))


def held(table: Any, query: NumberQuery) -> list[Any]:
    """Return the condition that numbers are held, where nothing is asked for that finds those that are gone."""
    return [] if query.statuses or query.search or query.ids else [table.status.not_in(GONE)]


_NUMBER = table_of(PhoneNumber).c


def order(sort: Sort, number: Any = _NUMBER, *, backwards: bool = False) -> tuple[Any, ...]:
    """Return what to sort by, as columns of a *number*; *backwards* from the end."""
    key = {Sort.NUMBER: number.e164, Sort.NAME: number.label}.get(sort, number.created_at)
    return (key.desc(), number.id.desc()) if (sort is Sort.NEWEST) is not backwards else (key, number.id)


def kinds(table: Any, query: NumberQuery) -> list[Any]:
    """Return the conditions on what the kept counts tell apart, of numbers or of the counts."""
    conditions = []
    if query.statuses:
        conditions.append(table.status.in_(query.statuses))
    if query.providers:
        conditions.append(table.provider.in_(query.providers))
    if query.countries:
        conditions.append(table.country.in_(query.countries))
    if query.types:
        conditions.append(table.number_type.in_(query.types))
    if query.managed is not None:
        conditions.append(table.is_managed.is_(query.managed))
    return conditions
