"""API keys of a tenant: stored as hashes, shown once, revocable."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

import db.base.engine
import db.people.api_keys
import db.people.users
from db.base.scope import Scope
from db.models import ApiKey, KeyScope
from db.people.api_keys import ApiKeyRow
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Forbidden, InvalidInput, found
from services.core.transactions import writing
from services.people import sign_in

__all__ = ["KeyScope"]

PREFIX = "nd_"
_SHOWN = 8
_NOTED = timedelta(minutes=1)

_READS = frozenset({Permission.AGENTS_READ, Permission.CONNECTIONS_READ, Permission.NUMBERS_READ})
GRANTS: dict[KeyScope, frozenset[Permission]] = {
    KeyScope.HEALTH: frozenset({Permission.HEALTH_WRITE}),
    KeyScope.READ: _READS,
    KeyScope.WRITE: _READS | {Permission.NUMBERS_WRITE, Permission.NUMBERS_REMOVE, Permission.NUMBERS_RELEASE},
}
"""What each scope of a key allows. Who changes numbers reads them as well."""


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


def create(session: Session, actor: Actor, name: str, scopes: Collection[KeyScope] = (KeyScope.HEALTH,)) -> NewKey:
    """Create a key that may do what its *scopes* allow; return it with its secret."""
    require(actor, Permission.API_KEYS_WRITE)
    tenant_id = require_tenant(actor)
    name = validation.label(name)
    if not name:
        raise InvalidInput("Name the key after the program that will use it.", field="name")
    if not scopes:
        raise InvalidInput("Choose at least one thing that the key may do.", field="scopes")
    kept = [scope.value for scope in KeyScope if scope in scopes]
    secret = PREFIX + secrets.token_urlsafe(32)  # 256 bits: a plain hash is enough, there is nothing to guess
    with writing(session):
        key = ApiKey(
            tenant_id=tenant_id,
            name=name,
            shown=secret[: len(PREFIX) + _SHOWN],
            hashed=_hash(secret),
            scopes=kept,
            created_by=actor.user_id,
        )
        session.add(key)
        session.flush()
        after = {"name": name, "key": key.shown, "scopes": kept}
        audit.record(session, actor, Action.API_KEYS_CREATE, _subject(key), after=after)
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
    """Return the program that holds *secret*, as an actor that may do in its tenant what the key's scopes allow.

    But for health, it may do no more than whoever created the key may by now.

    Raises UnknownKey, and Forbidden when the tenant is suspended.
    """
    found = db.people.api_keys.find_hashed(session, _hash(secret))
    if found is None or found[0].revoked_at is not None:
        raise UnknownKey("This API key is unknown or has been revoked.")
    key, tenant = found
    if tenant.suspended_at is not None:
        raise Forbidden("The tenant of this API key is suspended.")
    now = datetime.now(UTC)
    actor = _program(session, key)
    if key.last_used_at is None or now - key.last_used_at > _NOTED:
        with writing(session):
            if again := db.people.api_keys.find(session, actor.scope, key.id):
                again.last_used_at = now
    return actor


def still_held(session: Session, tenant_id: int, key_id: int) -> Actor | None:
    """Return the program that has a key of a tenant, as `holder` does; None when the key was revoked."""
    key = db.people.api_keys.find(session, Scope(tenant_id), key_id)
    return _program(session, key) if key is not None and key.revoked_at is None else None


def _program(session: Session, key: ApiKey) -> Actor:
    granted = frozenset[Permission]().union(*(GRANTS[scope] for scope in KeyScope if scope in key.scopes))
    beyond = granted - GRANTS[KeyScope.HEALTH]
    if beyond:
        user = db.people.users.get(session, key.created_by)
        creator = sign_in.load_actor(session, user.username, datetime.now(UTC), key.tenant_id)
        here = creator if creator is not None and creator.tenant_id == key.tenant_id else None
        granted -= {one for one in beyond if here is None or not here.may(one)}
    return Actor(
        user_id=key.created_by,
        username=f"api-key-{key.id}",
        name=f"API key {key.name}"[:80],
        tenant_id=key.tenant_id,
        granted=granted,
        api_key_id=key.id,
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _subject(key: ApiKey) -> Subject:
    return Subject("api_key", key.id, key.name, key.tenant_id)
