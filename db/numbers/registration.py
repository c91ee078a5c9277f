"""Writing numbers of any provider (BYOT), one or many at once, and who holds which already."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

import db.base.bulk
from db.base.tables import table_of
from db.models import LIVE, NumberStatus, NumberTag, NumberType, PhoneNumber


class NewNumber(NamedTuple):
    """A number that is not on record yet."""

    e164: str
    provider: str
    connection_id: int
    country: str
    number_type: NumberType
    label: str
    agent_id: int | None
    allowed_inbound: list[str]
    allowed_outbound: list[str]
    provider_fields: Mapping[str, str]
    notes: str
    tags: Sequence[str]


def holders(session: Session, e164s: Sequence[str]) -> dict[str, int]:
    """Return which of *e164s* are held, and by which tenant."""
    return _ids_by_e164(session, e164s, PhoneNumber.tenant_id)


def put(session: Session, tenant_id: int, numbers: Sequence[NewNumber]) -> dict[str, int]:
    """Write *numbers* of a tenant, active, and return their ids. Raises IntegrityError when one is held meanwhile."""
    now = datetime.now(UTC)
    every = {
        "tenant_id": tenant_id,
        "status": NumberStatus.ACTIVE,
        "is_managed": False,
        "created_at": now,
        "updated_at": now,
        "version": 1,
    }
    rows = [number._asdict() | every for number in numbers]
    for row in rows:
        del row["tags"]
    db.base.bulk.insert(session, table_of(PhoneNumber), rows)
    ids = _ids_by_e164(session, [number.e164 for number in numbers], PhoneNumber.id)
    tags = [
        {"number_id": ids[number.e164], "tenant_id": tenant_id, "tag": tag} for number in numbers for tag in number.tags
    ]
    db.base.bulk.insert(session, table_of(NumberTag), tags)
    return ids


def _ids_by_e164(session: Session, e164s: Sequence[str], column: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for some_e164s in db.base.bulk.batches(e164s):
        wanted = PhoneNumber.e164.in_(some_e164s)
        found |= dict(session.execute(sa.select(PhoneNumber.e164, column).where(wanted, LIVE)).all())
    return found
