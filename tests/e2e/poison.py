"""Texts that want a browser to call someone else, in every column of every table that holds what somebody wrote."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

import db.models  # noqa: F401  # what the tables are

HOST = "foreign.test"
POISON = (
    f"![x](http://{HOST}/image) [l](http://{HOST}/link) http://{HOST}/bare www.{HOST} me@{HOST} "
    f"<img src=http://{HOST}/html> :red[loud] :material/skull: "
)
MACHINE = {
    "app_user": {"password_hash"},
    "tenant": {"time_zone", "settings"},
    "audit_event": {"action", "subject_type"},
    "api_key": {"hashed"},
    "membership": {"role"},
    "telephony_connection": {"provider", "credentials", "default_country"},
    "phone_number": {
        *("e164", "status", "provider", "country", "number_type", "price"),
        *("allowed_inbound", "allowed_outbound", "provider_sid"),
    },
    "number_count": {"status", "provider", "country", "number_type"},
    "campaign": {"status"},
    "campaign_number": {"pool_status"},
    "number_order": {"kind", "state", "e164", "price", "provider_sid"},
    "health_summary": {"limits"},
    "health_line": {"verdict"},
    "health_pull": {"counts"},
    "job": {"kind", "state", "settings", "monthly"},
    "job_item": {"outcome"},
}
"""Columns whose texts are words of our own, checked, or never shown. Any other is poisoned."""

USERS = ("superadmin", "admin", "operator", "viewer", "partner")

_CHANGED = ("label", "name", "agent", "connection", "notes", "voice_url", "status_callback", "problem", "source")
"""Fields of an audit event that hold what somebody wrote."""


def username(name: str) -> str:
    """Return what the demo's user *name* is called once all is poisoned."""
    return f"http://{HOST}/{name}"


def poison(folder: Path) -> None:
    """Poison the database of the app and that of its sandbox, which are in *folder*."""
    with opened(folder / "numberdesk.db") as app:
        _let_the_log_be_changed(app)
        _add_what_the_demo_lacks(app)
        known = _tables(app)
        for name in SQLModel.metadata.tables:
            for column in known[name].columns:
                if column.name not in MACHINE.get(name, ()):
                    _fill(app, known[name], column)
        users = known["app_user"].c
        for name in USERS:
            app.execute(sa.update(users.id.table).where(users.username == name).values(username=username(name)))
        app.execute(sa.update(known["audit_event"]).values(before=_event("before"), after=_event("after")))
    with opened(folder / "sandbox.db") as sandbox:
        known = _tables(sandbox)
        sandbox.execute(sa.update(known["stock"]).values(locality=POISON, region=POISON))
        for table in (known["owned"], known["exophones"]):
            for sid, settings in sandbox.execute(sa.select(table.c.sid, table.c.settings)).all():
                changed = {key: _setting(key, value) for key, value in json.loads(settings).items()}
                sandbox.execute(sa.update(table).where(table.c.sid == sid).values(settings=json.dumps(changed)))


@contextmanager
def opened(file: Path) -> Iterator[sa.Connection]:
    """Open a SQLite file that someone else may have open too, and commit at the end."""
    engine = sa.create_engine(f"sqlite:///{file}", connect_args={"timeout": 20})
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def _tables(connection: sa.Connection) -> dict[str, sa.Table]:
    known = sa.MetaData()
    known.reflect(connection)
    return dict(known.tables)


def _fill(app: sa.Connection, table: sa.Table, column: sa.Column[Any]) -> None:
    row: sa.ColumnElement[int] = sa.literal_column("rowid")
    if isinstance(column.type, sa.JSON):
        for at, value in app.execute(sa.select(row, column)).all():
            changed = dict.fromkeys(value, POISON) if isinstance(value, dict) else [POISON]
            app.execute(sa.update(table).where(row == at).values({column: changed}))
    elif isinstance(column.type, sa.String) and str(column) != "app_user.username":  # whoever looks has to sign in
        app.execute(sa.update(table).values({column: sa.literal(POISON) + sa.cast(row, sa.String)}))


def _event(side: str) -> dict[str, Any]:
    return {**dict.fromkeys(_CHANGED, f"{side} {POISON}"), "tags": [f"{side} {POISON}"]}


def _setting(key: str, value: Any) -> Any:
    return POISON if isinstance(value, str) and ("name" in key or "url" in key or "callback" in key) else value


def _let_the_log_be_changed(app: sa.Connection) -> None:
    for (trigger,) in app.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
        app.exec_driver_sql(f'DROP TRIGGER "{trigger}"')


def _add_what_the_demo_lacks(app: sa.Connection) -> None:
    """Add an API key, a call log that could not be read, orders that failed, and one that is open."""
    known = _tables(app)
    now, day = datetime.now(UTC), datetime.now(UTC).date()
    key = {"tenant_id": 1, "name": "", "shown": "", "hashed": "x", "created_by": 1, "created_at": now}
    app.execute(sa.insert(known["api_key"]).values(key))
    connections = known["telephony_connection"].c
    usable = sa.select(connections.id).where(connections.tenant_id == 1, connections.provider == "twilio")
    job = {"tenant_id": 1, "user_id": 1, "kind": "read_call_log", "title": "", "settings": {}, "state": "failed"}
    counts = {"total": 1, "done": 1, "changed": 0, "refused": 0, "monthly": {}, "problem": ""}
    done = sa.insert(known["job"]).values(**job, **counts, created_at=now, ended_at=now).returning(known["job"].c.id)
    log = {"tenant_id": 1, "first_day": day, "done_until": day, "counts": {}, "job_id": app.scalar(done)}
    app.execute(sa.insert(known["health_pull"]).values(connection_id=app.scalars(usable).first(), **log))
    orders = known["number_order"]
    ours = sa.update(orders).where(orders.c.tenant_id == 1)
    newest = sa.select(sa.func.max(orders.c.id)).where(orders.c.tenant_id == 1).scalar_subquery()
    app.execute(ours.values(state="failed"))
    app.execute(ours.where(orders.c.id == newest).values(state="unknown", settled_at=None))
