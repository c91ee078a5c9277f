"""Queries over telephony connections."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

from db.models import Connection, Tenant
from db.scope import Scope


@dataclass(frozen=True)
class ConnectionRow:
    """A connection without its secrets."""

    id: int
    tenant: str
    name: str
    provider: str
    default_country: str | None
    voice_url: str | None
    status_callback_url: str | None
    is_active: bool


def search(session: Session, scope: Scope, *, active_only: bool = False) -> list[ConnectionRow]:
    """Return the connections in *scope*, by name."""
    condition = [Connection.is_active.is_(True)] if active_only else []
    rows = session.execute(
        sa.select(
            Connection.id,
            Tenant.name,
            Connection.name,
            Connection.provider,
            Connection.default_country,
            Connection.voice_url,
            Connection.status_callback_url,
            Connection.is_active,
        )
        .join(Tenant, Tenant.id == Connection.tenant_id)
        .where(scope.of(Connection.tenant_id), *condition)
        .order_by(Connection.name, Tenant.name)
    )
    return [ConnectionRow(*row) for row in rows]


def find(session: Session, scope: Scope, connection_id: int) -> Connection | None:
    """Return the row of a connection in *scope*."""
    return session.scalar(sa.select(Connection).where(Connection.id == connection_id, scope.of(Connection.tenant_id)))


def any_credentials(session: Session) -> list[str]:
    """Return one stored token of credentials, if there is any: enough to see whether a key fits."""
    return list(session.scalars(sa.select(Connection.credentials).where(Connection.credentials.is_not(None)).limit(1)))


def sandboxes(session: Session, provider: str) -> list[Connection]:
    """Return the sandbox connections of every tenant at one provider."""
    condition = (Connection.is_sandbox.is_(True), Connection.provider == provider)
    return list(session.scalars(sa.select(Connection).where(*condition).order_by(Connection.id)))
