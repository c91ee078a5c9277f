"""Queries of the list go through indexes: no plan scans the table."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.numbers
import db.tenant_audit
from db.attention import Attention, Idle
from db.models import NumberStatus
from db.numbers import NumberQuery, Sort
from db.scope import Scope, Slice
from services import numbering

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
def test_no_page_of_the_list_scans_the_table(session: Session, name: str, scope: Scope) -> None:
    plans: list[str] = []

    @sa.event.listens_for(session.get_bind(), "before_cursor_execute")
    def _explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.lstrip().startswith("SELECT"):
            plans.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall())

    db.numbers.search(session, scope, QUERIES[name], Slice())
    scans = [step for step in plans if step.startswith("SCAN phone_number") and "INDEX" not in step]
    assert plans
    assert not scans, plans


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "index"),
    [
        (Attention.NO_AGENT, "ix_phone_number_unassigned"),
        (Attention.IDLE, "ix_phone_number_managed"),
        (Attention.IDLE, "COVERING INDEX ix_campaign_health_of_number"),
        (Attention.RESTRICTED, "ix_phone_number_restricted"),
        (Attention.SPAM_FLAGGED, "ix_campaign_number_flagged"),
        (Attention.WEBHOOKS_ELSEWHERE, "ix_number_order_webhooks"),
    ],
)
def test_what_calls_for_attention_is_found_through_its_index(session: Session, kind: Attention, index: str) -> None:
    plans: list[str] = []

    @sa.event.listens_for(session.get_bind(), "before_cursor_execute")
    def _explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        plans.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall())

    db.tenant_audit.found(session, Scope(1), [kind], Idle(date(2026, 5, 4), 3), 5)
    assert any(index in step for step in plans), plans
