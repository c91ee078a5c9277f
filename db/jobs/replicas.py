"""Queries over the processes of the installation."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlmodel import Session

from db.models import Replica


def beat(session: Session, id: str) -> None:
    """Say that a process lives."""
    found = session.get(Replica, id)
    if found is None:
        session.add(Replica(id=id))
    else:
        found.beats += 1


def beats(session: Session) -> dict[str, int]:
    """Return how often each process has beaten."""
    return {row.id: row.beats for row in session.execute(sa.select(Replica.id, Replica.beats))}


def forget(session: Session, ids: Collection[str]) -> None:
    """Forget processes that live no more."""
    session.execute(sa.delete(Replica).where(Replica.id.in_(ids)))
