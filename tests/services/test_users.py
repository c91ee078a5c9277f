"""Users: one-time passwords, roles, and no way to lock out the last admin."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlmodel import Session

import db.engine
from db.models import Membership, Role
from services import sign_in, tenants, users
from services.access import Actor
from services.errors import Conflict, Forbidden, InvalidInput, NotFound
from tests.conftest import PASSWORD, World


def actor_of(session: Session, username: str, tenant: int | None = None) -> Actor | None:
    session.rollback()
    return sign_in.load_actor(session, username, datetime.now(UTC), tenant)


def row(session: Session, world: World, username: str) -> users.UserRow:
    session.rollback()
    return next(user for user in users.search(session, world.admin) if user.username == username)


def test_a_new_user_gets_a_one_time_password_that_must_be_changed(session: Session, world: World) -> None:
    made = users.create(session, world.admin, " Jane.Doe ", "Jane Doe", Role.OPERATOR)
    assert made.username == "jane.doe"
    assert sign_in.matches(made.one_time_password, sign_in.attempt(session, "JANE.DOE").password_hash)
    jane = actor_of(session, "jane.doe")
    assert jane
    assert (jane.role, jane.must_change_password) == (Role.OPERATOR, True)
    users.change_own_password(session, jane, made.one_time_password, "a-new-long-password", "a-new-long-password")
    changed = actor_of(session, "jane.doe")
    assert changed
    assert not changed.must_change_password


@pytest.mark.parametrize("username", ["", "x", "two words", "a" * 65, "emoji☎️", "-dash", "operator", "OPERATOR "])
def test_a_user_name_that_cannot_be_used_is_refused(session: Session, world: World, username: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        users.create(session, world.admin, username, "Somebody", Role.VIEWER)
    assert refused.value.field == "username"


@pytest.mark.parametrize(
    ("old", "new", "again", "field"),
    [
        ("wrong", "a-new-long-password", "a-new-long-password", "old"),
        (PASSWORD, "short", "short", "new"),
        (PASSWORD, "a-new-long-password", "another-long-password", "again"),
        (PASSWORD, PASSWORD, PASSWORD, "new"),
    ],
)
def test_a_password_change_that_is_wrong_changes_nothing(
    session: Session, world: World, old: str, new: str, again: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        users.change_own_password(session, world.operator, old, new, again)
    assert refused.value.field == field
    session.rollback()
    assert sign_in.matches(PASSWORD, sign_in.attempt(session, "operator").password_hash)


def test_nobody_changes_the_own_role_or_account(session: Session, world: World) -> None:
    with pytest.raises(Forbidden):
        users.change_role(session, world.admin, world.admin.user_id, Role.VIEWER)
    with pytest.raises(Forbidden):
        users.set_active(session, world.admin, world.admin.user_id, False)


@pytest.mark.parametrize("name", ["operator", "viewer"])
def test_only_admins_manage_users(session: Session, world: World, name: str) -> None:
    actor = getattr(world, name)
    acts: list[Callable[[], object]] = [
        lambda: users.search(session, actor),
        lambda: users.create(session, actor, "somebody", "S", Role.VIEWER),
        lambda: users.change_role(session, actor, world.viewer.user_id, Role.ADMIN),
        lambda: users.set_active(session, actor, world.viewer.user_id, False),
        lambda: users.reset_password(session, actor, world.viewer.user_id),
        lambda: users.end_sessions(session, actor, world.viewer.user_id),
        lambda: tenants.search(session, actor),
        lambda: tenants.create(session, actor, "New", "UTC"),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act()


def test_the_last_admin_of_a_tenant_stays(session: Session, world: World) -> None:
    for act in (
        lambda: users.change_role(session, world.superadmin, world.admin.user_id, Role.VIEWER),
        lambda: users.change_role(session, world.superadmin, world.admin.user_id, None),
        lambda: users.set_active(session, world.superadmin, world.admin.user_id, False),
    ):
        with pytest.raises(Conflict, match="last admin"):
            act()
        session.rollback()
    users.change_role(session, world.admin, world.operator.user_id, Role.ADMIN)
    users.change_role(session, world.superadmin, world.admin.user_id, Role.VIEWER)


def test_the_last_superadmin_stays(session: Session, world: World) -> None:
    other = Actor(world.admin.user_id, "admin", "Admin", is_superadmin=True, tenant_id=world.tenant)
    with pytest.raises(Conflict, match="last superadmin"):
        users.set_active(session, other, world.superadmin.user_id, False)


def test_two_admins_who_demote_each_other_at_once_leave_one(session: Session, world: World) -> None:
    users.change_role(session, world.admin, world.operator.user_id, Role.ADMIN)
    second = Actor(world.operator.user_id, "operator", "Operator", tenant_id=world.tenant, role=Role.ADMIN)
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def demote(actor: Actor, user_id: int) -> None:
        barrier.wait()
        with db.engine.open_session() as own:
            try:
                users.change_role(own, actor, user_id, Role.VIEWER)
                outcomes.append("demoted")
            except Conflict:
                outcomes.append("refused")

    threads = [
        threading.Thread(target=demote, args=(world.admin, second.user_id)),
        threading.Thread(target=demote, args=(second, world.admin.user_id)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["demoted", "refused"]


def test_an_admin_manages_only_users_of_the_own_tenant_alone(session: Session, world: World) -> None:
    with pytest.raises(NotFound):
        users.reset_password(session, world.admin, world.stranger.user_id)
    session.rollback()
    both = session.get_one(Membership, (world.nowhere.user_id, world.tenant)).user_id
    with pytest.raises(Forbidden, match="other tenants"):
        users.set_active(session, world.admin, both, False)
    session.rollback()
    with pytest.raises(NotFound):
        users.change_role(session, world.admin, world.stranger.user_id, Role.VIEWER)


def test_deactivating_and_resetting_end_every_session(session: Session, world: World) -> None:
    before = datetime.now(UTC)
    made = users.reset_password(session, world.admin, world.viewer.user_id)
    session.rollback()
    assert sign_in.load_actor(session, "viewer", before, None) is None
    assert sign_in.matches(made.one_time_password, sign_in.attempt(session, "viewer").password_hash)
    users.set_active(session, world.admin, world.viewer.user_id, False)
    assert actor_of(session, "viewer") is None
    assert not row(session, world, "viewer").is_active
    users.set_active(session, world.admin, world.viewer.user_id, True)
    assert actor_of(session, "viewer") is not None


def test_a_superadmin_gives_a_user_of_another_tenant_a_role(session: Session, world: World) -> None:
    users.grant(session, world.superadmin, "Stranger", Role.VIEWER)
    assert row(session, world, "stranger").role is Role.VIEWER
    with pytest.raises(InvalidInput, match="already"):
        users.grant(session, world.superadmin, "stranger", Role.VIEWER)
    session.rollback()
    with pytest.raises(Forbidden):
        users.grant(session, world.admin, "stranger", Role.VIEWER)


def test_a_suspended_tenant_lets_nobody_in_until_it_is_open_again(session: Session, world: World) -> None:
    tenants.set_suspended(session, world.superadmin, world.tenant, True)
    operator = actor_of(session, "operator")
    assert operator
    assert not operator.has_scope
    tenants.set_suspended(session, world.superadmin, world.tenant, False)
    again = actor_of(session, "operator")
    assert again
    assert again.tenant_id == world.tenant


def test_tenants_are_created_and_renamed_with_names_of_their_own(session: Session, world: World) -> None:
    made = tenants.create(session, world.superadmin, "  Fresh   one ", "Europe/Berlin")
    with pytest.raises(InvalidInput, match="already"):
        tenants.change(session, world.superadmin, made, "Acme", "UTC", version=1)
    with pytest.raises(InvalidInput, match="time zone"):
        tenants.change(session, world.superadmin, made, "Fresh", "Mars/Base", version=1)
    session.rollback()
    tenants.change(session, world.superadmin, made, "Fresh", "UTC", version=1)
    found = {tenant.name: tenant for tenant in tenants.search(session, world.superadmin)}
    assert (found["Fresh"].time_zone, found["Fresh"].users, found["Acme"].users) == ("UTC", 0, 4)
