"""Queries over phone numbers: the list, one number, and what hangs on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db.base.scope import Scope, Slice
from db.base.tables import table_of
from db.models import (
    GONE,
    LIVE,
    NumberCount,
    NumberOrder,
    NumberStatus,
    NumberTag,
    NumberType,
    PhoneNumber,
)
from db.numbers import attention, rows
from db.numbers.attention import Attention, Rules
from db.numbers.rows import ListedNumber, NumberRow
from db.numbers.text_search import SearchText, closeness, holding, streamed

SEARCH_LIMIT = 1000
"""Matches of a search are counted up to here; beyond, the total reads `1,000+`."""
FAR = 1000
"""From so many rows on it is worth asking whether the end of the list is nearer."""


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
    connections: tuple[int, ...] = ()
    agents: tuple[int | None, ...] = ()
    countries: tuple[str, ...] = ()
    types: tuple[NumberType, ...] = ()
    managed: bool | None = None
    tags: tuple[str, ...] = ()
    attention: tuple[Attention, ...] = ()
    rules: Rules | None = None
    ids: tuple[int, ...] = ()
    sort: Sort = Sort.NEWEST


@dataclass(frozen=True)
class Facets:
    """What the filters can offer, with how many numbers there are of each; only those still held."""

    statuses: dict[NumberStatus, int] = field(default_factory=dict)
    providers: dict[str, int] = field(default_factory=dict)
    countries: dict[str, int] = field(default_factory=dict)
    types: dict[NumberType, int] = field(default_factory=dict)
    managed: dict[bool, int] = field(default_factory=dict)


def count(session: Session, scope: Scope, query: NumberQuery) -> int:
    """Return how many numbers match; for a search at most SEARCH_LIMIT + 1."""
    if query.search is not None:
        some = _ids(session, scope, query).limit(SEARCH_LIMIT + 1)
        return int(session.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0)
    if _is_counted(query):
        return int(session.scalar(_counted(scope, query)) or 0)
    return int(session.scalar(sa.select(sa.func.count(PhoneNumber.id)).where(*matching(scope, query))) or 0)


def search(session: Session, scope: Scope, query: NumberQuery, part: Slice) -> list[ListedNumber]:
    """Return the *part* of the numbers in *scope* that match *query*, in its order."""
    offset, size, backwards = part.offset, part.size, False
    if offset >= FAR and _is_counted(query):
        left = count(session, scope, query) - offset
        if left < offset:  # the end is nearer
            size = max(0, min(size, left))
            offset, backwards = max(0, left - size), True
    # The ids come off a covering index; only the rows that are shown are joined.
    ids = (
        _ids(session, scope, query)
        .order_by(*closeness(query.search), *_order(query.sort, backwards=backwards))
        .limit(size)
        .offset(offset)
        .subquery()
    )
    order = (*closeness(query.search), *_order(query.sort))
    found = session.execute(rows.selected(ListedNumber).join(ids, ids.c.id == PhoneNumber.id).order_by(*order))
    return [ListedNumber(*row) for row in found]


def walk(session: Session, scope: Scope, query: NumberQuery, batch: int = 1000) -> Iterator[NumberRow]:
    """Yield every number that matches, in the order of ids, with its tags and campaigns, *batch* rows at a time."""
    last = 0
    while True:
        found = after(session, scope, query, last, batch)
        yield from found
        if len(found) < batch:
            return
        last = found[-1].id


def after(session: Session, scope: Scope, query: NumberQuery, last: int, most: int) -> list[NumberRow]:
    """Return the first *most* numbers that match with an id above *last*, in the order in which `walk` yields them."""
    searched = [holding(session, query.search)] if query.search else []
    some = rows.selected().where(PhoneNumber.id > last, *matching(scope, query), *searched)
    return rows.load(session, some.order_by(PhoneNumber.id).limit(most))


def facets(session: Session, scope: Scope) -> Facets:
    """Return what there is to filter by, from the kept counts."""
    kinds = (
        NumberCount.status,
        NumberCount.provider,
        NumberCount.country,
        NumberCount.number_type,
        NumberCount.is_managed,
    )
    rows = session.execute(
        sa.select(*kinds, sa.func.sum(NumberCount.n))
        .where(scope.of(NumberCount.tenant_id), NumberCount.n > 0)
        .group_by(*kinds)
    )
    result = Facets()
    for status, provider, country, number_type, managed, n in rows:
        result.statuses[status] = result.statuses.get(status, 0) + n
        if status in GONE:
            continue
        result.providers[provider] = result.providers.get(provider, 0) + n
        result.types[number_type] = result.types.get(number_type, 0) + n
        result.managed[managed] = result.managed.get(managed, 0) + n
        if country:
            result.countries[country] = result.countries.get(country, 0) + n
    return result


def tags(session: Session, scope: Scope) -> list[str]:
    """Return the tags in use, in alphabetical order."""
    found = session.scalars(sa.select(NumberTag.tag).where(scope.of(NumberTag.tenant_id)).distinct())
    return sorted(found, key=str.casefold)


def find(session: Session, scope: Scope, number_id: int) -> PhoneNumber | None:
    """Return the row of a number in *scope*, locked for a change where the database can."""
    return session.scalar(
        sa.select(PhoneNumber)
        .where(PhoneNumber.id == number_id, scope.of(PhoneNumber.tenant_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def lock_all(session: Session, scope: Scope, ids: Sequence[int]) -> dict[int, PhoneNumber]:
    """Return the rows of numbers in *scope* by their ids, locked in an order that all follow."""
    wanted = (PhoneNumber.id.in_(ids), scope.of(PhoneNumber.tenant_id))
    rows = sa.select(PhoneNumber).where(*wanted).order_by(PhoneNumber.id).with_for_update()
    return {number.id: number for number in session.scalars(rows.execution_options(populate_existing=True))}


def of_order(session: Session, order: NumberOrder) -> PhoneNumber | None:
    """Return the row of the number that an order changes, as `find` does; None for an order of a new one."""
    return None if order.number_id is None else find(session, Scope(order.tenant_id), order.number_id)


def e164_of(session: Session, number_id: int) -> str:
    """Return the number behind an id, whoever has it; empty for none."""
    return session.scalar(sa.select(PhoneNumber.e164).where(PhoneNumber.id == number_id)) or ""


def replace_tags(session: Session, number: PhoneNumber, wanted: list[str]) -> None:
    """Give *number* exactly the tags in *wanted*."""
    session.execute(sa.delete(NumberTag).where(NumberTag.number_id == number.id))
    session.add_all(NumberTag(number_id=number.id, tenant_id=number.tenant_id, tag=tag) for tag in wanted)


def is_live(session: Session, e164: str) -> bool:
    """Return whether any tenant holds *e164* now."""
    return session.scalar(sa.select(PhoneNumber.id).where(PhoneNumber.e164 == e164, LIVE)) is not None


def find_live(session: Session, e164: str) -> PhoneNumber | None:
    """Return the number that is *e164* now, whoever holds it."""
    return session.scalar(sa.select(PhoneNumber).where(PhoneNumber.e164 == e164, LIVE))


def managed_by(session: Session, connection_id: int) -> list[PhoneNumber]:
    """Return the numbers that are held and managed through a connection."""
    condition = (PhoneNumber.connection_id == connection_id, PhoneNumber.is_managed.is_(True), LIVE)
    return list(session.scalars(sa.select(PhoneNumber).where(*condition).order_by(PhoneNumber.id)))


def given_back(session: Session, connection_id: int) -> list[str]:
    """Return the numbers that were released through a connection and could be bought back for a while."""
    condition = (PhoneNumber.connection_id == connection_id, PhoneNumber.buy_back_until.is_not(None))
    return list(session.scalars(sa.select(PhoneNumber.e164).where(*condition)))


def live_among(session: Session, scope: Scope, e164s: list[str]) -> dict[str, int]:
    """Return which of *e164s* the tenants in *scope* hold, with their ids."""
    condition = (scope.of(PhoneNumber.tenant_id), PhoneNumber.e164.in_(e164s), LIVE)
    rows = session.execute(sa.select(PhoneNumber.e164, PhoneNumber.id).where(*condition))
    return dict(rows.all())


def matching(scope: Scope, query: NumberQuery) -> list[Any]:
    """Return the conditions that all queries share, so that they cannot disagree; the search comes on top."""
    conditions = [scope.of(PhoneNumber.tenant_id), *_kinds(PhoneNumber, query)]
    if query.ids:
        conditions.append(PhoneNumber.id.in_(query.ids))
    elif not query.statuses and query.search is None:
        conditions.append(LIVE)
    if query.connections:
        conditions.append(PhoneNumber.connection_id.in_(query.connections))
    if query.agents:
        named = [agent for agent in query.agents if agent is not None]
        either = [PhoneNumber.agent_id.in_(named)] if named else []
        if None in query.agents:
            either.append(PhoneNumber.agent_id.is_(None))
        conditions.append(sa.or_(*either))
    if query.tags:
        tagged = sa.select(NumberTag.number_id).where(scope.of(NumberTag.tenant_id), NumberTag.tag.in_(query.tags))
        conditions.append(PhoneNumber.id.in_(tagged))
    if query.attention:
        conditions.append(sa.or_(*(attention.condition(kind, scope.of, query.rules) for kind in query.attention)))
    return conditions


def _order(sort: Sort, *, backwards: bool = False) -> tuple[Any, ...]:
    number = table_of(PhoneNumber).c
    key = {Sort.NUMBER: number.e164, Sort.NAME: number.label}.get(sort, number.created_at)
    return (key.desc(), number.id.desc()) if (sort is Sort.NEWEST) is not backwards else (key, number.id)


def _kinds(table: Any, query: NumberQuery) -> list[Any]:
    """Conditions on columns that the kept counts have too."""
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


def _is_counted(query: NumberQuery) -> bool:
    """Return whether the kept counts tell how many numbers match."""
    return not (query.search or query.connections or query.agents or query.tags or query.attention or query.ids)


def _counted(scope: Scope, query: NumberQuery) -> Any:
    held = [] if query.statuses else [NumberCount.status.not_in(GONE)]
    return sa.select(sa.func.sum(NumberCount.n)).where(
        scope.of(NumberCount.tenant_id), *held, *_kinds(NumberCount, query)
    )


def _ids(session: Session, scope: Scope, query: NumberQuery) -> Any:
    ids = sa.select(PhoneNumber.id).where(*matching(scope, query))
    if query.search is None:
        return ids
    source, found = streamed(session, query.search)
    return ids.select_from(source).where(found)
