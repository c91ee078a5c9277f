"""Every figure of the tenant audit recounted by plain Python over the same rows."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session

import db.connections
from db.audit.tenant_audit import Figure
from db.base.scope import Slice
from db.campaigns import CampaignQuery, Trouble
from db.connections import ConnectionQuery
from db.models import (
    GONE,
    ApiKey,
    AuditEvent,
    Campaign,
    CampaignHealth,
    CampaignNumber,
    CampaignStatus,
    Connection,
    Membership,
    NumberOrder,
    NumberStatus,
    OrderKind,
    OrderState,
    PhoneNumber,
    PoolStatus,
    Role,
    Tenant,
    User,
)
from db.numbers.attention import Attention
from db.numbers.matching import NumberQuery
from db.people.tenants import TenantSort
from services.audit import findings, tenant_audit
from services.audit.findings import Kind
from services.campaigns import campaigns
from services.connections import connection_tests, connections
from services.core.errors import Forbidden, InvalidInput, NotFound
from services.numbers import numbers
from services.setup import builder
from tests.analysis.statements import queries_of
from tests.conftest import World
from tests.world import audit

IN_USE = (CampaignStatus.ACTIVE, CampaignStatus.PAUSED)
SETS = (OrderKind.PURCHASE, OrderKind.IMPORT, OrderKind.WEBHOOKS)


def how(order: NumberOrder) -> tuple[str, str]:
    """Return the method of an order's Voice URL, and what it left the calls with."""
    kept = order.configuration
    if "voice_method" in kept:
        return kept["voice_method"], kept["trunk_sid"] or kept["voice_application_sid"]
    return "POST", kept.get("routed_by") or order.previous["routed_by"] or ""


class Recount:
    """What a tenant has, counted from its rows, one after another."""

    def __init__(self, session: Session, tenant: int, now: datetime, idle_calls: int = 3) -> None:
        def rows(model: Any) -> list[Any]:
            return list(session.scalars(sa.select(model).where(model.tenant_id == tenant)))

        self.now, self.idle_calls = now, idle_calls
        self.zone = ZoneInfo(session.get_one(Tenant, tenant).time_zone)
        self.numbers: list[PhoneNumber] = rows(PhoneNumber)
        self.live = [number for number in self.numbers if number.status not in GONE]
        self.connections: dict[int, Connection] = {row.id: row for row in rows(Connection)}
        self.orders: list[NumberOrder] = rows(NumberOrder)
        self.campaigns: list[Campaign] = rows(Campaign)
        self.places: list[CampaignNumber] = rows(CampaignNumber)
        self.calls: list[CampaignHealth] = rows(CampaignHealth)
        self.keys: list[ApiKey] = rows(ApiKey)
        self.events: list[AuditEvent] = rows(AuditEvent)
        self.members = [(row.role, session.get_one(User, row.user_id)) for row in rows(Membership)]

    def attention(self) -> dict[Attention, set[int]]:
        flagged = {place.number_id for place in self.places if place.pool_status is PoolStatus.SPAM_FLAGGED}
        kinds: dict[Attention, Callable[[PhoneNumber], bool]] = {
            Attention.WEBHOOKS_ELSEWHERE: self._points_elsewhere,
            Attention.NO_CONNECTION: lambda n: n.connection_id is None,
            Attention.INACTIVE_CONNECTION: lambda n: (
                n.connection_id is not None and not self.connections[n.connection_id].is_active
            ),
            Attention.NO_AGENT: lambda n: n.agent_id is None and n.status is NumberStatus.ACTIVE,
            Attention.SPAM_FLAGGED: lambda n: n.id in flagged,
            Attention.IDLE: self._is_idle,
            Attention.RESTRICTED: lambda n: bool(n.allowed_inbound or n.allowed_outbound),
        }
        return {kind: {number.id for number in self.live if calls(number)} for kind, calls in kinds.items()}

    def last_order(self, number: PhoneNumber) -> NumberOrder | None:
        settled = [
            order
            for order in self.orders
            if order.number_id == number.id and order.state is OrderState.CONFIRMED and order.kind in SETS
        ]
        return max(settled, key=lambda order: order.id, default=None)

    def _points_elsewhere(self, number: PhoneNumber) -> bool:
        order = self.last_order(number)
        if order is None or number.connection_id is None:
            return False
        connection = self.connections[number.connection_id]
        kept = order.configuration
        method, routed_by = how(order)
        voice = kept["voice_url"] != (connection.voice_url or "") or method != "POST" or bool(routed_by)
        callback = kept["status_callback"] != (connection.status_callback_url or "")
        if kept["status_callback"]:
            callback = callback or kept.get("status_callback_method", "POST") != "POST"
        return voice or (callback and connection.provider != "exotel")

    def _is_idle(self, number: PhoneNumber) -> bool:
        today = self.now.astimezone(self.zone).date()
        window = [today - timedelta(days=ago) for ago in range(1, 31)]
        completed = sum(day.completed for day in self.calls if day.number_id == number.id and day.day in window)
        return number.is_managed and completed < self.idle_calls

    def cost(self) -> tuple[dict[str, Decimal], int]:
        sums: dict[str, Decimal] = {}
        priced = [(n.currency, n.price) for n in self.live if n.currency and n.price is not None]
        for currency, price in priced:
            sums[currency] = sums.get(currency, Decimal(0)) + price
        return sums, len(self.live) - len(priced)

    def findings(self) -> dict[Kind, int]:
        gone = {number.id for number in self.numbers if number.status in GONE}
        pooled = {place.campaign_id for place in self.places if place.pool_status is not PoolStatus.REMOVED}
        flagged = {place.campaign_id for place in self.places if place.pool_status is PoolStatus.SPAM_FLAGGED}
        in_use = [campaign for campaign in self.campaigns if campaign.status in IN_USE]
        active = [row for row in self.connections.values() if row.is_active]
        people = [(role, user) for role, user in self.members if user.is_active]
        old = self.now - timedelta(days=90)
        admins = sum(role is Role.ADMIN for role, _ in people)
        counts = {
            Kind.OPEN_ORDERS: sum(o.state in (OrderState.PLACED, OrderState.UNKNOWN) for o in self.orders),
            Kind.NO_PRIMARY: sum(c.primary_number_id is None or c.primary_number_id in gone for c in in_use),
            Kind.EMPTY_POOL: sum(c.id not in pooled for c in in_use),
            Kind.FLAGGED_NUMBER: sum(c.id in flagged and c.status is CampaignStatus.ACTIVE for c in in_use),
            Kind.FAILED_TESTS: sum(c.test_passed is False for c in active),
            Kind.NEVER_TESTED: sum(c.tested_at is None and c.provider in ("twilio", "exotel") for c in active),
            Kind.WAITING_USERS: sum(u.last_sign_in_at is None or u.must_change_password for _, u in people),
            Kind.UNUSED_KEYS: sum(
                key.revoked_at is None and (key.last_used_at or key.created_at) < old for key in self.keys
            ),
            **{Kind(kind): len(ids) for kind, ids in self.attention().items() if kind is not Attention.RESTRICTED},
        }
        found = {kind: n for kind, n in counts.items() if n}
        return found | ({Kind.FEW_ADMINS: admins} if admins < 2 else {})


@pytest.fixture(params=[1, 2, 3])
def recount(request: pytest.FixtureRequest, session: Session, world: World) -> Iterator[Recount]:
    """A world made up by chance, at a moment that stands still."""
    now = datetime.now(UTC)
    audit.fill(session, world, request.param, now)
    tenant = session.get_one(Tenant, world.tenant)
    tenant.time_zone = "Asia/Kolkata"
    tenant.settings = {"health": {"idle_calls": request.param + 1}}
    session.commit()
    with time_machine.travel(now, tick=False):
        yield Recount(session, world.tenant, now, request.param + 1)


@pytest.fixture
def owned(session: Session, world: World, recount: Recount) -> tenant_audit.Owned:
    return tenant_audit.owned(session, world.viewer, tenant_audit.tenant(session, world.viewer))


def test_what_is_owned_equals_a_recount(recount: Recount, owned: tenant_audit.Owned) -> None:
    assert owned.numbers == len(recount.live)
    assert owned.facets.statuses == Counter(number.status for number in recount.numbers)
    assert owned.facets.providers == Counter(number.provider for number in recount.live)
    assert owned.facets.countries == Counter(number.country for number in recount.live if number.country)
    assert owned.facets.types == Counter(number.number_type for number in recount.live)
    assert owned.facets.managed == Counter(number.is_managed for number in recount.live)
    sums, unpriced = recount.cost()
    assert (dict(owned.cost.sums), owned.cost.unpriced) == (sums, unpriced)
    lines = {line.connection: line.numbers for line in owned.connections}
    held = Counter(number.connection_id for number in recount.live)
    names = {row.name: held[row.id] for row in recount.connections.values()}
    assert lines == names | ({None: held[None]} if held[None] else {})
    assert sum(line.cost.unpriced for line in owned.connections) == unpriced


def test_months_equal_a_recount_in_the_tenants_zone(recount: Recount, owned: tenant_audit.Owned) -> None:
    zone = ZoneInfo("Asia/Kolkata")

    def months(moments: list[datetime]) -> Counter[date]:
        return Counter(moment.astimezone(zone).date().replace(day=1) for moment in moments)

    added = months([number.created_at for number in recount.numbers])
    held = months([number.created_at for number in recount.live])
    gone = months([number.released_at for number in recount.numbers if number.released_at])
    assert len(owned.months) == 12
    assert owned.months[-1].first == recount.now.astimezone(zone).date().replace(day=1)
    for month in owned.months:
        assert (month.added, month.held, month.gone) == (added[month.first], held[month.first], gone[month.first])
    assert sum(month.added for month in owned.months) > sum(month.held for month in owned.months) > 0


def test_numbers_that_call_for_attention_equal_a_recount_and_the_lists(
    session: Session, world: World, recount: Recount, owned: tenant_audit.Owned
) -> None:
    expected = recount.attention()
    assert {kind: found.n for kind, found in owned.attention.items()} == {k: len(ids) for k, ids in expected.items()}
    assert all(expected.values()), "each kind must occur, or it is not tested"
    for kind, ids in expected.items():
        query = NumberQuery(attention=(kind,))
        assert {row.id for row in numbers.search(session, world.viewer, query, Slice(1, 100))} == ids
        assert {row.id for row in numbers.export(session, world.viewer, query)} == ids
        assert numbers.count(session, world.viewer, query) == len(ids)
        if kind is not Attention.WEBHOOKS_ELSEWHERE:
            newest = sorted(ids, reverse=True)[:5]
            assert [sample.id for sample in owned.attention[kind].newest] == newest
    both = NumberQuery(attention=(Attention.IDLE, Attention.NO_CONNECTION))
    either = expected[Attention.IDLE] | expected[Attention.NO_CONNECTION]
    assert numbers.count(session, world.viewer, both) == len(either)
    assert set(numbers.attention(session, world.viewer)) == set(Attention)


def test_webhooks_that_point_elsewhere_equal_a_recount(recount: Recount, owned: tenant_audit.Owned) -> None:
    known = [number for number in recount.live if recount.last_order(number)]
    assert owned.webhooks_known == len(known)
    elsewhere = recount.attention()[Attention.WEBHOOKS_ELSEWHERE]
    expected: Counter[tuple[str, ...]] = Counter()
    for number in known:
        order = recount.last_order(number)
        if number.id in elsewhere and order:
            urls = (order.configuration["voice_url"], order.configuration["status_callback"])
            expected[(recount.connections[number.connection_id or 0].name, *urls, *how(order))] += 1
    found = {
        (way.connection, way.voice_url, way.status_callback, way.voice_method, way.routed_by): way.n
        for way in owned.ways
    }
    assert len(found) == min(len(expected), tenant_audit.MOST_WAYS)
    assert all(expected[way] == n for way, n in found.items())
    assert sum(found.values()) >= len(elsewhere) * len(found) / len(expected)


def test_findings_equal_a_recount_worst_first(recount: Recount, owned: tenant_audit.Owned) -> None:
    expected = recount.findings()
    assert {finding.kind: finding.n for finding in owned.findings} == expected
    order = [list(Kind).index(finding.kind) for finding in owned.findings]
    assert order == sorted(order)
    assert all(finding.what and finding.why for finding in owned.findings)
    assert len(owned.orders) == expected.get(Kind.OPEN_ORDERS, 0)


def test_lists_behind_findings_hold_what_they_count(
    session: Session, world: World, recount: Recount, owned: tenant_audit.Owned
) -> None:
    counts = {finding.kind: finding.n for finding in owned.findings}
    for trouble in Trouble:
        wanted = CampaignQuery(troubles=(trouble,))
        assert campaigns.count(session, world.viewer, wanted) == counts.get(Kind(trouble.value), 0)
    testable = connection_tests.testable()
    for kind, test in (
        (Kind.FAILED_TESTS, db.connections.Tested.FAILED),
        (Kind.NEVER_TESTED, db.connections.Tested.NEVER),
    ):
        query = ConnectionQuery(active=True, tests=(test,), testable=testable)
        assert connections.count(session, world.viewer, query) == counts.get(kind, 0)


def test_changes_equal_a_recount_of_whole_days_in_the_tenants_zone(
    session: Session, world: World, recount: Recount
) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    last = recount.now.astimezone(zone).date()
    during = tenant_audit.period(last - timedelta(days=19), last - timedelta(days=5), zone)
    inside = [e for e in recount.events if during.first <= e.at.astimezone(zone).date() <= during.last]
    found = tenant_audit.changes(session, world.viewer, during)
    assert found.total == len(inside) > 10
    assert dict(found.actions) == Counter(event.action for event in inside)
    assert sorted(found.people) == sorted(
        (name, n) for (name, _), n in Counter((e.actor_name, e.actor_id) for e in inside).items()
    )
    newest = sorted(inside, key=lambda event: (event.at, event.id), reverse=True)[:20]
    assert [event.id for event in found.newest] == [event.id for event in newest]


def test_each_line_of_the_comparison_equals_the_tenants_own_audit(
    session: Session, world: World, recount: Recount, owned: tenant_audit.Owned
) -> None:
    rows = {row.tenant.id: row for row in tenant_audit.compare(session, world.everywhere, TenantSort.NAME, Slice())}
    assert list(rows) == [world.tenant, world.other_tenant]
    own, attention = rows[world.tenant], recount.attention()
    assert (own.tenant.numbers, own.tenant.active, own.tenant.managed) == (
        len(recount.live),
        sum(number.status is NumberStatus.ACTIVE for number in recount.live),
        sum(number.is_managed for number in recount.live),
    )
    assert own.cost == owned.cost
    assert own.without_agent == len(attention[Attention.NO_AGENT])
    out_of_use = attention[Attention.NO_CONNECTION] | attention[Attention.INACTIVE_CONNECTION]
    assert own.without_connection == len(out_of_use)
    assert own.idle == len(attention[Attention.IDLE])
    assert (own.open_orders, own.findings) == (len(owned.orders), len(owned.findings))
    assert own.tenant.last_change == max(event.at for event in recount.events)
    other = Recount(session, world.other_tenant, recount.now)
    assert rows[world.other_tenant].idle == len(other.attention()[Attention.IDLE])
    assert rows[world.other_tenant].findings == len(other.findings())


def test_tenants_are_compared_in_every_order_page_by_page(session: Session, world: World) -> None:
    for i in range(4):
        builder.tenant(session, f"Tenant {i}")
    session.commit()
    for sort in TenantSort:
        seen = [
            row.tenant.id
            for page in (1, 2, 3)
            for row in tenant_audit.compare(session, world.everywhere, sort, Slice(page, 2))
        ]
        assert len(set(seen)) == len(seen) == tenant_audit.count_tenants(session, world.everywhere) == 6


def test_an_empty_tenant_has_a_report_in_which_only_the_admin_is_missing(session: Session, world: World) -> None:
    tenant = builder.tenant(session, "Empty")
    session.commit()
    actor = replace(world.superadmin, tenant_id=tenant.id)
    about = tenant_audit.tenant(session, actor)
    owned = tenant_audit.owned(session, actor, about)
    assert (owned.numbers, owned.cost.sums, owned.webhooks_known) == (0, {}, 0)
    assert [finding.kind for finding in owned.findings] == [Kind.FEW_ADMINS]
    during = tenant_audit.period(*tenant_audit.last_days(date(2026, 5, 4)), about.zone)
    assert tenant_audit.changes(session, actor, during).total == 0


def test_nothing_looks_wrong_where_nothing_is(session: Session) -> None:
    assert findings.of({Figure.ADMINS: 2}) == []


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    zone = ZoneInfo("UTC")
    with pytest.raises(InvalidInput, match="ends before it starts"):
        tenant_audit.period(date(2026, 5, 5), date(2026, 5, 4), zone)
    one = tenant_audit.period(date(2026, 5, 5), date(2026, 5, 5), zone)
    assert one.until - one.since == timedelta(days=1)


def test_who_may_not_gets_nothing(session: Session, world: World) -> None:
    with pytest.raises(Forbidden):
        tenant_audit.tenant(session, world.nowhere)
    with pytest.raises(NotFound):
        tenant_audit.tenant(session, world.everywhere)
    with pytest.raises(Forbidden):
        tenant_audit.compare(session, world.admin, TenantSort.NAME, Slice())


def test_a_report_asks_no_more_often_however_much_there_is(
    database: sa.Engine, session: Session, world: World, recount: Recount
) -> None:
    tenant_audit.owned(session, world.viewer, tenant_audit.tenant(session, world.viewer))  # adds up what came in
    session.expire_all()
    with queries_of(database) as seen:
        about = tenant_audit.tenant(session, world.viewer)
        owned = tenant_audit.owned(session, world.viewer, about)
        during = tenant_audit.period(*tenant_audit.last_days(recount.now.date()), about.zone)
        tenant_audit.changes(session, world.viewer, during)
    assert owned.orders
    assert owned.ways
    assert len(seen) <= 15, "\n".join(seen)
