"""Queries of the list go through indexes: no plan scans the table."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.numbers
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
