"""A Twilio connection that is signed in to with an API key instead of the account's token."""

import pytest
from sqlmodel import Session

from db.base.scope import Slice
from db.models import Connection
from providers.sandbox.accounts import KEYS, MAIN, SMALL, SUSPENDED, SandboxAccount
from providers.sandbox.server import Sandbox
from services.audit import audit
from services.connections import connection_tests, connections
from services.connections.connections import ConnectionValues
from services.core import credentials, settings
from services.core.errors import InvalidInput
from services.orders import catalogue
from tests.conftest import World

TOKEN = "a-token-of-the-account"
KEY, SECRET = "SK" + "a" * 32, "a-secret-of-the-key"


def key_of(account: SandboxAccount) -> dict[str, str]:
    key = next(key for key in KEYS.values() if key.account_sid == account.sid)
    return {"account_sid": account.sid, "api_key_sid": key.sid, "api_key_secret": key.secret}


def stored(session: Session, connection_id: int) -> dict[str, str]:
    row = session.get(Connection, connection_id, populate_existing=True)
    assert row
    return credentials.unseal(settings.current(), row.credentials)


def sign_in_by_key(session: Session, world: World, account: SandboxAccount) -> None:
    row = session.get_one(Connection, world.twilio)
    row.credentials = credentials.seal(settings.current(), key_of(account))
    session.commit()


@pytest.mark.parametrize(
    ("entered", "field", "told"),
    [
        ({}, "auth_token", "Auth token, or an API key SID with its secret"),
        ({"auth_token": TOKEN, "api_key_sid": KEY, "api_key_secret": SECRET}, "auth_token", "not both"),
        ({"auth_token": TOKEN, "api_key_sid": KEY}, "auth_token", "not both"),
        ({"api_key_sid": KEY}, "api_key_secret", "API key secret"),
        ({"api_key_secret": SECRET}, "api_key_sid", "API key SID"),
        ({"api_key_sid": "SK" + "A" * 32, "api_key_secret": SECRET}, "api_key_sid", "SK followed by 32"),
        ({"api_key_sid": "AC" + "a" * 32, "api_key_secret": SECRET}, "api_key_sid", "SK followed by 32"),
        ({"api_key_sid": "SK" + "a" * 31, "api_key_secret": SECRET}, "api_key_sid", "SK followed by 32"),
    ],
)
def test_either_the_token_or_a_key_with_its_secret_is_wanted(
    session: Session, world: World, entered: dict[str, str], field: str, told: str
) -> None:
    wanted = ConnectionValues("By key", credentials={"account_sid": MAIN.sid} | entered)
    with pytest.raises(InvalidInput, match=told) as refused:
        connections.add(session, world.admin, "twilio", wanted)
    assert refused.value.field == field


def test_the_secret_of_a_key_is_sealed_and_never_shown_again(session: Session, world: World) -> None:
    entered = {"account_sid": MAIN.sid, "api_key_sid": KEY, "api_key_secret": SECRET}
    added = connections.add(session, world.admin, "twilio", ConnectionValues("By key", credentials=entered))
    found = connections.get(session, world.admin, added)
    assert found.plain == {"account_sid": MAIN.sid, "api_key_sid": KEY}
    assert found.stored == set(entered)
    assert stored(session, added) == entered
    row = session.get_one(Connection, added)
    assert SECRET not in repr(row.credentials) + repr(found)
    (event,) = audit.history(session, world.admin, "connection", added, Slice())
    assert event.after["api_key_secret"] == "set"


def test_a_token_is_exchanged_for_a_key_and_back(session: Session, world: World) -> None:
    key = {"api_key_sid": KEY, "api_key_secret": SECRET}
    with pytest.raises(InvalidInput, match="with its checkbox"):
        connections.edit(session, world.admin, world.twilio, ConnectionValues("Twilio", credentials=key), version=1)
    session.rollback()
    by_key = ConnectionValues("Twilio", credentials=key, forget=("auth_token",))
    version = connections.edit(session, world.admin, world.twilio, by_key, version=1)
    assert stored(session, world.twilio) == {"account_sid": MAIN.sid} | key
    by_token = ConnectionValues(
        "Twilio", credentials={"auth_token": TOKEN, "api_key_sid": ""}, forget=("api_key_secret",)
    )
    connections.edit(session, world.admin, world.twilio, by_token, version=version)
    assert stored(session, world.twilio) == {"account_sid": MAIN.sid, "auth_token": TOKEN}


def test_a_key_passes_the_test_and_opens_what_the_account_holds(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    sign_in_by_key(session, world, MAIN)
    outcome = connection_tests.test(session, world.admin, world.twilio)
    assert (outcome.passed, MAIN.sid in outcome.message) == (True, True)
    assert catalogue.owned_page(session, world.operator, world.twilio, matching="", token=None).rows


@pytest.mark.parametrize("what", ["api_key_secret", "api_key_sid", "account_sid"])
def test_a_key_that_is_not_of_the_account_fails_the_test(
    session: Session, world: World, sandbox: Sandbox, what: str
) -> None:
    wrong = key_of(MAIN) | {what: {"api_key_sid": KEY, "api_key_secret": SECRET, "account_sid": SMALL.sid}[what]}
    row = session.get_one(Connection, world.twilio)
    row.credentials = credentials.seal(settings.current(), wrong)
    session.commit()
    outcome = connection_tests.test(session, world.admin, world.twilio)
    assert (outcome.passed, "API key" in outcome.message) == (False, True)


def test_a_key_of_an_account_that_is_not_active_fails_the_test(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    sign_in_by_key(session, world, SUSPENDED)
    outcome = connection_tests.test(session, world.admin, world.twilio)
    assert (outcome.passed, "not active" in outcome.message) == (False, True)
