"""API keys of a tenant: stored as hashes, shown once, revocable."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

import db.base.engine
import db.people.api_keys
from db.models import ApiKey
from db.people.api_keys import ApiKeyRow
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Forbidden, InvalidInput, found
from services.core.transactions import writing

__all__ = ["ApiKeyRow", "NewKey", "UnknownKey", "create", "holder", "revoke", "search"]

PREFIX = "nd_"
_SHOWN = 8
_NOTED = timedelta(minutes=1)


class UnknownKey(Forbidden):
    """The key is unknown or has been revoked."""


@dataclass(frozen=True)
class NewKey:
    """A new key with its secret, which is shown only once."""

    id: int
    name: str
    secret: str


def search(session: Session, actor: Actor) -> list[ApiKeyRow]:
    """Return the tenant's keys, those in use first."""
    require(actor, Permission.API_KEYS_WRITE)
    require_tenant(actor)
    return db.people.api_keys.search(session, actor.scope)


def create(session: Session, actor: Actor, name: str) -> NewKey:
    """Create a key that may write campaign health; return it with its secret."""
    require(actor, Permission.API_KEYS_WRITE)
    tenant_id = require_tenant(actor)
    name = validation.label(name)
    if not name:
        raise InvalidInput("Name the key after the program that will use it.", field="name")
    secret = PREFIX + secrets.token_urlsafe(32)  # 256 bits: a plain hash is enough, there is nothing to guess
    with writing(session):
        key = ApiKey(
            tenant_id=tenant_id,
            name=name,
            shown=secret[: len(PREFIX) + _SHOWN],
            hashed=_hash(secret),
            created_by=actor.user_id,
        )
        session.add(key)
        session.flush()
        audit.record(session, actor, Action.API_KEYS_CREATE, _subject(key), after={"name": name, "key": key.shown})
    return NewKey(key.id, name, secret)


def revoke(session: Session, actor: Actor, key_id: int) -> None:
    """Revoke a key for good. Idempotent."""
    require(actor, Permission.API_KEYS_WRITE)
    require_tenant(actor)
    with writing(session):
        key = found(db.people.api_keys.find(session, actor.scope, key_id))
        if key.revoked_at is None:
            key.revoked_at = datetime.now(UTC)
            audit.record(
                session, actor, Action.API_KEYS_REVOKE, _subject(key), before={"name": key.name, "key": key.shown}
            )


def holder(session: Session, secret: str) -> Actor:
    """Return the program that holds *secret*, as an actor that may write health in its tenant and nothing else.

    Raises UnknownKey, and Forbidden when the tenant is suspended.
    """
    found = db.people.api_keys.find_hashed(session, _hash(secret))
    if found is None or found[0].revoked_at is not None:
        raise UnknownKey("This API key is unknown or has been revoked.")
    key, tenant = found
    if tenant.suspended_at is not None:
        raise Forbidden("The tenant of this API key is suspended.")
    now = datetime.now(UTC)
    actor = Actor(
        user_id=key.created_by,
        username=f"api-key-{key.id}",
        name=f"API key {key.name}"[:80],
        tenant_id=key.tenant_id,
        granted=frozenset({Permission.HEALTH_WRITE}),
    )
    if key.last_used_at is None or now - key.last_used_at > _NOTED:
        with writing(session):
            if again := db.people.api_keys.find(session, actor.scope, key.id):
                again.last_used_at = now
    return actor


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _subject(key: ApiKey) -> Subject:
    return Subject("api_key", key.id, key.name, key.tenant_id)
