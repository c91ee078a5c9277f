"""Whatever the way to them, the same numbers are found as by looking at each."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.base.engine
import db.numbers.queries
from benchmarks import analyze, numbers_world
from benchmarks.numbers import RULES, alone, pairs
from db.base.scope import Scope, Slice
from db.models import NumberStatus, PhoneNumber, Tenant
from db.numbers import matching, ways
from db.numbers.attention import Attention
from db.numbers.matching import NumberQuery
from db.numbers.text_search import closeness, containing
from services.setup import builder
from tests.analysis.statements import plans_of

AMOUNT = 24_000
"""So many that a tenant has more of some things than are collected, and more than are counted."""

PAGE = 40


def looked_through(session: Session, scope: Scope, query: NumberQuery) -> Sequence[int]:
    """Return the ids of all that match, as a statement without any art finds them."""
    wanted: list[Any] = [*matching.matching(scope, query), *([containing(query.search)] if query.search else [])]
    order = (*closeness(query.search), *matching.order(query.sort))
    return session.scalars(sa.select(PhoneNumber.id).where(*wanted).order_by(*order)).all()


def scoped(session: Session, where: str) -> Scope:
    """Return the scope of the largest tenant, or of all."""
    return Scope(session.scalar(sa.select(sa.func.min(Tenant.id))) if where == "a tenant" else None)


@pytest.mark.parametrize("where", ["a tenant", "all tenants"])
def test_every_question_finds_what_there_is(session: Session, database: sa.Engine, where: str) -> None:
    numbers_world.grow(session, 0, AMOUNT)
    analyze()
    scope = scoped(session, where)
    chance = Random(3)
    total = db.numbers.queries.count(session, scope, NumberQuery())
    asked = alone(session, total) | pairs(session)
    assert len(asked) > 200
    assert total > 2 * ways.FEW
    for name, (query, part) in asked.items():
        expected = looked_through(session, scope, query)
        limit = db.numbers.queries.counted_up_to(scope, query)
        found = db.numbers.queries.count(session, scope, query)
        assert found == min(len(expected), limit + 1 if limit else len(expected)), name
        last = max(1, -(-min(found, limit or found) // PAGE))
        for page in {1, part.page, last, chance.randint(1, last)}:
            rows = db.numbers.queries.search(session, scope, query, Slice(page, PAGE), total=found)
            assert [row.id for row in rows] == list(expected[(page - 1) * PAGE : page * PAGE]), (name, page)


def test_what_calls_for_attention_is_found_among_many_that_are_gone(session: Session, database: sa.Engine) -> None:
    numbers_world.grow(session, 0, 100)
    scope = scoped(session, "a tenant")
    gone = {"tenant_id": scope.tenant_id, "provider": "twilio", "is_managed": True, "status": "released"}
    when = {"released_at": numbers_world.BEGAN}
    rows = (gone | when | {"e164": f"+1415{5_550_000 + n}"} for n in range(ways.FEW + 100))
    builder.many(session, PhoneNumber, rows, commit=True)
    query = NumberQuery(statuses=(NumberStatus.RELEASED,), attention=(Attention.IDLE,), rules=RULES)
    assert db.numbers.queries.count(session, scope, query) == db.numbers.queries.LOOKED_AT + 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("where", ["a tenant", "all tenants"])
def test_no_question_scans_the_table(session: Session, database: sa.Engine, where: str) -> None:
    numbers_world.grow(session, 0, 100)
    scope = scoped(session, where)
    for name, (query, part) in (alone(session, 100) | pairs(session)).items():
        with plans_of(database) as plans:
            found = db.numbers.queries.count(session, scope, query)
            db.numbers.queries.search(session, scope, query, part, total=found)
        scans = [step for step in plans if step.startswith("SCAN phone_number") and "INDEX" not in step]
        assert not scans or name == "2 digits", (name, plans)  # too few for trigrams; it stops at the limit
