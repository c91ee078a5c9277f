"""The engine, its sessions, and the migrations that run at start-up."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from db.base.locks import Lock

MIGRATIONS = Path(__file__).parents[1] / "migrations"

_SQLITE_AWAY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_READONLY")

_current: list[Engine] = []
_of_thread = threading.local()
_WRITES = "writes"


class DatabaseUnavailable(Exception):
    """The database is unavailable or busy for too long. Uncommitted changes are lost."""


class UnstorableText(Exception):
    """A text holds a character that cannot be stored. Nothing was saved."""


def make_engine(url: str, busy_seconds: float = 5) -> Engine:
    """Return an engine for *url* with the settings that its database needs; it waits *busy_seconds* for a lock."""
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        return _sqlite(url, busy_seconds)
    if where.drivername == "postgresql":
        url = where.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    # Generic plans turn `ILIKE ... LIMIT` into scans at the 11th run of a prepared statement.
    options = f"-c lock_timeout={int(busy_seconds * 1000)} -c idle_in_transaction_session_timeout=60s"
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        connect_args={"prepare_threshold": None, "options": options},
    )


def _sqlite(url: str, busy_seconds: float) -> Engine:
    database = make_url(url).database
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, pool_size=10, max_overflow=20, connect_args={"check_same_thread": False, "timeout": busy_seconds}
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL", "cache_size=-32000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        patience = options.get("sqlite_patience")
        if patience is not None:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(patience * 1000)}")
        try:
            connection.exec_driver_sql(f"BEGIN {options.get('sqlite_begin', '')}")
        finally:
            if patience is not None:
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(busy_seconds * 1000)}")

    return engine


def use(engine: Engine) -> None:
    """Make *engine* the one that `open_session` uses, in this process."""
    _current[:] = [engine]


def current() -> Engine:
    """Return the engine in use."""
    if not _current:
        raise RuntimeError("No database is in use: call db.base.engine.use() first")
    return _current[0]


@contextmanager
def open_session() -> Iterator[Session]:
    """Open a session. What was not committed when the block ends is rolled back.

    Raises DatabaseUnavailable when the database does not answer.
    """
    opened = _opened()
    try:
        with Session(current(), expire_on_commit=False) as session:
            opened.append(session)
            try:
                yield session
            finally:
                opened.remove(session)
    except (DataError, UnicodeEncodeError) as exc:
        if not _is_no_text(exc):
            raise
        raise UnstorableText("A text holds a character that no database keeps.") from exc
    except (OperationalError, InterfaceError, PoolTimeout) as exc:
        if not _is_away(exc):
            raise
        raise DatabaseUnavailable("The database is busy or cannot be reached.") from exc


def in_transaction() -> bool:
    """Return whether a session that this thread has opened is in a transaction, and so holds a connection."""
    return any(session.in_transaction() for session in _opened())


def end_reading() -> None:
    """End the transactions of this thread that only read: what follows may last.

    A page has a session of its own open while what was clicked on it asks a provider through another one.
    """
    for session in _opened():
        if not (session.info.get(_WRITES) or session.new or session.dirty or session.deleted):
            session.rollback()


def writes(session: Session) -> bool:
    """Return whether *session* is in a transaction that `start_write` began."""
    return bool(session.info.get(_WRITES))


def is_writing() -> bool:
    """Return whether a session that this thread has opened may hold locks that others wait for."""
    return any(session.info.get(_WRITES) for session in _opened())


@event.listens_for(Session, "after_transaction_end")
def _forget_write(session: Any, transaction: Any) -> None:
    if transaction.parent is None:
        session.info.pop(_WRITES, None)


def _opened() -> list[Session]:
    """Return the sessions that are open in this thread."""
    if not hasattr(_of_thread, "sessions"):
        _of_thread.sessions = []
    sessions: list[Session] = _of_thread.sessions
    return sessions


def _is_no_text(exc: Exception) -> bool:
    """Return whether the error is about a NUL or half a surrogate pair."""
    return isinstance(exc, UnicodeEncodeError) or "NUL (0x00)" in str(exc)


def _is_away(exc: Exception) -> bool:
    """Tell a database that does not answer from a statement that is wrong, which SQLite calls alike."""
    name = getattr(getattr(exc, "orig", None), "sqlite_errorname", None)
    return name is None or name.startswith(_SQLITE_AWAY)


def forget(session: Session) -> None:
    """End the transaction of *session*; what it has read is read anew, also if that was before a commit."""
    session.rollback()
    session.expire_all()


def start_write(session: Session, *, patience: float | None = None) -> None:
    """Begin a writing transaction, ending the current read-only one.

    On SQLite the write lock is taken now: a transaction that reads first and writes later fails at once, without
    waiting, when someone else wrote in between. *patience* is how many seconds it waits for a lock, if not as
    long as the engine does.
    """
    forget(session)
    if session.get_bind().dialect.name == "sqlite":
        options = {"sqlite_begin": "IMMEDIATE", "sqlite_patience": patience}
        session.connection(execution_options=options)
    else:
        session.begin()  # also when nothing is asked before it is left: its end is what ends the writing
        if patience is not None:
            session.execute(text(f"SET LOCAL lock_timeout = {int(patience * 1000)}"))
    session.info[_WRITES] = True


class SchemaIsNewer(Exception):
    """The database was migrated by a newer version than this process has."""

    def __init__(self) -> None:
        super().__init__(
            "The database belongs to a newer version of Numberdesk than this process. Install that version, or restore "
            "a backup from before it."
        )


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema. Raises SchemaIsNewer for one that this version does not know."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":  # replicas that start together take turns
            connection.execute(sa.select(sa.func.pg_advisory_lock(Lock.MIGRATING.value)))
            connection.commit()
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
            connection.commit()
        except CommandError as exc:
            if isinstance(exc.__cause__, ResolutionError):
                raise SchemaIsNewer from exc
            raise
        finally:
            if connection.dialect.name == "postgresql":
                connection.rollback()
                connection.execute(sa.select(sa.func.pg_advisory_unlock(Lock.MIGRATING.value)))
                connection.commit()


@functools.cache
def has_trigrams(engine: Engine) -> bool:
    """Return whether parts of numbers and labels can be found through a trigram index."""
    if engine.dialect.name == "sqlite":
        return True
    with engine.connect() as connection:
        return bool(connection.exec_driver_sql("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'").first())
