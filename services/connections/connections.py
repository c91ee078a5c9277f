"""Telephony connections: a tenant's accounts at providers, with write-only secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlmodel import Session

import db.base.engine
import db.base.named
import db.connections
import db.health.call_logs
import db.orders.comparisons
from db.base.rows import values_for
from db.base.scope import Scope, Slice
from db.connections import ConnectionQuery, ConnectionRow, ListedConnection, Uses
from db.models import Connection
from providers import PROVIDERS
from providers.base import Capability, Field, Provider
from services.audit import audit
from services.audit.audit import Action
from services.core import changes, credentials, settings, validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, InvalidInput, found
from services.core.transactions import writing
from services.text import numbering
from services.text.labels import amount

__all__ = ["ConnectionRow"]

_ACCOUNT = "account_sid"


@dataclass(frozen=True)
class ConnectionValues:
    """The input for a connection. Omitted secrets stay as they are, unless named in *forget*."""

    name: str
    default_country: str | None = None
    voice_url: str = ""
    status_callback_url: str = ""
    credentials: Mapping[str, str] | None = None
    forget: Sequence[str] = ()


@dataclass(frozen=True)
class ConnectionDetail:
    """A connection as shown on its page. `plain` has the credentials that are not secret, for those who may write."""

    id: int
    tenant_id: int
    name: str
    provider: str
    default_country: str | None
    voice_url: str
    status_callback_url: str
    is_active: bool
    is_sandbox: bool
    created_at: datetime
    tested_at: datetime | None
    test_passed: bool | None
    test_result: str | None
    plain: Mapping[str, str]
    stored: frozenset[str]
    version: int


def expect_able(connection: Connection, needed: Capability) -> None:
    """Raise InvalidInput when the provider of a connection cannot do what is *needed*."""
    provider = provider_named(connection.provider)
    if not provider.can(needed):
        raise InvalidInput(f"{provider.name} cannot do this.", field="connection")


def choices(session: Session, actor: Actor, *, active_only: bool = True) -> list[ConnectionRow]:
    """Return the connections that can be chosen, by name."""
    require(actor, Permission.CONNECTIONS_READ)
    return db.connections.choices(session, actor.scope, active_only=active_only)


def count(session: Session, actor: Actor, query: ConnectionQuery) -> int:
    """Return how many connections match."""
    require(actor, Permission.CONNECTIONS_READ)
    return db.connections.count(session, actor.scope, query)


def search(session: Session, actor: Actor, query: ConnectionQuery, part: Slice) -> list[ListedConnection]:
    """Return the *part* of the connections that match, by name."""
    require(actor, Permission.CONNECTIONS_READ)
    return db.connections.search(session, actor.scope, query, part)


def get(session: Session, actor: Actor, connection_id: object) -> ConnectionDetail:
    """Return one connection, without its secrets. Raises NotFound for one outside the actor's scope."""
    require(actor, Permission.CONNECTIONS_READ)
    row = found(db.base.named.find(session, Connection, actor.scope, validation.as_id(connection_id)))
    known = credentials.unseal(settings.current(), row.credentials)
    visible = {field.name for field in provider_named(row.provider).credential_fields if not field.secret}
    shown = {
        name: value for name, value in known.items() if name in visible and actor.may(Permission.CONNECTIONS_WRITE)
    }
    return ConnectionDetail(
        **values_for(
            ConnectionDetail,
            row,
            voice_url=row.voice_url or "",
            status_callback_url=row.status_callback_url or "",
            plain=shown,
            stored=frozenset(name for name, value in known.items() if value),
        )
    )


def uses(session: Session, actor: Actor, connection_id: int) -> Uses:
    """Return what depends on a connection."""
    require(actor, Permission.CONNECTIONS_READ)
    return db.connections.uses(session, actor.scope, connection_id)


def add(session: Session, actor: Actor, provider: str, values: ConnectionValues) -> int:
    """Add a connection and return its id; the provider is not asked.

    Raises Forbidden, InvalidInput naming the field, NotFound when no tenant is chosen.
    """
    require(actor, Permission.CONNECTIONS_WRITE)
    tenant_id = require_tenant(actor)
    if provider not in PROVIDERS:
        raise InvalidInput("Choose a provider.", field="provider")

    def make() -> Connection:
        row = Connection(tenant_id=tenant_id, name="", provider=provider)
        _fill(session, row, values)
        return row

    return changes.add(session, actor, _NOUN, make, Action.CONNECTIONS_ADD)


def edit(session: Session, actor: Actor, connection_id: int, values: ConnectionValues, *, version: int) -> int:
    """Change a connection and return its new version.

    Raises Forbidden, NotFound, InvalidInput naming the field, Conflict when it has changed.
    """
    require(actor, Permission.CONNECTIONS_WRITE)
    replaced: dict[str, str] = {}

    def apply(row: Connection) -> None:
        replaced.update(dict.fromkeys(_fill(session, row, values), "replaced"))

    def words(session: Session, row: Connection) -> dict[str, Any]:
        return _words(session, row) | replaced

    noun = replace(_NOUN, words=words)
    return changes.change(session, actor, noun, connection_id, Action.CONNECTIONS_EDIT, apply, version=version)


def set_active(session: Session, actor: Actor, connection_id: int, active: bool, *, version: int) -> int:
    """Activate a connection, or deactivate it: what uses it keeps it."""
    return changes.set_active(session, actor, _NOUN, connection_id, active, version=version)


def delete(session: Session, actor: Actor, connection_id: int, *, version: int) -> None:
    """Delete a connection and its secrets. Raises Conflict when it is in use or has changed."""
    require(actor, Permission.CONNECTIONS_WRITE)
    with writing(session, conflict="This connection is now in use. It was not deleted."):
        row = found(db.base.named.lock(session, Connection, actor.scope, validation.as_id(connection_id)))
        changes.expect_version(session, actor.scope, "connection", row, version)
        used = db.connections.uses(session, Scope(row.tenant_id), connection_id)
        if used.any:
            raise Conflict(f"{row.name} is in use and cannot be deleted: {usage(used)}. Deactivate it instead.")
        audit.record(session, actor, Action.CONNECTIONS_DELETE, _NOUN.subject(row), before=_words(session, row))
        _forget_account(session, row)
        session.delete(row)


def _forget_account(session: Session, row: Connection) -> None:
    """Forget what was read of an account: another one has another call log, and other numbers."""
    db.health.call_logs.forget(session, row.id)
    db.orders.comparisons.forget(session, row.tenant_id, row.id)
    row.compared_job_id = row.compared_at = None


def usage(uses: Uses) -> str:
    """Return what uses a connection, as text; empty for nothing."""
    parts = [
        amount(uses.numbers, "number") if uses.numbers else "",
        amount(uses.open_orders, "order") + " still open" if uses.open_orders else "",
        amount(uses.gone, "released or removed number") if uses.gone else "",
        amount(uses.orders - uses.open_orders, "settled order") if uses.orders > uses.open_orders else "",
    ]
    return ", ".join(part for part in parts if part)


def rotate_key(session: Session) -> int:
    """Re-encrypt all credentials with the first key; return how many there were.

    Raises KeyProblem, with nothing changed, when no key opens one of them.
    """
    config = settings.current()
    with writing(session):
        rows = db.connections.sealed(session)
        for row in rows:
            row.credentials = credentials.seal(config, credentials.unseal(config, row.credentials))
        subject = audit.Subject("installation", None, "Encryption key", None)
        audit.record(session, None, Action.CONNECTIONS_ROTATE_KEY, subject, after={"connections": len(rows)})
    return len(rows)


def provider_named(key: str) -> type[Provider]:
    """Return a provider's class; an unknown one has only its key."""
    return PROVIDERS.get(key) or _unknown(key)


@cache
def _unknown(key: str) -> type[Provider]:
    return type("Unknown", (Provider,), {"key": key, "name": key})


def all_providers() -> list[type[Provider]]:
    """Return every provider that a connection can be made to, by name."""
    return list(PROVIDERS.values())


def _fill(session: Session, row: Connection, values: ConnectionValues) -> list[str]:
    """Put *values* into *row*; return the names of credentials that were replaced."""
    row.name = changes.free_name(session, _NOUN, row.tenant_id, values.name, but=row.id)
    if values.default_country and values.default_country not in numbering.countries():
        raise InvalidInput("Choose a default country from the list.", field="default_country")
    row.default_country = values.default_country or None
    provider = provider_named(row.provider)
    if provider.can(Capability.SET_WEBHOOKS):
        row.voice_url = validation.webhook_url(values.voice_url, "Voice URL", "voice_url")
        row.status_callback_url = validation.webhook_url(
            values.status_callback_url, "Status Callback URL", "status_callback_url"
        )
    return _fill_credentials(session, row, provider, values)


def _fill_credentials(
    session: Session, row: Connection, provider: type[Provider], values: ConnectionValues
) -> list[str]:
    config = settings.current()
    before = credentials.unseal(config, row.credentials)
    after = dict(before)
    for field in provider.credential_fields:
        _enter(field, (values.credentials or {}).get(field.name), field.name in values.forget, after)
    if problem := provider.problem_with(after):
        raise InvalidInput(problem.text, field=problem.field)
    if after == before:
        return []
    if row.id and before.get(_ACCOUNT) and after.get(_ACCOUNT) != before[_ACCOUNT]:
        used = db.connections.uses(session, Scope(row.tenant_id), row.id)
        if used.managed or used.open_orders:
            raise InvalidInput(
                f"{usage(used)} belong to this connection's account. Add another connection for another account.",
                field=_ACCOUNT,
            )
        _forget_account(session, row)
    row.credentials = credentials.seal(config, after) if after else None
    row.tested_at = row.test_passed = row.test_result = None
    return [name for name in after if before.get(name) and after[name] != before[name]]


def _enter(field: Field, entered: str | None, forget: bool, into: dict[str, str]) -> None:
    """Put what was entered for *field* into *into*, or leave what is there."""
    value = (entered or "").strip()
    if forget and not field.required:
        into.pop(field.name, None)
        return
    if not value and (field.secret or entered is None) and into.get(field.name):
        return
    if not field.accepts(value):
        raise InvalidInput(f"Enter the {field.label}." if not value else field.problem, field=field.name)
    if value:
        into[field.name] = value
    else:
        into.pop(field.name, None)


def _words(_session: Session, row: Connection) -> dict[str, Any]:
    """Return a connection's values as the audit log keeps them: of credentials, only that they are set."""
    known = credentials.unseal(settings.current(), row.credentials)
    return {
        "name": row.name,
        "provider": row.provider,
        "default_country": row.default_country,
        "voice_url": row.voice_url,
        "status_callback": row.status_callback_url,
        "status": "active" if row.is_active else "inactive",
        **{field.name: "set" for field in provider_named(row.provider).credential_fields if known.get(field.name)},
    }


_NOUN = changes.Noun("connection", Permission.CONNECTIONS_WRITE, Connection, _words)
