"""What the database itself refuses, whoever writes."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from db.models import AuditEvent, OrderState, PhoneNumber
from services.setup import builder
from tests.conftest import World
from tests.world import make


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET actor_name = 'x'", "DELETE FROM audit_event"])
def test_the_audit_log_cannot_be_changed(session: Session, world: World, statement: str) -> None:
    make.number(session, world)
    with pytest.raises(DBAPIError, match="append-only"):
        session.execute(sa.text(statement))
    session.rollback()
    assert session.scalar(sa.select(sa.func.count(AuditEvent.id)))


def test_the_audit_log_cannot_be_truncated(session: Session, world: World) -> None:
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(DBAPIError, match="append-only"):
        session.execute(sa.text("TRUNCATE audit_event"))


def number(world: World, **fields: Any) -> PhoneNumber:
    given: dict[str, Any] = {"tenant_id": world.tenant, "e164": "+14155552671", "provider": "sip"}
    return PhoneNumber(**(given | fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "sold"},
        {"number_type": "satellite"},
        {"e164": "+1"},
        {"released_at": sa.func.current_timestamp()},
        {"tenant_id": 99},
    ],
)
def test_values_that_make_no_sense_are_refused(session: Session, world: World, fields: dict[str, object]) -> None:
    values = {
        "tenant_id": world.tenant,
        "e164": "+14155552671",
        "provider": "sip",
        "status": "active",
        "is_managed": False,
        "country": "US",
        "number_type": "local",
        "label": "",
        "allowed_inbound": "[]",
        "allowed_outbound": "[]",
        "provider_fields": "{}",
        "notes": "",
        "created_at": sa.func.current_timestamp(),
        "updated_at": sa.func.current_timestamp(),
        "version": 1,
        **fields,
    }
    table = sa.table("phone_number", *(sa.column(name) for name in values))
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    typed = {
        name: sa.cast(value, JSONB) if is_postgresql and value in ("[]", "{}") else value
        for name, value in values.items()
    }
    with pytest.raises((IntegrityError, DBAPIError)):
        session.execute(sa.insert(table).values(**typed))


def test_nothing_refers_to_another_tenants_things(session: Session, world: World) -> None:
    for fields in ({"connection_id": world.other_sip}, {"agent_id": world.other_agent}):
        session.add(number(world, **fields))
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()


def test_a_number_is_unique_among_all_that_are_held(session: Session, world: World) -> None:
    session.add_all([number(world), number(world, tenant_id=world.other_tenant)])
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()
    session.add_all([number(world), number(world, tenant_id=world.other_tenant, status="released")])
    session.flush()


def test_there_is_one_open_order_for_a_number(session: Session, world: World) -> None:
    for state in (OrderState.PLACED, OrderState.CONFIRMED, OrderState.FAILED):
        make.order(session, world, "+14155552671", state=state)
    with pytest.raises(IntegrityError):
        make.order(session, world, "+14155552671", state=OrderState.UNKNOWN)


def test_answered_is_never_more_than_attempts(session: Session, world: World) -> None:
    held = make.number(session, world)
    builder.fact(session, builder.campaign(session, world.tenant, "Spring"), held, date(2026, 5, 4), 1, 2)
    with pytest.raises(IntegrityError, match="answered_of_attempts"):
        session.flush()
