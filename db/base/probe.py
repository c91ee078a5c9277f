"""Whether the database can be read and written now, checked on its own connection outside the pool."""

import functools
import uuid
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlmodel import Session

import db.base.engine
import db.orders.queries
from db.models import Replica

PATIENCE_SECONDS = 0.4
"""How long a lock that someone else holds is waited for."""


@dataclass(frozen=True)
class Probe:
    """What the database can do, and when the oldest order that is not settled was placed."""

    reads: bool = False
    writes: bool = False
    oldest_open_order: datetime | None = None


def take() -> Probe:
    """Read, and write and commit a row that is gone again."""
    found = Probe()
    try:
        with Session(_beside(db.base.engine.current())) as session:
            found = Probe(reads=True, oldest_open_order=db.orders.queries.oldest_open(session))
            session.rollback()
            row = Replica(id=f"probe-{uuid.uuid4().hex}")
            session.add(row)
            session.flush()
            session.delete(row)
            session.commit()
    except SQLAlchemyError:
        return found
    return Probe(reads=True, writes=True, oldest_open_order=found.oldest_open_order)


@functools.lru_cache(maxsize=1)
def _beside(engine: sa.Engine) -> sa.Engine:
    """Return an engine for the same database without a pool, which gives up soon."""
    if engine.dialect.name == "sqlite":
        arguments: dict[str, object] = {"timeout": PATIENCE_SECONDS}
    else:
        milliseconds = int(PATIENCE_SECONDS * 1000)
        options = f"-c lock_timeout={milliseconds} -c statement_timeout={milliseconds}"
        arguments = {"connect_timeout": 2, "prepare_threshold": None, "options": options}
    return sa.create_engine(engine.url, poolclass=NullPool, connect_args=arguments)
