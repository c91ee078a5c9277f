"""Versioned changes: refused when the row has changed since it was shown, logged when done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlmodel import Session

import db.audit.queries
import db.base.named
from db.base.scope import Scope
from db.models import Agent, Campaign, Connection, PhoneNumber, Tenant, User
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core import validation
from services.core.access import Actor, Permission, require
from services.core.errors import Conflict, InvalidInput, found
from services.core.transactions import writing

Versioned = Agent | Campaign | Connection | PhoneNumber | Tenant | User
Row = TypeVar("Row", Agent, Campaign, Connection, PhoneNumber, Tenant)
Switched = TypeVar("Switched", Agent, Connection)


def _any(*_: Any) -> None:
    """Refuse nothing."""


@dataclass(frozen=True)
class Noun(Generic[Row]):
    """A kind of changeable thing: its name, permission, table and logged values.

    `words` gives its values for the audit log, without secrets. `refuse` raises when the row may not be changed, and
    `claim` is called with the row's id before the row is locked.
    """

    name: str
    permission: Permission
    model: type[Row]
    words: Callable[[Session, Row], dict[str, Any]]
    refuse: Callable[[Row], None] = _any
    claim: Callable[[Session, int], None] = _any

    def subject(self, row: Row) -> Subject:
        """Return how the audit log names *row*."""
        tenant_id = row.id if isinstance(row, Tenant) else row.tenant_id
        return Subject(
            self.name, row.id, row.e164 if isinstance(row, PhoneNumber) else row.name, tenant_id, row.version
        )


def change(
    session: Session,
    actor: Actor,
    noun: Noun[Row],
    row_id: int,
    action: Action,
    apply: Callable[[Row], None],
    *,
    version: int,
    details: Mapping[str, str] | None = None,
) -> int:
    """Run *apply* on a row at *version*, log it and return the new version.

    Raises NotFound, Forbidden, and Conflict when the row is no longer at *version*.
    """
    require(actor, noun.permission)
    with writing(session, conflict=_overtaken(noun.name)):
        row_id = validation.as_id(row_id)
        noun.claim(session, row_id)
        row = found(db.base.named.lock(session, noun.model, actor.scope, row_id))
        expect_version(session, actor.scope, noun.name, row, version)
        noun.refuse(row)
        log(session, actor, noun, row, action, apply, details=details)
    return row.version


def log(
    session: Session,
    actor: Actor,
    noun: Noun[Row],
    row: Row,
    action: Action,
    apply: Callable[[Row], None],
    *,
    details: Mapping[str, str] | None = None,
) -> None:
    """Run *apply* on a locked row and log it under a new version, in the transaction of *session*."""
    before = noun.words(session, row)
    apply(row)
    session.flush()
    after = noun.words(session, row)
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    if not changed:
        return
    row.version += 1
    if isinstance(row, PhoneNumber):
        row.updated_at = datetime.now(UTC)
    audit.record(
        session,
        actor,
        action,
        noun.subject(row),
        before={key: before.get(key) for key in changed},
        after={key: after.get(key) for key in changed} | {k: v for k, v in (details or {}).items() if v},
    )


def add(session: Session, actor: Actor, noun: Noun[Row], make: Callable[[], Row], action: Action) -> int:
    """Put a new row on record, made once nobody else can write the same, and return its id."""
    require(actor, noun.permission)
    with writing(session, conflict=f"Someone else added this {noun.name}. Your change was not saved."):
        row = make()
        session.add(row)
        session.flush()
        audit.record(session, actor, action, noun.subject(row), after=noun.words(session, row))
    return row.id


def set_active(session: Session, actor: Actor, noun: Noun[Switched], row_id: int, active: bool, *, version: int) -> int:
    """Take a row into use or, though what uses it keeps it, out of use. Returns and raises as `change`."""
    require(actor, noun.permission)

    def apply(row: Switched) -> None:
        row.is_active = active

    action = Action(f"{noun.name}s:{'activate' if active else 'deactivate'}")
    return change(session, actor, noun, row_id, action, apply, version=version)


def free_name(session: Session, noun: Noun[Row], tenant_id: int, text: str, *, but: int | None = None) -> str:
    """Return the name that *text* gives to a row. Raises InvalidInput when another of the tenant has it."""
    name = validation.name(text, noun.name)
    if db.base.named.is_named(session, noun.model, Scope(tenant_id), name, but=but):
        raise InvalidInput(f"Another {noun.name} in this tenant is named {name}. Choose another name.", field="name")
    return name


def expect_version(
    session: Session,
    scope: Scope,
    name: str,
    row: Versioned,
    version: int | None,
) -> None:
    """Raise Conflict, with what was changed since, when a *row* is no longer at *version*; None takes any."""
    if version is not None and row.version != version:
        since = db.audit.queries.since_version(session, scope, name, row.id, version)
        raise Conflict(_overtaken(name), changes=since)


def _overtaken(name: str) -> str:
    return f"Someone else changed this {name}. Your change was not saved."
