"""Queries over how far call logs were read: one row for each connection that ever was."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.base.scope import Scope
from db.models import GOING, Connection, HealthPull, Job, Tenant, User


class Counts(NamedTuple):
    """What a job has read. The last five are calls that no fact counts, by the reason why."""

    days: int = 0
    calls: int = 0
    added: int = 0
    kept: int = 0
    inbound: int = 0
    not_dialed: int = 0
    not_on_record: int = 0
    in_no_pool: int = 0
    in_several_pools: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Return both together."""
        return Counts(*(one + more for one, more in zip(self, other, strict=True)))


@dataclass(frozen=True)
class PullRow:
    """A connection, how far its log was read, and the last job that read it, with the name of who started that."""

    connection_id: int
    tenant_id: int
    connection: str
    is_active: bool
    time_zone: str
    pull: HealthPull | None
    job: Job | None
    who: str | None


def search(session: Session, scope: Scope, providers: Collection[str]) -> list[PullRow]:
    """Return the connections in *scope* to one of *providers*, by name."""
    return _read(session, scope.of(Connection.tenant_id), Connection.provider.in_(providers))


def find(session: Session, scope: Scope, connection_id: int) -> PullRow | None:
    """Return a connection in *scope*."""
    return next(iter(_read(session, scope.of(Connection.tenant_id), Connection.id == connection_id)), None)


def lock(session: Session, connection_id: int) -> HealthPull | None:
    """Return how far a connection's log was read, locked for a change where the database can."""
    return session.scalar(
        sa.select(HealthPull)
        .where(HealthPull.connection_id == connection_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def is_being_read(session: Session, pull: HealthPull) -> bool:
    """Return whether the last job of a log has not ended."""
    going = sa.select(Job.id).where(Job.id == pull.job_id, Job.state.in_(GOING))
    return session.scalar(going) is not None


def read_before(session: Session) -> list[PullRow]:
    """Return the active connections of which a day was read, of every tenant that is not suspended."""
    return _read(
        session,
        Connection.is_active.is_(True),
        Tenant.suspended_at.is_(None),
        HealthPull.done_until >= HealthPull.first_day,
    )


def forget(session: Session, connection_id: int) -> None:
    """Forget how far a connection's call log was read. What was read stays."""
    session.execute(sa.delete(HealthPull).where(HealthPull.connection_id == connection_id))


def _read(session: Session, *conditions: Any) -> list[PullRow]:
    rows = session.execute(
        sa.select(
            Connection.id,
            Connection.tenant_id,
            Connection.name,
            Connection.is_active,
            Tenant.time_zone,
            HealthPull,
            Job,
            User.name,
        )
        .join(Tenant, Tenant.id == Connection.tenant_id)
        .outerjoin(HealthPull, HealthPull.connection_id == Connection.id)
        .outerjoin(Job, Job.id == HealthPull.job_id)
        .outerjoin(User, User.id == Job.user_id)
        .where(*conditions)
        .order_by(Connection.name, Connection.id)
    )
    return [PullRow(*row) for row in rows]
