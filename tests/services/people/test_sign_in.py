"""Signing in: throttled, told nothing about who exists, and loaded again on every run."""

from datetime import UTC, datetime, timedelta

import bcrypt
import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session

import db.people.users
from db.models import Membership, Role, Tenant
from services.core.errors import Forbidden
from services.people import sign_in
from tests.conftest import PASSWORD, World

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def fail(session: Session, username: str, times: int) -> None:
    for _ in range(times):
        sign_in.attempt(session, username)


def test_the_candidate_carries_the_hash_that_the_password_must_match(session: Session, world: World) -> None:
    candidate = sign_in.attempt(session, "  Operator ")
    assert candidate.username == "operator"
    assert bcrypt.checkpw(PASSWORD.encode(), candidate.password_hash.encode())


def test_an_unknown_or_inactive_user_gets_a_hash_that_nothing_matches(session: Session, world: World) -> None:
    user = db.people.users.find(session, "viewer")
    assert user
    user.is_active = False
    session.commit()
    for username in ("nobody", "viewer"):
        candidate = sign_in.attempt(session, username)
        assert not bcrypt.checkpw(PASSWORD.encode(), candidate.password_hash.encode())


@pytest.mark.parametrize("username", ["operator", "nobody"])
def test_after_five_failures_there_is_a_pause_that_doubles(session: Session, world: World, username: str) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        fail(session, username, 5)
        with pytest.raises(sign_in.TooManyAttempts, match="30 seconds"):
            sign_in.attempt(session, username)
        clock.shift(timedelta(seconds=31))
        fail(session, username, 1)
        with pytest.raises(sign_in.TooManyAttempts, match="1 minute"):
            sign_in.attempt(session, username)


def test_the_pause_is_for_one_user_name_alone(session: Session, world: World) -> None:
    fail(session, "operator", 5)
    assert sign_in.attempt(session, "viewer").username == "viewer"


def test_a_success_forgets_the_failures(session: Session, world: World) -> None:
    fail(session, "operator", 4)
    sign_in.succeeded(session, "operator")
    fail(session, "operator", 4)


def test_a_user_of_one_tenant_is_in_it(session: Session, world: World) -> None:
    actor = sign_in.load_actor(session, "operator", datetime.now(UTC), None)
    assert actor
    assert (actor.tenant_id, actor.role) == (world.tenant, Role.OPERATOR)


def test_a_user_of_several_tenants_chooses_and_has_the_role_there(session: Session, world: World) -> None:
    actor = sign_in.load_actor(session, "both", datetime.now(UTC), None)
    assert actor
    assert not actor.has_scope
    there = sign_in.load_actor(session, "both", datetime.now(UTC), world.other_tenant)
    assert there
    assert there.role is Role.VIEWER
    sign_in.choose_tenant(session, actor, world.tenant)
    remembered = sign_in.load_actor(session, "both", datetime.now(UTC), None, first=True)
    assert remembered
    assert remembered.role is Role.OPERATOR
    sign_in.succeeded(session, "both")
    anew = sign_in.load_actor(session, "both", datetime.now(UTC), None, first=True)
    assert anew
    assert not anew.has_scope


@pytest.mark.parametrize("forged", ["other", "all", "none"])
def test_a_tenant_that_is_not_the_users_leads_to_no_other_one(session: Session, world: World, forged: str) -> None:
    chosen = {"other": world.other_tenant, "all": sign_in.ALL_TENANTS, "none": 10_000}[forged]
    actor = sign_in.load_actor(session, "operator", datetime.now(UTC), chosen)
    assert actor
    assert not actor.has_scope
    root = sign_in.load_actor(session, "superadmin", datetime.now(UTC), 10_000)
    assert root
    assert not root.has_scope


def test_a_superadmin_may_choose_any_tenant_or_all(session: Session, world: World) -> None:
    for chosen in (world.tenant, world.other_tenant, sign_in.ALL_TENANTS):
        actor = sign_in.load_actor(session, "superadmin", datetime.now(UTC), chosen)
        assert actor
        assert actor.has_scope
    assert len(sign_in.all_workspaces(session, world.superadmin)) == 2
    with pytest.raises(Forbidden):
        sign_in.all_workspaces(session, world.admin)


def test_a_change_of_role_or_tenant_acts_on_the_next_run(session: Session, world: World) -> None:
    session.execute(sa.update(Membership).where(Membership.user_id == world.operator.user_id).values(role=Role.VIEWER))
    session.commit()
    actor = sign_in.load_actor(session, "operator", datetime.now(UTC), None)
    assert actor
    assert actor.role is Role.VIEWER
    session.execute(sa.update(Tenant).where(Tenant.id == world.tenant).values(suspended_at=NOW))
    session.commit()
    actor = sign_in.load_actor(session, "operator", datetime.now(UTC), None)
    assert actor
    assert not actor.has_scope


def test_deactivating_ends_every_session(session: Session, world: World) -> None:
    user = db.people.users.find(session, "operator")
    assert user
    user.is_active = False
    session.commit()
    assert sign_in.load_actor(session, "operator", datetime.now(UTC), None) is None


def test_signing_out_everywhere_ends_older_sign_ins_only(session: Session, world: World) -> None:
    before = datetime.now(UTC)
    sign_in.sign_out_everywhere(session, world.operator)
    assert sign_in.load_actor(session, "operator", before, None) is None
    assert sign_in.load_actor(session, "operator", datetime.now(UTC), None) is not None
