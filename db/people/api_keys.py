"""Queries over API keys."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session

from db.base.scope import Scope
from db.models import ApiKey, Tenant, User


@dataclass(frozen=True)
class ApiKeyRow:
    """A key as it is listed: never the key itself."""

    id: int
    name: str
    shown: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def search(session: Session, scope: Scope) -> list[ApiKeyRow]:
    """Return the keys in *scope*, those in use first, then the newest."""
    rows = session.execute(
        sa.select(
            ApiKey.id,
            ApiKey.name,
            ApiKey.shown,
            ApiKey.scopes,
            User.name,
            ApiKey.created_at,
            ApiKey.last_used_at,
            ApiKey.revoked_at,
        )
        .join(User, User.id == ApiKey.created_by)
        .where(scope.of(ApiKey.tenant_id))
        .order_by(ApiKey.revoked_at.is_not(None), ApiKey.id.desc())
    )
    return [ApiKeyRow(*row) for row in rows]


def find(session: Session, scope: Scope, key_id: int) -> ApiKey | None:
    """Return a key in *scope*."""
    return session.scalar(sa.select(ApiKey).where(ApiKey.id == key_id, scope.of(ApiKey.tenant_id)))


def find_hashed(session: Session, hashed: str) -> tuple[ApiKey, Tenant] | None:
    """Return the key with this hash and its tenant, whoever asks: it is how a program proves who it is."""
    row = session.execute(
        sa.select(ApiKey, Tenant).join(Tenant, Tenant.id == ApiKey.tenant_id).where(ApiKey.hashed == hashed)
    ).first()
    return (row[0], row[1]) if row else None
