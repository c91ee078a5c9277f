"""The ways to the numbers that match, of which a query takes the one that passes the fewest others.

Where something that is asked for has few numbers, these are collected and sorted. Everything else is walked off an
index in the order of the list. The one by day has what can be filtered by, tags and attention aside: hardly a row is
read that is not shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.base.scope import Scope
from db.base.tables import table_of
from db.models import (
    Agent,
    CampaignNumber,
    Connection,
    HealthSummary,
    NumberCount,
    NumberStatus,
    NumberTag,
    PhoneNumber,
    Tenant,
)
from db.numbers import attention, matching
from db.numbers.attention import FLAGGED, Attention
from db.numbers.matching import NumberQuery
from db.numbers.text_search import Ordered, found_by_trigrams

FEW = 5_000
"""So many numbers are collected and sorted faster than they are met on the way through a long list."""

_SEVERAL = 50
_SEEN = {Attention.NO_AGENT, Attention.NO_CONNECTION, Attention.INACTIVE_CONNECTION}
_number = table_of(PhoneNumber)
_count = table_of(NumberCount)
_KIND = ("tenant_id", "status", "provider", "country", "number_type", "is_managed")


def plainly(session: Session, scope: Scope, query: NumberQuery) -> tuple[Scope, NumberQuery]:
    """Return a question that means the same and is easier to answer.

    What calls for attention for want of an agent or a connection is said by these; who names agents or connections of
    one tenant alone asks for that one.
    """
    match query.attention:
        case (Attention.NO_AGENT,) if not query.agents and not query.statuses:
            query = replace(query, attention=(), agents=(None,), statuses=(NumberStatus.ACTIVE,))
        case (Attention.NO_CONNECTION,) if not query.connections:
            query = replace(query, attention=(), connections=(None,))
        case (Attention.INACTIVE_CONNECTION,) if not query.connections:
            inactive = sa.select(Connection.id).where(scope.of(Connection.tenant_id), Connection.is_active.is_(False))
            ids = session.scalars(inactive.limit(_SEVERAL + 1)).all()
            if 0 < len(ids) <= _SEVERAL:
                query = replace(query, attention=(), connections=tuple(ids))
    for model, named in ((Agent, query.agents), (Connection, query.connections)):
        if scope.tenant_id is None and named and None not in named:
            table = table_of(model)
            owners = session.scalars(sa.select(table.c.tenant_id).where(table.c.id.in_(named)).distinct()).all()
            if len(owners) == 1:
                scope = Scope(owners[0])
    return scope, query


class Way(NamedTuple):
    """The `ids` of numbers of which those that match are some; they can be few."""

    ids: Any
    is_few: bool


def narrowest(session: Session, scope: Scope, query: NumberQuery) -> Way | None:
    """Return the way that passes the fewest numbers, or the one to what no index has; None where it is best to walk."""
    best: Any = None
    fewest = FEW + 1
    for way in _ways(session, scope, query):
        some = way.limit(fewest).subquery()
        n = session.scalar(sa.select(sa.func.count()).select_from(some)) or 0
        if n < fewest:
            best, fewest = way, n
        if fewest < _SEVERAL:
            break
    if best is not None:
        return Way(best, is_few=True)
    return next((Way(ids, is_few=False) for ids in _unseen(scope, query)), None)


def _ways(session: Session, scope: Scope, query: NumberQuery) -> Iterator[Any]:
    if query.search is not None and (found := found_by_trigrams(session, query.search)) is not None:
        yield found
    if query.ids:
        yield sa.select(_number.c.id).where(_number.c.id.in_(query.ids))
    if is_of_kinds(query):
        yield of_kinds(scope, query)
    if query.connections:
        yield _through(scope, "connection_id", query.connections)
    if query.agents:
        yield _through(scope, "agent_id", query.agents)
    if query.attention and set(query.attention) <= _SEEN:
        yield _any_of(scope, query)
    yield from _unseen(scope, query)


def _unseen(scope: Scope, query: NumberQuery) -> Iterator[Any]:
    """Yield the ways to what the index that is walked does not have."""
    if query.attention and not set(query.attention) <= _SEEN:
        yield _any_of(scope, query)
    if query.tags:
        tag = table_of(NumberTag)
        tagged = sa.select(tag.c.number_id.label("id")).where(scope.of(tag.c.tenant_id), tag.c.tag.in_(query.tags))
        yield tagged.distinct() if len(query.tags) > 1 else tagged


def _any_of(scope: Scope, query: NumberQuery) -> Any:
    reasons = [_reason(scope, kind, query) for kind in query.attention]
    return reasons[0] if len(reasons) == 1 else sa.union(*reasons)


def is_of_kinds(query: NumberQuery) -> bool:
    """Return whether something is asked for that the kept counts tell apart."""
    return bool(matching.kinds(_count.c, query))


def of_kinds(scope: Scope, query: NumberQuery) -> Any:
    """Select the ids of the numbers of the kinds that are asked for, each kind off its index."""
    kind = _count.alias("kind")
    same = sa.and_(*(_number.c[name] == kind.c[name] for name in _KIND))
    wanted = [scope.of(kind.c.tenant_id), kind.c.n > 0, *matching.kinds(kind.c, query), *matching.held(kind.c, query)]
    if query.attention == (Attention.IDLE,):
        wanted.append(kind.c.is_managed)
    return sa.select(_number.c.id).select_from(Ordered(kind, _number, same)).where(*wanted)


def _through(scope: Scope, column: str, values: Sequence[int | None]) -> Any:
    """Select the ids of numbers with *values* in a column whose index begins with the tenant."""
    wanted = matching.among(_number.c[column], values)
    if scope.tenant_id is not None:
        return sa.select(_number.c.id).where(_number.c.tenant_id == scope.tenant_id, wanted)
    tenant = table_of(Tenant)
    each = Ordered(tenant, _number, sa.and_(_number.c.tenant_id == tenant.c.id, wanted))
    return sa.select(_number.c.id).select_from(each)


def _reason(scope: Scope, kind: Attention, query: NumberQuery) -> Any:
    """Select the ids of numbers that call for attention, or may do so."""
    match kind:
        case Attention.NO_CONNECTION:
            return _through(scope, "connection_id", (None,))
        case Attention.INACTIVE_CONNECTION:
            connection = table_of(Connection)
            inactive = Ordered(connection, _number, _is_of(connection, "connection_id"))
            wanted = (scope.of(connection.c.tenant_id), connection.c.is_active.is_(False))
            return sa.select(_number.c.id).select_from(inactive).where(*wanted)
        case Attention.NO_AGENT:
            return _through(scope, "agent_id", (None,))
        case Attention.SPAM_FLAGGED:
            place = table_of(CampaignNumber)
            return sa.select(place.c.number_id.label("id")).where(scope.of(place.c.tenant_id), FLAGGED).distinct()
        case Attention.RESTRICTED:
            return sa.select(_number.c.id).where(scope.of(_number.c.tenant_id), attention.RESTRICTED)
        case Attention.IDLE:
            summary, days = table_of(HealthSummary), attention.required(kind, query.rules).idle_days
            summed = Ordered(summary, _number, sa.and_(_number.c.tenant_id == summary.c.tenant_id, attention.MANAGED))
            known = (scope.of(summary.c.tenant_id), summary.c.days == days)
            return sa.select(_number.c.id).select_from(summed).where(*known)
        case Attention.WEBHOOKS_ELSEWHERE:
            elsewhere = attention.pointing_elsewhere(scope.of, attention.required(kind, query.rules)).subquery()
            return sa.select(elsewhere.c.number_id.label("id"))


def _is_of(table: sa.Table, column: str) -> Any:
    return sa.and_(_number.c.tenant_id == table.c.tenant_id, _number.c[column] == table.c.id)


def reached(session: Session, way: Way, conditions: Sequence[Any]) -> Any:
    """Select the ids of numbers that a *way* leads to and that meet *conditions*; each one is read.

    Where they are many they come one by one, so that who counts them can stop; and cannot be sorted by.
    """
    if way.is_few:
        some = way.ids.cte("some").prefix_with("MATERIALIZED")
    else:
        some = way.ids.subquery("some")
        if session.get_bind().dialect.name == "postgresql":  # it would read all of them to join them at once
            one = sa.select(_number.c.id).where(_number.c.id == some.c.id, *conditions).offset(0).lateral("one")
            return sa.select(one.c.id).select_from(some.join(one, sa.true()))
    each = Ordered(some, _number, _number.c.id == some.c.id)
    return sa.select(_number.c.id).select_from(each).where(*conditions)
