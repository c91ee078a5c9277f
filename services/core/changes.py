"""Versioned changes: refused when the row has changed since it was shown, logged when done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

import db.audit.queries
import db.base.engine
from db.base.scope import Scope
from db.models import Agent, Campaign, Connection, Tenant
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core import validation
from services.core.access import Actor, Permission, require
from services.core.errors import Conflict, NotFound

Row = TypeVar("Row", Agent, Campaign, Connection, Tenant)


@dataclass(frozen=True)
class Noun(Generic[Row]):
    """A kind of changeable thing: its name, permission, lookup and logged values.

    `find` locks the row. `words` gives its values for the audit log, without secrets.
    """

    name: str
    permission: Permission
    find: Callable[[Session, Scope, int], Row | None]
    words: Callable[[Session, Row], dict[str, Any]]

    def subject(self, row: Row) -> Subject:
        """Return how the audit log names *row*."""
        tenant_id = row.id if isinstance(row, Tenant) else row.tenant_id
        return Subject(self.name, row.id, row.name, tenant_id, row.version)


def change(
    session: Session,
    actor: Actor,
    noun: Noun[Row],
    row_id: int,
    action: Action,
    apply: Callable[[Row], None],
    *,
    version: int | None,
) -> int:
    """Run *apply* on a row at *version*, log it and return the new version.

    *version* None skips the check. Raises NotFound, Forbidden, and Conflict when the row is no longer at *version*.
    """
    require(actor, noun.permission)
    db.base.engine.start_write(session)
    row = noun.find(session, actor.scope, validation.as_id(row_id))
    if row is None:
        raise NotFound
    if version is not None and row.version != version:
        changes = db.audit.queries.since_version(session, actor.scope, noun.name, row_id, version)
        session.rollback()
        raise Conflict(f"Someone else changed this {noun.name}. Your change was not saved.", changes=changes)
    before = noun.words(session, row)
    apply(row)
    _flush(session, noun.name, "changed")
    after = noun.words(session, row)
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    if changed:
        row.version += 1
        audit.record(
            session,
            actor,
            action,
            noun.subject(row),
            before={key: before.get(key) for key in changed},
            after={key: after.get(key) for key in changed},
        )
    commit(session, noun.name)
    return row.version


def add(session: Session, actor: Actor, noun: Noun[Row], row: Row, action: Action) -> int:
    """Add a new *row* in the open transaction and return its id."""
    require(actor, noun.permission)
    session.add(row)
    _flush(session, noun.name, "added")
    audit.record(session, actor, action, noun.subject(row), after=noun.words(session, row))
    commit(session, noun.name)
    return row.id


def _flush(session: Session, name: str, done: str) -> None:
    """Flush; a name taken or a thing removed in the meantime is a Conflict."""
    try:
        session.flush()
    except IntegrityError as exc:
        session.rollback()
        raise Conflict(f"Someone else {done} this {name}. Your change was not saved.") from exc


def commit(session: Session, name: str) -> None:
    """Commit; a concurrent change that makes it impossible is a Conflict."""
    try:
        session.commit()
    except IntegrityError as exc:
        session.rollback()
        raise Conflict(f"Someone else changed this {name}. Your change was not saved.") from exc
