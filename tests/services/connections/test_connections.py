"""Telephony connections: secrets that never come back, tests at the provider, and what keeps one from being deleted."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from sqlmodel import Session

import db.base.engine
import db.connections
from db.base.scope import Slice
from db.connections import ConnectionQuery
from db.models import AuditEvent, Connection
from providers.sandbox.accounts import MAIN
from providers.sandbox.server import Sandbox
from services.connections import connection_tests, connections
from services.connections.connections import ConnectionValues
from services.core import credentials, settings
from services.core.access import Actor
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.core.settings import Settings
from services.numbers import numbers
from services.setup import commands
from tests.conftest import Configure, World
from tests.world import make

TOKEN = "a-very-secret-token-of-32-letters"
SID = "AC" + "a" * 32


def values(**other: object) -> ConnectionValues:
    fields: dict[str, object] = {
        "name": "New Twilio",
        "default_country": "US",
        "voice_url": "https://voice.example.com/in",
        "credentials": {"account_sid": SID, "auth_token": TOKEN},
    }
    return ConnectionValues(**(fields | other))  # type: ignore[arg-type]


def stored(session: Session, connection_id: int) -> dict[str, str]:
    row = session.get(Connection, connection_id, populate_existing=True)
    assert row
    return credentials.unseal(settings.current(), row.credentials)


def test_an_added_connection_goes_to_the_real_provider_and_hides_its_secret(session: Session, world: World) -> None:
    added = connections.add(session, world.admin, "twilio", values())
    found = connections.get(session, world.admin, added)
    assert (found.name, found.is_active, found.is_sandbox) == ("New Twilio", True, False)
    assert found.plain == {"account_sid": SID}
    assert found.stored == {"account_sid", "auth_token"}
    assert TOKEN not in repr(found)
    assert stored(session, added)["auth_token"] == TOKEN
    assert connections.get(session, world.viewer, added).plain == {}


def test_only_admins_write_and_a_tenant_must_be_chosen(session: Session, world: World) -> None:
    for actor in (world.operator, world.viewer):
        for attempt in (
            lambda actor=actor: connections.add(session, actor, "twilio", values()),
            lambda actor=actor: connections.edit(session, actor, world.sip, values(), version=1),
            lambda actor=actor: connections.set_active(session, actor, world.sip, False, version=1),
            lambda actor=actor: connections.delete(session, actor, world.sip, version=1),
            lambda actor=actor: connection_tests.test(session, actor, world.twilio),
        ):
            with pytest.raises(Forbidden):
                attempt()
    with pytest.raises(NotFound, match="Choose one tenant"):
        connections.add(session, world.everywhere, "twilio", values())


def test_another_tenants_connection_does_not_exist(session: Session, world: World) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: connections.get(session, world.stranger, world.twilio),
        lambda: connections.edit(session, world.stranger, world.twilio, values(), version=1),
        lambda: connections.set_active(session, world.stranger, world.twilio, True, version=1),
        lambda: connections.delete(session, world.stranger, world.twilio, version=1),
        lambda: connection_tests.test(session, world.stranger, world.twilio),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    assert [row.name for row in connections.search(session, world.stranger, ConnectionQuery(), Slice())] == [
        "Other SIP"
    ]


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "TWILIO"}, "name"),
        ({"default_country": "XX"}, "default_country"),
        ({"voice_url": "http://voice.example.com"}, "voice_url"),
        ({"voice_url": "https://"}, "voice_url"),
        ({"voice_url": "https://user:word@voice.example.com"}, "voice_url"),
        ({"status_callback_url": "https://a b.example"}, "status_callback_url"),
        ({"status_callback_url": "https://[::1"}, "status_callback_url"),
        ({"status_callback_url": "https://x.example/" + "y" * 500}, "status_callback_url"),
        ({"credentials": {"account_sid": "nonsense", "auth_token": TOKEN}}, "account_sid"),
        ({"credentials": {"account_sid": SID}}, "auth_token"),
        ({"credentials": None}, "account_sid"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_field(
    other: dict[str, object], field: str, session: Session, world: World
) -> None:
    with pytest.raises(InvalidInput) as refused:
        connections.add(session, world.admin, "twilio", values(**other))
    assert refused.value.field == field
    session.rollback()
    assert connections.count(session, world.admin, ConnectionQuery()) == 5


def test_an_unknown_provider_is_refused(session: Session, world: World) -> None:
    with pytest.raises(InvalidInput):
        connections.add(session, world.admin, "nobody", values())


def test_a_secret_that_is_left_empty_stays_and_an_optional_one_can_be_removed(session: Session, world: World) -> None:
    sip = connections.add(
        session, world.admin, "sip", ConnectionValues("Trunk", credentials={"username": "u", "password": TOKEN})
    )
    kept = ConnectionValues("Trunk", credentials={"username": "", "password": ""})
    version = connections.edit(session, world.admin, sip, kept, version=1)
    assert stored(session, sip) == {"password": TOKEN}
    gone = ConnectionValues("Trunk", credentials={"password": ""}, forget=["password"])
    connections.edit(session, world.admin, sip, gone, version=version)
    assert stored(session, sip) == {}


def test_the_audit_log_never_holds_a_secret(session: Session, world: World) -> None:
    added = connections.add(session, world.admin, "twilio", values())
    changed = values(name="Renamed", credentials={"account_sid": SID, "auth_token": "another-secret-of-mine-entirely"})
    version = connections.edit(session, world.admin, added, changed, version=1)
    connections.delete(session, world.admin, added, version=version)
    events = session.scalars(
        sa.select(AuditEvent).where(AuditEvent.subject_type == "connection").order_by(AuditEvent.id)
    ).all()
    assert [event.action for event in events] == ["connections:add", "connections:edit", "connections:delete"]
    assert events[1].before == {"name": "New Twilio", "auth_token": "set"}
    assert events[1].after == {"name": "Renamed", "auth_token": "replaced"}
    text = "".join(f"{event.before}{event.after}" for event in events)
    assert TOKEN not in text
    assert "another-secret" not in text
    assert SID not in text


def test_a_second_save_is_refused_and_tells_what_changed(session: Session, world: World) -> None:
    connections.edit(session, world.admin, world.sip, ConnectionValues("First"), version=1)
    with pytest.raises(Conflict) as refused:
        connections.edit(session, world.superadmin, world.sip, ConnectionValues("Second"), version=1)
    assert [row.after for row in refused.value.changes] == [{"name": "First"}]
    assert connections.get(session, world.admin, world.sip).name == "First"


def test_a_save_that_changes_nothing_leaves_no_trace(session: Session, world: World) -> None:
    assert connections.edit(session, world.admin, world.retired, ConnectionValues("Retired", "US"), version=1) == 1
    assert not session.scalars(sa.select(AuditEvent)).all()


def test_an_inactive_connection_cannot_be_chosen_and_can_be_activated_again(session: Session, world: World) -> None:
    version = connections.set_active(session, world.admin, world.sip, False, version=1)
    assert "SIP" not in [row.name for row in connections.choices(session, world.operator)]
    connections.set_active(session, world.admin, world.sip, True, version=version)
    assert "SIP" in [row.name for row in connections.choices(session, world.operator)]


def test_a_connection_in_use_cannot_be_deleted(session: Session, world: World) -> None:
    number = make.number(session, world)
    assert connections.uses(session, world.admin, world.sip).numbers == 1
    with pytest.raises(Conflict, match="in use and cannot be deleted: 1 number"):
        connections.delete(session, world.admin, world.sip, version=1)
    numbers.remove(session, world.operator, number, version=1)
    with pytest.raises(Conflict, match="1 released or removed number"):
        connections.delete(session, world.admin, world.sip, version=1)
    connections.delete(session, world.admin, world.retired, version=1)
    with pytest.raises(NotFound):
        connections.get(session, world.admin, world.retired)


def test_the_account_behind_managed_numbers_cannot_be_exchanged(session: Session, world: World) -> None:
    number = make.number(session, world)
    session.execute(
        sa.text("UPDATE phone_number SET is_managed = true, connection_id = :c WHERE id = :n"),
        {"c": world.twilio, "n": number},
    )
    session.commit()
    with pytest.raises(InvalidInput, match="another account"):
        connections.edit(session, world.admin, world.twilio, values(name="Twilio"), version=1)
    session.rollback()
    same = values(name="Twilio", credentials={"account_sid": MAIN.sid, "auth_token": "new" * 11})
    assert connections.edit(session, world.admin, world.twilio, same, version=1) == 2


def test_the_list_is_searched_and_filtered_in_the_database(session: Session, world: World) -> None:
    def names(query: ConnectionQuery, actor: Actor = world.viewer) -> list[str]:
        found = connections.search(session, actor, query, Slice())
        assert connections.count(session, actor, query) == len(found)
        return [row.name for row in found]

    assert names(ConnectionQuery("cube")) == ["mCube"]
    assert names(ConnectionQuery("%")) == []
    assert names(ConnectionQuery(active=False)) == ["Retired"]
    assert names(ConnectionQuery(providers=("sip", "exotel"))) == ["Exotel", "Retired", "SIP"]
    assert "Other SIP" in names(ConnectionQuery(), world.everywhere)
    make.several(session, world, 2)
    rows = connections.search(session, world.viewer, ConnectionQuery("SIP"), Slice())
    assert [row.numbers for row in rows] == [2]


def test_a_test_really_asks_the_provider_and_keeps_the_answer(session: Session, world: World, sandbox: Sandbox) -> None:
    for connection, told in (
        (world.twilio, "Twilio accepted the credentials for the account"),
        (world.exotel, "accepted"),
    ):
        outcome = connection_tests.test(session, world.admin, connection)
        assert outcome.passed
        assert told in outcome.message
        found = connections.get(session, world.admin, connection)
        assert (found.test_passed, found.test_result) == (True, outcome.message)
        assert found.tested_at
        assert found.version == 1


@pytest.mark.parametrize("which", ["twilio", "exotel"])
def test_wrong_credentials_fail_the_test_and_new_ones_forget_it(
    which: str, session: Session, world: World, sandbox: Sandbox
) -> None:
    connection = {"twilio": world.twilio, "exotel": world.exotel}[which]
    secret = {"twilio": "auth_token", "exotel": "api_token"}[which]
    right = stored(session, connection)
    name = connections.get(session, world.admin, connection).name
    wrong = ConnectionValues(name, credentials={secret: "f" * 32})
    version = connections.edit(session, world.admin, connection, wrong, version=1)
    assert not connection_tests.test(session, world.admin, connection).passed
    assert connections.get(session, world.admin, connection).test_passed is False
    connections.edit(
        session, world.admin, connection, ConnectionValues(name, credentials={secret: right[secret]}), version=version
    )
    assert connections.get(session, world.admin, connection).tested_at is None


def test_a_provider_without_an_api_cannot_be_tested(session: Session, world: World) -> None:
    with pytest.raises(InvalidInput, match="cannot be tested"):
        connection_tests.test(session, world.admin, world.mcube)


def test_rotating_writes_every_row_with_the_first_key(
    session: Session, world: World, tmp_path: Path, configure: Configure
) -> None:
    before = stored(session, world.twilio)
    old = (settings.current().data_dir / "encryption.key").read_text()
    new = Fernet.generate_key().decode()
    configure(encryption_keys=f"{new},{old}")
    assert connections.rotate_key(session) == 6
    alone = Settings(data_dir=tmp_path, encryption_keys=new, demo=False)
    for row in db.connections.sealed(session):
        assert credentials.unseal(alone, row.credentials)
    assert credentials.unseal(alone, session.get(Connection, world.twilio).credentials) == before  # type: ignore[union-attr]
    assert "connections:rotate_key" in session.scalars(sa.select(AuditEvent.action)).all()


def test_a_rotation_that_a_key_is_missing_for_changes_nothing(
    session: Session, world: World, configure: Configure
) -> None:
    before = session.scalars(sa.select(Connection.credentials).order_by(Connection.id)).all()
    configure(encryption_keys=Fernet.generate_key().decode())
    with pytest.raises(credentials.KeyProblem):
        connections.rotate_key(session)
    session.rollback()
    assert session.scalars(sa.select(Connection.credentials).order_by(Connection.id)).all() == before


def test_the_command_rotates_and_says_how_many(
    session: Session,
    world: World,
    database: sa.Engine,
    monkeypatch: pytest.MonkeyPatch,
    configure: Configure,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.url.render_as_string(hide_password=False))
    configure(encryption_keys=(settings.current().data_dir / "encryption.key").read_text())
    try:
        assert commands.main(["rotate-key"]) == 0
    finally:
        db.base.engine.current().dispose()
        db.base.engine.use(database)
    assert "6 connections re-encrypted with the first key" in capsys.readouterr().out
