"""Passwords: of any length, guessed slowly on every page, and never hashed while others wait for a lock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import bcrypt
import jwt
import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.base.engine
from components.ui import session as tab
from db.models import Role
from services.core import credentials, settings
from services.core.errors import InvalidInput
from services.numbers import numbers
from services.numbers.numbers import NumberQuery
from services.people import sign_in, users
from services.setup import builder, commands, demo
from tests.conftest import PASSWORD, Configure, World

LONG = "correct horse battery staple, and a sentence that goes on for more than seventy-two bytes"
NEW = "quite-another-passphrase"


def test_a_long_password_is_told_from_one_that_begins_alike() -> None:
    stored = sign_in.hash_password(LONG)
    assert sign_in.matches(LONG, stored)
    assert not sign_in.matches(LONG[:72], stored)
    assert not sign_in.matches(LONG + "!", stored)
    assert not sign_in.matches(LONG, sign_in.hash_password(LONG[:72]))


def test_hashes_of_before_go_on_working() -> None:
    for text in (PASSWORD, LONG):
        stored = bcrypt.hashpw(text.encode()[:72], bcrypt.gensalt(4)).decode()
        assert sign_in.matches(text, stored)
        assert not sign_in.matches("x" + text, stored)


@pytest.mark.parametrize("text", ["tab\tin the middle of it", "nul\x00in the middle", "x" * 300, "   short    "])
def test_a_password_that_cannot_be_used_is_refused_when_it_is_set(session: Session, world: World, text: str) -> None:
    with pytest.raises(InvalidInput):
        users.change_own_password(session, world.operator, PASSWORD, text, text)
    with pytest.raises(InvalidInput):
        commands.create_superadmin(session, "root", text)


def test_the_first_superadmin_may_have_a_long_one(session: Session, world: World) -> None:
    commands.create_superadmin(session, "root", LONG)
    assert sign_in.matches(LONG, sign_in.attempt(session, "root").password_hash)


def test_the_old_password_is_guessed_no_faster_than_at_signing_in(session: Session, world: World) -> None:
    for _ in range(sign_in.FREE_FAILURES):
        with pytest.raises(InvalidInput, match="current password is wrong"):
            users.change_own_password(session, world.operator, "a guess", NEW, NEW)
    with pytest.raises(sign_in.TooManyAttempts):
        users.change_own_password(session, world.operator, PASSWORD, NEW, NEW)
    with pytest.raises(sign_in.TooManyAttempts):
        sign_in.attempt(session, "operator")


def test_a_change_of_the_password_forgets_the_wrong_ones(session: Session, world: World) -> None:
    for _ in range(sign_in.FREE_FAILURES - 2):
        with pytest.raises(InvalidInput):
            users.change_own_password(session, world.operator, "a guess", NEW, NEW)
    users.change_own_password(session, world.operator, PASSWORD, NEW, NEW)
    for _ in range(sign_in.FREE_FAILURES - 1):
        sign_in.attempt(session, "operator")


def test_a_reset_ends_the_pause_that_wrong_passwords_brought(session: Session, world: World) -> None:
    for _ in range(sign_in.FREE_FAILURES):
        sign_in.attempt(session, "viewer")
    made = users.reset_password(session, world.admin, world.viewer.user_id)
    assert sign_in.matches(made.one_time_password, sign_in.attempt(session, "viewer").password_hash)


CHANGES: dict[str, Callable[[Session, World], object]] = {
    "a new user": lambda s, w: users.create(s, w.admin, "jane", "Jane", Role.VIEWER),
    "a new superadmin": lambda s, w: users.create_superadmin(s, w.everywhere, "jane", "Jane"),
    "a reset": lambda s, w: users.reset_password(s, w.admin, w.viewer.user_id),
    "the own password": lambda s, w: users.change_own_password(s, w.operator, PASSWORD, NEW, NEW),
    "the command line": lambda s, w: commands.create_superadmin(s, "root", LONG),
}


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_is_hashed_while_the_database_is_locked(
    name: str, session: Session, world: World, database: sa.Engine
) -> None:
    """`hash_password` and `matches` refuse to, so whatever goes well here hashed before."""
    session.rollback()
    with db.base.engine.open_session() as own:
        numbers.count(own, world.admin, NumberQuery())
        CHANGES[name](own, world)


def test_the_demo_is_hashed_before_it_is_written(database: sa.Engine) -> None:
    with db.base.engine.open_session() as own:
        demo.fill(own, settings.current(), datetime.now(UTC).date())


def test_a_hash_inside_a_write_is_a_failure(database: sa.Engine) -> None:
    stored = sign_in.hash_password(PASSWORD)
    with db.base.engine.open_session() as own:
        db.base.engine.start_write(own)
        with pytest.raises(RuntimeError, match="hashed while"):
            sign_in.hash_password(PASSWORD)
        with pytest.raises(RuntimeError, match="hashed while"):
            sign_in.matches(PASSWORD, stored)
        own.commit()
        assert sign_in.matches(PASSWORD, stored)


def test_a_text_that_no_database_keeps_is_told_apart_from_a_fault(database: sa.Engine, session: Session) -> None:
    texts = ["\ud800"] if database.dialect.name == "sqlite" else ["\ud800", "a\x00b"]
    for text in texts:
        with pytest.raises(db.base.engine.UnstorableText), db.base.engine.open_session() as own:
            builder.user(own, text)


def test_no_setting_changes_when_a_cookie_was_issued(configure: Configure) -> None:
    since = datetime.now(UTC) - timedelta(days=3)
    token = tab.make_token("operator", since, since + timedelta(days=14))
    for days in (30, 14, 4):
        configure(cookie_days=days)
        found = tab.read_token(token)
        assert found
        assert abs(found[1] - since) < timedelta(seconds=1)
    configure(cookie_days=2)
    assert tab.read_token(token) is None


def test_a_revoked_cookie_stays_revoked_whatever_is_set(session: Session, world: World, configure: Configure) -> None:
    since = datetime.now(UTC) - timedelta(days=3)
    token = tab.make_token("operator", since, since + timedelta(days=14))
    sign_in.sign_out_everywhere(session, world.operator)
    for days in (14, 10, 7, 30):
        configure(cookie_days=days)
        found = tab.read_token(token)
        assert found
        assert sign_in.load_actor(session, *found, None) is None


def test_a_cookie_without_its_time_of_issue_is_signed_out() -> None:
    claims = {"username": "operator", "exp_date": (datetime.now(UTC) + timedelta(days=3)).timestamp()}
    old = jwt.encode(claims, credentials.cookie_key(settings.current()), algorithm="HS256")
    assert tab.read_token(old) is None
    for nonsense in ("", "a.b.c", old[:-2]):
        assert tab.read_token(nonsense) is None
