"""Writing numbers of any provider (BYOT), one or many at once, and who holds which already."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.models import LIVE, NumberStatus, NumberTag, NumberType, PhoneNumber

_AT_ONCE = 10_000


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
    found: dict[str, int] = {}
    for start in range(0, len(e164s), _AT_ONCE):
        wanted = e164s[start : start + _AT_ONCE]
        found |= dict(
            session.execute(
                sa.select(PhoneNumber.e164, PhoneNumber.tenant_id).where(PhoneNumber.e164.in_(wanted), LIVE)
            )
            .tuples()
            .all()
        )
    return found


def put(session: Session, tenant_id: int, numbers: Sequence[NewNumber]) -> dict[str, int]:
    """Write *numbers* of a tenant, active, and return their ids. Raises IntegrityError when one is held meanwhile."""
    now = datetime.now(UTC)
    values = [
        {
            **number._asdict(),
            "tenant_id": tenant_id,
            "status": NumberStatus.ACTIVE,
            "is_managed": False,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        for number in numbers
    ]
    for value in values:
        del value["tags"]
    table = PhoneNumber.__table__
    rows = session.execute(sa.insert(table).returning(table.c.e164, table.c.id), values)
    ids = dict(rows.tuples().all())
    tags = [
        {"number_id": ids[number.e164], "tenant_id": tenant_id, "tag": tag} for number in numbers for tag in number.tags
    ]
    if tags:
        session.execute(sa.insert(NumberTag.__table__).returning(NumberTag.__table__.c.number_id), tags)
    return ids
