"""All advisory locks of PostgreSQL, by name. On SQLite there is only one writer anyway."""

from collections.abc import Sequence
from enum import IntEnum, unique

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

CLAIMED_SINGLY = 1_000
"""So many numbers are locked one by one. PostgreSQL has room for some thousand such locks only."""


@unique
class Lock(IntEnum):
    """Work that only one may do at a time. The value is PostgreSQL's lock key."""

    MIGRATING = 7_243_981
    EVERY_NUMBER = 7_243_982  # shared by whoever claims a number, alone for whoever claims very many
    PEOPLE = 7_243_983
    FILLING = 7_243_984
    SUMS = 72_440_000  # with the days of a window added, and beside it the tenant


def take(session: Session, lock: Lock) -> None:
    """Hold *lock* until this transaction ends."""
    if _has_locks(session):
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(lock.value)))


def take_numbers(session: Session, e164s: Sequence[str]) -> None:
    """Lock numbers until this transaction ends: a few one by one, in the same order; more by keeping all out."""
    if not _has_locks(session):
        return
    if len(e164s) > CLAIMED_SINGLY:
        take(session, Lock.EVERY_NUMBER)
        return
    session.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(Lock.EVERY_NUMBER.value)))
    each = sa.func.unnest(sa.cast(sorted(e164s), postgresql.ARRAY(sa.Text))).column_valued("e164")
    # The lock of a number is beside those above but for a chance of one to 2**62.
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(each, 0))))


def take_window(session: Session, tenant_id: int, days: int) -> bool:
    """Hold the sums of a tenant over so many days until this transaction ends; return False if someone else does.

    Its key has two parts, which PostgreSQL keeps apart from all keys of one.
    """
    if not _has_locks(session):
        return True
    return bool(session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(Lock.SUMS.value + days, tenant_id))))


def _has_locks(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
