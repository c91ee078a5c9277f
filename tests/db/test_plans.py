"""Queries of the lists go through indexes: no plan scans the table."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.audit.queries
import db.audit.tenant_audit
import db.numbers.queries
import db.numbers.rows
import db.orders.queries
from db.audit.queries import AuditQuery
from db.base.scope import Scope, Slice
from db.models import CampaignStatus, NumberStatus
from db.numbers.attention import Attention, Rules
from db.numbers.matching import NumberQuery, Sort
from services.campaigns import campaigns
from services.text import numbering
from tests.analysis.statements import plans_of
from tests.conftest import World
from tests.world import make

QUERIES = {
    "the newest": NumberQuery(),
    "by number": NumberQuery(sort=Sort.NUMBER),
    "by name": NumberQuery(sort=Sort.NAME),
    "of a status": NumberQuery(statuses=(NumberStatus.INACTIVE,)),
    "of an agent": NumberQuery(agents=(1,)),
    "of a connection": NumberQuery(connections=(1,)),
    "of a country": NumberQuery(countries=("US",)),
    "a whole number": NumberQuery(search=numbering.search_text("+14155552671")),
    "a part of a number": NumberQuery(search=numbering.search_text("555267")),
}


ACROSS_TENANTS = ("the newest", "a whole number", "a part of a number")
CASES = [(name, Scope(1)) for name in QUERIES] + [(name, Scope(None)) for name in ACROSS_TENANTS]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # PostgreSQL scans tables that are small
@pytest.mark.parametrize(("name", "scope"), CASES)
def test_no_page_of_the_list_scans_the_table(database: sa.Engine, session: Session, name: str, scope: Scope) -> None:
    with plans_of(database) as plans:
        db.numbers.queries.search(session, scope, QUERIES[name], Slice())
    scans = [step for step in plans if step.startswith("SCAN phone_number") and "INDEX" not in step]
    assert plans
    assert not scans, plans


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("scope", [Scope(1), Scope(None)], ids=["a tenant", "all tenants"])
def test_no_batch_of_a_download_or_of_an_import_scans_a_table(
    database: sa.Engine, session: Session, world: World, scope: Scope
) -> None:
    make.several(session, world, 2)
    with plans_of(database) as plans:
        list(db.numbers.queries.walk(session, scope, NumberQuery()))
        db.numbers.rows.among(session, world.tenant, ["+14155552000", "+14155552001"])
    scans = {step.split()[1] for step in plans if step.startswith("SCAN")}
    assert plans
    assert scans <= {"campaign", "tenant"}, plans  # of which there are few


DAY = AuditQuery(since=datetime(2026, 5, 4, tzinfo=UTC), until=datetime(2026, 5, 5, tzinfo=UTC))
AUDIT = {
    "the newest": ("newest", AuditQuery()),
    "of a period": ("newest", DAY),
    "of a person": ("actor", AuditQuery(actors=("Olga",))),
    "of an action": ("action", AuditQuery(actions=("numbers:rename",))),
    "of two actions": ("action", AuditQuery(actions=("numbers:rename", "numbers:add"))),
    "of a kind": ("kind", AuditQuery(kinds=("number",))),
    "a whole number": ("label", AuditQuery(search=numbering.search_text("+14155552671"))),
    "a part of a number": ("label", AuditQuery(search=numbering.search_text("555267"))),
    "a name": ("label", AuditQuery(search=numbering.search_text("Spring"))),
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("scope", [Scope(1), Scope(None)], ids=["a tenant", "all tenants"])
@pytest.mark.parametrize("name", AUDIT)
def test_each_page_of_the_audit_log_comes_off_its_index(
    database: sa.Engine, session: Session, world: World, name: str, scope: Scope
) -> None:
    make.number(session, world)
    campaigns.add(session, world.operator, "Spring", CampaignStatus.ACTIVE)
    index, query = AUDIT[name]
    with plans_of(database) as plans:
        db.audit.queries.count(session, scope, query)
        db.audit.queries.search(session, scope, query, Slice())
    found = [step for step in plans if "audit_event" in step and "PRIMARY KEY" not in step]
    assert len(found) >= 2
    assert all(f"INDEX ix_audit_event_{index}" in step for step in found), plans
    if index != "label" and len(query.actions) < 2:  # those are few, and sorted
        assert plans.count("USE TEMP B-TREE FOR ORDER BY") <= 1, plans  # the rows that are shown


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("scope", [Scope(1), Scope(None)], ids=["a tenant", "all tenants"])
def test_what_the_audit_log_is_filtered_by_and_a_history_come_off_indexes(
    database: sa.Engine, session: Session, scope: Scope
) -> None:
    with plans_of(database) as plans:
        db.audit.queries.facets(session, scope)
        db.audit.queries.of_subject(session, scope, "number", 1, Slice())
        db.audit.queries.of_number(session, scope, 1, Slice())
    steps = [step for step in plans if "audit_event" in step]
    assert steps
    assert all(step.startswith("SEARCH audit_event") for step in steps), plans
    assert [step for step in steps if "ix_audit_event_subject" in step], plans


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_download_of_the_audit_log_is_not_sorted_first(database: sa.Engine, session: Session) -> None:
    with plans_of(database) as plans:
        list(db.audit.queries.walk(session, Scope(1), AuditQuery(actions=("numbers:rename",))))
    assert plans
    assert "USE TEMP B-TREE FOR ORDER BY" not in plans, plans


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "index"),
    [
        (Attention.NO_AGENT, "ix_phone_number_agent"),
        (Attention.IDLE, "COVERING INDEX ix_phone_number"),
        (Attention.IDLE, "COVERING INDEX ix_health_line_tenant_id_days_number_id_completed"),
        (Attention.RESTRICTED, "ix_phone_number_restricted"),
        (Attention.SPAM_FLAGGED, "ix_campaign_number_flagged"),
        (Attention.WEBHOOKS_ELSEWHERE, "ix_number_order_webhooks"),
    ],
)
def test_what_calls_for_attention_is_found_through_its_index(
    database: sa.Engine, session: Session, kind: Attention, index: str
) -> None:
    with plans_of(database) as plans:
        db.audit.tenant_audit.found(session, Scope(1), [kind], Rules(30, 3, ("exotel",)), 5)
    assert any(index in step for step in plans), plans


ORDERS: dict[str, Callable[[Session], object]] = {
    "whether a number is being ordered": lambda s: db.orders.queries.has_open(s, "+14155552671"),
    "the numbers being ordered": db.orders.queries.open_numbers,
    "the oldest": db.orders.queries.oldest_open,
    "what is due": lambda s: db.orders.queries.due(s, datetime.now(UTC), timedelta(hours=4), 100),
    "the banner of a tenant": lambda s: db.orders.queries.still_open(s, Scope(1)),
    "the banner of all tenants": lambda s: db.orders.queries.still_open(s, Scope(None)),
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ORDERS)
def test_open_orders_are_found_without_reading_those_that_are_settled(
    database: sa.Engine, session: Session, name: str
) -> None:
    with plans_of(database) as plans:
        ORDERS[name](session)
    steps = [step for step in plans if "number_order" in step]
    assert steps
    indexes = ("uq_number_order_open_e164", "ix_number_order_next_look_at", "ix_number_order_tenant_id_state")
    assert all(any(index in step for index in indexes) for step in steps), plans
