"""Queries of the tenant audit: what tenants own, findings, changes; all counted in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

import db.numbers.rows
from db import campaigns, connections
from db.base.columns import UtcDateTime
from db.base.scope import Scope
from db.campaigns import Trouble
from db.connections import Tested
from db.models import (
    GONE,
    LIVE,
    ApiKey,
    AuditEvent,
    Campaign,
    Connection,
    HealthFall,
    Membership,
    NumberOrder,
    PhoneNumber,
    Role,
    Tenant,
    User,
)
from db.numbers import attention
from db.numbers.attention import Attention, Rules
from db.numbers.rows import ListedNumber
from db.orders import comparisons
from db.orders.comparisons import Section
from db.orders.queries import OPEN

_ON_RECORD = tuple(section for section in Section if section is not Section.ONLY_THERE)
_GONE_AT = sa.text("phone_number.released_at IS NOT NULL")


class Figure(StrEnum):
    """What is counted of a tenant besides its numbers. Users, admins and connections are active ones."""

    OPEN_ORDERS = "open_orders"
    DRIFT = "drift"
    NOT_ON_RECORD = "not_on_record"
    NO_PRIMARY = Trouble.NO_PRIMARY
    EMPTY_POOL = Trouble.EMPTY_POOL
    FALLEN_POOL = "fallen_pool"
    FLAGGED_NUMBER = Trouble.FLAGGED_NUMBER
    FAILED_TESTS = "failed_tests"
    NEVER_TESTED = "never_tested"
    WAITING_USERS = "waiting_users"
    ADMINS = "admins"
    UNUSED_KEYS = "unused_keys"
    SUPERADMINS = "superadmins"


@dataclass(frozen=True)
class Holding:
    """How many numbers that are held go through a connection, or none, at one price a month, or none known.

    A connection without numbers has one with none.
    """

    tenant_id: int
    connection_id: int | None
    connection: str | None
    provider: str | None
    is_active: bool | None
    tested_at: datetime | None
    test_passed: bool | None
    currency: str | None
    price: Decimal | None
    n: int


@dataclass(frozen=True)
class Found:
    """How many numbers need attention, and the newest few."""

    n: int = 0
    newest: tuple[ListedNumber, ...] = ()


@dataclass(frozen=True)
class Way:
    """Webhooks that `n` numbers of a connection were last set to, though it has others now.

    `since` and `until` are when the first and the last of the numbers were set. `routed_by` is the SID of a trunk or an
    application that takes the calls, or nothing.
    """

    connection: str
    voice_url: str
    status_callback: str
    wanted_voice_url: str
    wanted_status_callback: str
    voice_method: str
    routed_by: str
    n: int
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Month:
    """How many numbers were added in a month, how many of those are still held, and how many left in it."""

    first: date
    added: int
    held: int
    gone: int


@dataclass(frozen=True)
class Tally:
    """How often a person did an action in a period."""

    action: str
    actor_id: int | None
    actor: str
    n: int


def figures(
    session: Session, scope: Scope, among: Sequence[int], testable: Sequence[str], used_since: datetime
) -> dict[tuple[int, Figure], int]:
    """Return the figures of the tenants *among* those in *scope*; those that are nothing are left out.

    *testable* are the providers whose connections can be tested. A key counts as unused when it was
    neither used nor made since *used_since*.
    """

    def tally(figure: Figure, tenant: Any, source: Any, *conditions: Any) -> Any:
        return (
            sa.select(sa.literal(figure.value).label("figure"), tenant.label("tenant_id"), sa.func.count().label("n"))
            .select_from(source)
            .where(scope.of(tenant), tenant.in_(among), *conditions)
            .group_by(tenant)
        )

    everywhere = sa.join(Tenant, User, User.is_superadmin)
    members = sa.join(Membership, User, User.id == Membership.user_id)
    waiting = sa.or_(User.last_sign_in_at.is_(None), User.must_change_password)
    used = sa.func.coalesce(ApiKey.last_used_at, ApiKey.created_at)
    tested = {Figure.FAILED_TESTS: Tested.FAILED, Figure.NEVER_TESTED: Tested.NEVER}
    rows = session.execute(
        sa.union_all(
            tally(Figure.OPEN_ORDERS, NumberOrder.tenant_id, NumberOrder, NumberOrder.state.in_(OPEN)),
            *(tally(Figure(kind), Campaign.tenant_id, Campaign, campaigns.in_trouble(kind)) for kind in Trouble),
            *(
                tally(
                    figure,
                    Connection.tenant_id,
                    Connection,
                    Connection.is_active.is_(True),
                    connections.went(test, testable),
                )
                for figure, test in tested.items()
            ),
            tally(Figure.DRIFT, Connection.tenant_id, *comparisons.drifting(*_ON_RECORD)),
            tally(Figure.NOT_ON_RECORD, Connection.tenant_id, *comparisons.drifting(Section.ONLY_THERE)),
            tally(Figure.FALLEN_POOL, HealthFall.tenant_id, HealthFall, HealthFall.days == 30),
            tally(Figure.WAITING_USERS, Membership.tenant_id, members, User.is_active, waiting),
            tally(Figure.ADMINS, Membership.tenant_id, members, User.is_active, Membership.role == Role.ADMIN),
            tally(Figure.UNUSED_KEYS, ApiKey.tenant_id, ApiKey, ApiKey.revoked_at.is_(None), used < used_since),
            tally(Figure.SUPERADMINS, Tenant.id, everywhere, User.is_active),
        )
    )
    return {(tenant, Figure(figure)): n for figure, tenant, n in rows}


def attention_counts(
    session: Session, scope: Scope, among: Sequence[int], rules: Rules
) -> dict[tuple[int, Attention], int]:
    """Return how many numbers call for attention, of the tenants *among* those in *scope*."""

    def within(column: Any) -> Any:
        return sa.and_(scope.of(column), column.in_(among))

    rows = session.execute(
        sa.union_all(
            *(
                sa.select(sa.literal(kind.value).label("kind"), PhoneNumber.tenant_id, sa.func.count().label("n"))
                .where(within(PhoneNumber.tenant_id), LIVE, attention.condition(kind, within, rules))
                .group_by(PhoneNumber.tenant_id)
                for kind in Attention
            )
        )
    )
    return {(tenant, Attention(kind)): n for kind, tenant, n in rows}


def found(
    session: Session, scope: Scope, kinds: Sequence[Attention], rules: Rules, limit: int
) -> dict[Attention, Found]:
    """Return the numbers in *scope* that call for attention: how many, and the last added *limit* of each kind."""

    def newest(kind: Attention) -> Any:
        some = (
            sa.select(sa.literal(kind.value).label("kind"), PhoneNumber.id, sa.func.count().over().label("n"))
            .where(scope.of(PhoneNumber.tenant_id), LIVE, attention.condition(kind, scope.of, rules))
            .order_by(PhoneNumber.id.desc())
            .limit(limit)
            .subquery()
        )
        return sa.select(some)

    some = sa.union_all(*map(newest, kinds)).subquery()
    listed = (
        db.numbers.rows.selected(ListedNumber)
        .add_columns(some.c.kind, some.c.n)
        .join(some, some.c.id == PhoneNumber.id)
    )
    result: dict[Attention, Found] = {kind: Found() for kind in kinds}
    for *number, kind, n in session.execute(listed.order_by(PhoneNumber.id.desc())):
        before = result[Attention(kind)].newest
        result[Attention(kind)] = Found(n, (*before, ListedNumber(*number)))
    return result


def known_webhooks(session: Session, scope: Scope) -> int:
    """Return of how many numbers that are held in *scope* the webhooks are known, having been set from here."""
    gone = sa.select(sa.func.count()).where(
        scope.of(PhoneNumber.tenant_id), PhoneNumber.status.in_(GONE), attention.had_webhooks_set(scope.of)
    )
    ever = attention.with_webhooks_set(scope.of)
    return int(session.scalar(sa.select(ever.scalar_subquery() - gone.scalar_subquery())) or 0)


def ways(session: Session, scope: Scope, rules: Rules, limit: int) -> tuple[int, list[Way]]:
    """Return how many numbers in *scope* were set to webhooks that their connection no longer has, and to which.

    The most frequent *limit* of these are returned.
    """
    order = attention.last_webhooks(scope.of).subquery()
    set_to = [sa.func.coalesce(order.c.configuration[key].as_string(), "") for key in ("voice_url", "status_callback")]
    wanted = [sa.func.coalesce(url, "") for url in (Connection.voice_url, Connection.status_callback_url)]
    how = [sa.func.coalesce(order.c.configuration["voice_method"].as_string(), "POST"), attention.routing(order.c)]
    settled = sa.func.coalesce(order.c.settled_at, order.c.placed_at)
    n = sa.func.count()
    rows = session.execute(
        sa.select(
            sa.func.sum(n).over(),
            Connection.name,
            *set_to,
            *wanted,
            *how,
            n,
            sa.func.min(settled, type_=UtcDateTime),
            sa.func.max(settled, type_=UtcDateTime),
        )
        .select_from(order)
        .join(PhoneNumber, PhoneNumber.id == order.c.number_id)
        .join(Connection, Connection.id == PhoneNumber.connection_id)
        .where(LIVE, attention.differing(order.c, rules.voice_only))
        .group_by(Connection.id, Connection.name, *set_to, *wanted, *how)
        .order_by(n.desc(), Connection.id, *set_to, *how)
        .limit(limit)
    ).all()
    return int(rows[0][0]) if rows else 0, [Way(*way) for _, *way in rows]


def holdings(session: Session, scope: Scope, among: Sequence[int]) -> list[Holding]:
    """Return the numbers that are held, by connection and price, of the tenants *among* those in *scope*."""
    kinds = (PhoneNumber.tenant_id, PhoneNumber.connection_id, PhoneNumber.currency, PhoneNumber.price)
    numbers = (
        sa.select(*kinds, sa.func.count().label("n"))
        .where(scope.of(PhoneNumber.tenant_id), PhoneNumber.tenant_id.in_(among), LIVE)
        .group_by(*kinds)
    )
    none = sa.select(Connection.tenant_id, Connection.id, sa.null(), sa.null(), sa.literal(0)).where(
        scope.of(Connection.tenant_id), Connection.tenant_id.in_(among)
    )
    some = sa.union_all(numbers, none).subquery()
    rows = session.execute(
        sa.select(
            some.c.tenant_id,
            Connection.id,
            Connection.name,
            Connection.provider,
            Connection.is_active,
            Connection.tested_at,
            Connection.test_passed,
            some.c.currency,
            some.c.price,
            some.c.n,
        )
        .outerjoin(Connection, Connection.id == some.c.connection_id)
        .order_by(Connection.name, Connection.id)
    )
    return [Holding(*row) for row in rows]


def months(session: Session, scope: Scope, starts: Sequence[tuple[date, datetime]]) -> list[Month]:
    """Return what came and went in each month. *starts* are first days and when they begin; the last is an end only."""
    counts = []
    for (_, since), (_, until) in pairwise(starts):

        def counted(moment: Any, *conditions: Any, since: datetime = since, until: datetime = until) -> Any:
            inside = (scope.of(PhoneNumber.tenant_id), moment >= since, moment < until, *conditions)
            return sa.select(sa.func.count()).where(*inside).scalar_subquery()

        counts += [
            counted(PhoneNumber.created_at, LIVE),
            counted(PhoneNumber.created_at, _GONE_AT, PhoneNumber.released_at >= since),
            counted(PhoneNumber.released_at, _GONE_AT),
        ]
    row = session.execute(sa.select(*counts)).one()
    firsts = [first for first, _ in starts[:-1]]
    by_month = zip(firsts, row[::3], row[1::3], row[2::3], strict=True)
    return [Month(first, held + gone, held, went) for first, held, gone, went in by_month]


def tallies(session: Session, scope: Scope, since: datetime, until: datetime) -> list[Tally]:
    """Return what was done by whom from *since* until before *until*, the most frequent first."""
    what = (AuditEvent.action, AuditEvent.actor_id, AuditEvent.actor_name)
    n = sa.func.count()
    rows = session.execute(
        sa.select(*what, n)
        .where(scope.of(AuditEvent.tenant_id), AuditEvent.at >= since, AuditEvent.at < until)
        .group_by(*what)
        .order_by(n.desc(), *what)
    )
    return [Tally(*row) for row in rows]
