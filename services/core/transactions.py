"""Transactions that read or write: they end with their block, and whatever leaves it earlier rolls back."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

import db.base.engine
from db.base import locks
from db.base.locks import Lock
from services.core.errors import Conflict, ServiceError

_WROTE = "wrote"
_OVERTAKEN = "Someone else changed this in the meantime. Nothing was saved."


@contextmanager
def reading(session: Session) -> Iterator[None]:
    """Read in the block what is committed by now, in one transaction.

    After it no connection is held, so that what follows may last, and what was read is not read again.
    """
    if db.base.engine.writes(session):
        raise RuntimeError("A transaction that writes is open: reading would end it and lose what it wrote")
    db.base.engine.forget(session)
    with _ended(session):
        yield
        if session.new or session.dirty or session.deleted:
            raise RuntimeError("Something was changed in a transaction that only reads")


@contextmanager
def writing(
    session: Session,
    *,
    lock: Lock | None = None,
    patience: float | None = None,
    conflict: str | ServiceError = _OVERTAKEN,
) -> Iterator[None]:
    """Write in the block, in one transaction, and commit at its end.

    Whatever was read before is read anew. On SQLite the write lock is taken at once, on PostgreSQL the named *lock*,
    if one is given. *patience* is how many seconds to wait for locks, if not as long as usual. What others made
    impossible meanwhile (a name that was taken, a thing that is gone) raises Conflict, with *conflict* as its message.
    """
    if db.base.engine.writes(session):
        raise RuntimeError("A transaction that writes is open already: another one would end it and lose what it wrote")
    db.base.engine.start_write(session, patience=patience)
    with overtaken(conflict), _ended(session):
        if lock is not None:
            locks.take(session, lock)
        yield
    session.info[_WROTE] = True


@contextmanager
def writing_within(session: Session) -> Iterator[None]:
    """Write in the transaction that is open in *session*, so that an error undoes only the block; else as `writing`."""
    if db.base.engine.writes(session):
        with session.begin_nested():
            yield
    else:
        with writing(session):
            yield


def has_written(session: Session) -> bool:
    """Return whether a transaction that writes was committed in *session*."""
    return bool(session.info.get(_WROTE))


@contextmanager
def _ended(session: Session) -> Iterator[None]:
    try:
        yield
        session.commit()
    except BaseException:  # also a page that is left, which must not commit half of a change
        session.rollback()
        raise


@contextmanager
def overtaken(problem: str | ServiceError) -> Iterator[None]:
    """Raise *problem*, a Conflict if it is a text, when a constraint of the database forbids what the block writes."""
    try:
        yield
    except IntegrityError as exc:
        raise (problem if isinstance(problem, ServiceError) else Conflict(problem)) from exc


@contextmanager
def write(*, lock: Lock | None = None) -> Iterator[Session]:
    """Open a session and write in it, as `writing` does."""
    with db.base.engine.open_session() as session, writing(session, lock=lock):
        yield session
