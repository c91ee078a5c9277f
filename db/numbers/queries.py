"""Queries over phone numbers: the list, one number, and what hangs on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db.base.scope import Scope, Slice
from db.base.tables import table_of
from db.models import GONE, LIVE, NumberCount, NumberOrder, NumberStatus, NumberTag, NumberType, PhoneNumber
from db.numbers import matching, rows, ways
from db.numbers.matching import NumberQuery, Sort
from db.numbers.rows import ListedNumber, NumberRow
from db.numbers.text_search import SearchText, closeness, containing, holding, streamed
from db.numbers.ways import Way

LOOKED_AT = 1_000
"""Numbers that have to be looked at one by one are counted up to here; beyond, the total reads `1,000+`."""

COUNTED = 10_000
"""The same for a tenant's numbers of agents and of connections, which are counted off an index."""

BY_DAY = (Sort.NEWEST, Sort.OLDEST)

MANY = 20_000
"""So many numbers of a few kinds are collected off their index faster than they are met in a list of a million."""

FIRST = 5_000
"""Of so many numbers at the beginning of the list a page is looked for first, before all that match are sorted."""


@dataclass(frozen=True)
class Facets:
    """What the filters can offer, with how many numbers there are of each; only those still held."""

    statuses: dict[NumberStatus, int] = field(default_factory=dict)
    providers: dict[str, int] = field(default_factory=dict)
    countries: dict[str, int] = field(default_factory=dict)
    types: dict[NumberType, int] = field(default_factory=dict)
    managed: dict[bool, int] = field(default_factory=dict)


def counted_up_to(scope: Scope, query: NumberQuery) -> int | None:
    """Return up to where matches are counted, so that beyond the total reads `1,000+`; None where all are."""
    if query.search or query.tags or query.attention:
        return LOOKED_AT
    if query.connections or query.agents:
        return LOOKED_AT if scope.tenant_id is None else COUNTED
    return None


def count(session: Session, scope: Scope, query: NumberQuery) -> int:
    """Return how many numbers match; at most one more than what `counted_up_to` says."""
    limit = counted_up_to(scope, query)
    if _is_counted(query):
        return int(session.scalar(_counted(scope, query)) or 0)
    scope, query = ways.plainly(session, scope, query)
    way = _way(session, scope, query)
    ids = _met(session, scope, query) if way is None else _reached(session, scope, query, way)
    if limit is not None:
        ids = ids.limit(limit + 1)
    return int(session.scalar(sa.select(sa.func.count()).select_from(ids.subquery())) or 0)


def search(
    session: Session, scope: Scope, query: NumberQuery, part: Slice, *, total: int | None = None
) -> list[ListedNumber]:
    """Return the *part* of the numbers in *scope* that match *query*, in its order.

    *total* is what `count` has said, and tells which way to the page is the shortest.
    """
    total = count(session, scope, query) if total is None else total
    if not total:
        return []
    ids = (
        _page_of_counted(scope, query, part, total) if _is_counted(query) else _page(session, scope, query, part, total)
    )
    some = ids.subquery()
    order = (*closeness(query.search), *matching.order(query.sort))
    found = session.execute(rows.selected(ListedNumber).join(some, some.c.id == PhoneNumber.id).order_by(*order))
    return [ListedNumber(*row) for row in found]


def _page_of_counted(scope: Scope, query: NumberQuery, part: Slice, total: int) -> Any:
    """Select the ids of a page of numbers that the kept counts tell apart."""
    offset, size, backwards = part.offset, max(0, min(part.size, total - part.offset)), False
    if offset > (left := max(0, total - offset - size)):  # the end is nearer
        offset, backwards = left, True
    few = total <= (MANY if query.sort in BY_DAY else ways.FEW) or set(query.statuses) & set(GONE)
    ids = ways.of_kinds(scope, query) if ways.is_of_kinds(query) and few else _walked(scope, query)
    return ids.order_by(*matching.order(query.sort, backwards=backwards)).limit(size).offset(offset)


def _page(session: Session, scope: Scope, query: NumberQuery, part: Slice, total: int) -> Any:
    """Select the ids of a page of numbers that have to be looked for."""
    is_few = total <= (counted_up_to(scope, query) or total) and total <= ways.FEW
    scope, query = ways.plainly(session, scope, query)
    order = (*closeness(query.search), *matching.order(query.sort))
    way = _way(session, scope, query) if is_few else None
    if way is not None and way.is_few:
        return _reached(session, scope, query, way).order_by(*order).limit(part.size).offset(part.offset)
    if query.search is None:
        return _walked(scope, query).order_by(*order).limit(part.size).offset(part.offset)
    if not (is_few or query.search.exact) and query.search.text.isascii() and query.sort in BY_DAY:
        near = _among_the_first(session, scope, query, part)
        if len(near) == part.size:
            return sa.select(table_of(PhoneNumber).c.id).where(PhoneNumber.id.in_(near))
    return _met(session, scope, query).order_by(*order).limit(part.size).offset(part.offset)


def _way(session: Session, scope: Scope, query: NumberQuery) -> Way | None:
    """Return the way to the numbers that match; None where they are met on a walk, or by what was searched for."""
    if query.search is not None and query == NumberQuery(search=query.search, sort=query.sort):
        return None
    return ways.narrowest(session, scope, query)


def _reached(session: Session, scope: Scope, query: NumberQuery, way: Way) -> Any:
    """Select the ids of the numbers that match, among those that a way leads to."""
    searched = [_holds(session, query.search)] if query.search else []
    return ways.reached(session, way, [*matching.matching(scope, query), *searched])


def _holds(session: Session, wanted: SearchText) -> Any:
    """Return the condition that a number that is read holds what was typed; SQLite compares plain letters alone."""
    return containing(wanted) if wanted.text.isascii() else holding(session, wanted)


def _walked(scope: Scope, query: NumberQuery) -> Any:
    return sa.select(table_of(PhoneNumber).c.id).where(*matching.matching(scope, query))


def _met(session: Session, scope: Scope, query: NumberQuery) -> Any:
    """Select the ids of the numbers that match, in no order."""
    if query.search is None:
        return _walked(scope, query)
    source, found = streamed(session, query.search)
    return sa.select(PhoneNumber.id).where(*matching.matching(scope, query)).select_from(source).where(found)


def _among_the_first(session: Session, scope: Scope, query: NumberQuery, part: Slice) -> Sequence[int]:
    """Return the ids of a page of what is searched for, as far as it is among the numbers that the list begins with."""
    number = table_of(PhoneNumber).c
    read = (number.created_at, number.e164, number.label)
    first = _walked(scope, query).add_columns(*read).order_by(*matching.order(query.sort)).limit(FIRST).subquery().c
    assert query.search is not None
    near = sa.select(first.id).where(containing(query.search, first)).order_by(*matching.order(query.sort, first))
    return session.scalars(near.limit(part.size).offset(part.offset)).all()


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
    some = rows.selected().where(PhoneNumber.id > last, *matching.matching(scope, query), *searched)
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


def _is_counted(query: NumberQuery) -> bool:
    """Return whether the kept counts tell how many numbers match."""
    return not (query.search or query.connections or query.agents or query.tags or query.attention or query.ids)


def _counted(scope: Scope, query: NumberQuery) -> Any:
    return sa.select(sa.func.sum(NumberCount.n)).where(
        scope.of(NumberCount.tenant_id), *matching.held(NumberCount, query), *matching.kinds(NumberCount, query)
    )
