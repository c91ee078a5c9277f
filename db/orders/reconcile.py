"""Queries that put an account's numbers beside those on record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

import db.base.bulk
from db.base.rows import columns_for
from db.base.scope import Scope
from db.models import LIVE, Connection, PhoneNumber


@dataclass(frozen=True)
class Record:
    """A number on record, as far as a provider has it too; the webhooks are those of its connection."""

    id: int
    e164: str
    connection_id: int | None
    is_managed: bool
    provider: str
    provider_sid: str | None
    provider_fields: dict[str, str]
    label: str
    version: int
    voice_url: str | None
    status_callback_url: str | None


def among(session: Session, scope: Scope, e164s: Sequence[str]) -> dict[str, Record]:
    """Return which of *e164s* the tenants in *scope* hold."""
    found = session.execute(_records().where(scope.of(PhoneNumber.tenant_id), PhoneNumber.e164.in_(e164s), LIVE))
    return {row.e164: Record(*row) for row in found}


def managed(
    session: Session, scope: Scope, connection_id: int, before: datetime, matching: str = "", batch: int = 1000
) -> Iterator[Record]:
    """Yield what was added *before* a moment, is managed through a connection and has *matching* in its number.

    They are read *batch* rows at a time.
    """
    conditions = [
        PhoneNumber.created_at < before,
        scope.of(PhoneNumber.tenant_id),
        PhoneNumber.connection_id == connection_id,
        PhoneNumber.is_managed.is_(True),
        LIVE,
    ]
    if matching:
        conditions.append(PhoneNumber.e164.contains(matching, autoescape=True))
    after = 0
    while True:
        found = session.execute(
            _records().where(*conditions, PhoneNumber.id > after).order_by(PhoneNumber.id).limit(batch)
        ).all()
        yield from (Record(*row) for row in found)
        if len(found) < batch:
            return
        after = found[-1].id


def held_by_anybody(session: Session, e164s: Sequence[str]) -> set[str]:
    """Return which of *e164s* any tenant holds: whoever asks may know that, and not who."""
    held: set[str] = set()
    for some in db.base.bulk.batches(e164s):
        held.update(session.scalars(sa.select(PhoneNumber.e164).where(PhoneNumber.e164.in_(some), LIVE)))
    return held


def _records() -> Any:
    urls = {"voice_url": Connection.voice_url, "status_callback_url": Connection.status_callback_url}
    columns = columns_for(Record, PhoneNumber, **urls)
    return sa.select(*columns).outerjoin(Connection, Connection.id == PhoneNumber.connection_id)
