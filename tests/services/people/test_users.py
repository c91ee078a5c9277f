"""Users: one-time passwords, roles, and no way to lock out the last admin."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session

import db.base.engine
import db.people.users
from db.base.scope import Scope, Slice
from db.models import Membership, Role, User
from db.people.users import UserQuery, UserRow
from services.core.access import Actor, Permission
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound, ServiceError
from services.people import sign_in, users
from tests.conftest import PASSWORD, World
from tests.world import make

ROUNDS = 5


def row(session: Session, world: World, username: str) -> UserRow:
    session.rollback()
    query = UserQuery(username)
    return next(user for user in users.search(session, world.admin, query, Slice()) if user.username == username)


def test_a_new_user_gets_a_one_time_password_that_must_be_changed(session: Session, world: World) -> None:
    made = users.create(session, world.admin, " Jane.Doe ", "Jane Doe", Role.OPERATOR)
    assert made.username == "jane.doe"
    assert sign_in.matches(made.one_time_password, sign_in.attempt(session, "JANE.DOE").password_hash)
    jane = make.actor_of(session, "jane.doe")
    assert jane
    assert (jane.role, jane.must_change_password) == (Role.OPERATOR, True)
    users.change_own_password(session, jane, made.one_time_password, "a-new-long-password", "a-new-long-password")
    changed = make.actor_of(session, "jane.doe")
    assert changed
    assert not changed.must_change_password


@pytest.mark.parametrize("username", ["", "x", "two words", "a" * 65, "emoji☎️", "-dash"])
def test_a_user_name_that_cannot_be_used_is_refused(session: Session, world: World, username: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        users.create(session, world.admin, username, "Somebody", Role.VIEWER)
    assert refused.value.field == "username"


@pytest.mark.parametrize(
    ("old", "new", "again", "field"),
    [
        ("wrong", "a-new-long-password", "a-new-long-password", "old"),
        (PASSWORD, "short", "short", "new"),
        (PASSWORD, "password1234", "password1234", "new"),
        (PASSWORD, "operator2026", "operator2026", "new"),
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
        users.change_role(session, world.admin, world.admin.user_id, world.tenant, Role.VIEWER, version=None)
    with pytest.raises(Forbidden):
        users.set_active(session, world.admin, world.admin.user_id, False, version=None)


def test_the_last_admin_of_a_tenant_stays(session: Session, world: World) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: users.change_role(
            session, world.superadmin, world.admin.user_id, world.tenant, Role.VIEWER, version=None
        ),
        lambda: users.change_role(session, world.superadmin, world.admin.user_id, world.tenant, None, version=None),
        lambda: users.set_active(session, world.superadmin, world.admin.user_id, False, version=None),
    )
    for act in acts:
        with pytest.raises(Conflict, match="last admin"):
            act()
    users.change_role(session, world.admin, world.operator.user_id, world.tenant, Role.ADMIN, version=None)
    users.change_role(session, world.superadmin, world.admin.user_id, world.tenant, Role.VIEWER, version=None)


def test_a_change_of_a_user_who_was_changed_meanwhile_is_refused_and_tells_what_changed(
    session: Session, world: World
) -> None:
    seen = users.get(session, world.admin, world.viewer.user_id).user.version
    users.change_role(session, world.superadmin, world.viewer.user_id, world.tenant, Role.OPERATOR, version=seen)
    acts: tuple[Callable[[], object], ...] = (
        lambda: users.change_role(session, world.admin, world.viewer.user_id, world.tenant, Role.ADMIN, version=seen),
        lambda: users.set_active(session, world.admin, world.viewer.user_id, False, version=seen),
        lambda: users.set_superadmin(session, world.superadmin, world.viewer.user_id, True, version=seen),
    )
    for act in acts:
        with pytest.raises(Conflict, match="Someone else changed this user") as caught:
            act()
        assert [event.action for event in caught.value.changes] == ["users:change_role"]
    found = users.get(session, world.admin, world.viewer.user_id).user
    assert (found.is_active, found.places[0].role) == (True, Role.OPERATOR)


def test_a_deactivated_admin_is_no_admin_to_rely_on(session: Session, world: World) -> None:
    users.change_role(session, world.admin, world.operator.user_id, world.tenant, Role.ADMIN, version=None)
    users.set_active(session, world.admin, world.operator.user_id, False, version=None)
    with pytest.raises(Conflict, match="last admin"):
        users.set_active(session, world.superadmin, world.admin.user_id, False, version=None)


def test_a_superadmin_makes_and_unmakes_another_one(session: Session, world: World) -> None:
    users.set_superadmin(session, world.superadmin, world.operator.user_id, True, version=None)
    made = make.actor_of(session, "operator", sign_in.ALL_TENANTS)
    assert made
    assert made.all_tenants
    assert made.workspaces[0].role is Role.OPERATOR
    users.set_superadmin(session, world.superadmin, world.operator.user_id, False, version=None)
    unmade = make.actor_of(session, "operator", None)
    assert unmade
    assert (unmade.is_superadmin, unmade.role) == (False, Role.OPERATOR)


def test_a_superadmin_with_a_role_in_one_tenant_has_none_in_another(session: Session, world: World) -> None:
    users.set_superadmin(session, world.superadmin, world.operator.user_id, True, version=None)
    made = make.actor_of(session, "operator", world.other_tenant)
    assert made
    assert (made.tenant_id, made.role, [w.id for w in made.workspaces]) == (world.other_tenant, None, [world.tenant])


def test_a_new_superadmin_needs_no_tenant(session: Session, world: World) -> None:
    made = users.create_superadmin(session, world.everywhere, " Root ", "")
    root = make.actor_of(session, "root")
    assert root
    assert (made.username, root.is_superadmin, root.must_change_password, root.workspaces) == ("root", True, True, ())
    with pytest.raises(InvalidInput, match="already"):
        users.create_superadmin(session, world.everywhere, "OPERATOR", "Olga")


def test_no_superadmin_stops_being_one_alone(session: Session, world: World) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: users.set_superadmin(session, world.superadmin, world.superadmin.user_id, False, version=None),
        lambda: users.set_active(session, world.superadmin, world.superadmin.user_id, False, version=None),
    )
    for act in acts:
        with pytest.raises(Forbidden, match="You can't"):
            act()


Deed = Callable[[Session, Actor, int, int], None]
"""What somebody does to a user (the third) of a tenant (the last)."""

AGAINST_ADMINS: dict[str, Deed] = {
    "demote": lambda session, actor, user, tenant: users.change_role(
        session, actor, user, tenant, Role.VIEWER, version=None
    ),
    "take out": lambda session, actor, user, tenant: users.change_role(
        session, actor, user, tenant, None, version=None
    ),
    "deactivate": lambda session, actor, user, _: users.set_active(session, actor, user, False, version=None),
}
AGAINST_SUPERADMINS: dict[str, Deed] = {
    "deactivate": lambda session, actor, user, _: users.set_active(session, actor, user, False, version=None),
    "unmake": lambda session, actor, user, _: users.set_superadmin(session, actor, user, False, version=None),
}


def at_once(first: Actor, second: Actor, deed: Deed, tenant: int) -> list[type[Exception] | None]:
    """Let two people do the same to each other at the same moment; return what refused each, the winner first."""
    barrier = threading.Barrier(2)
    outcomes: list[type[Exception] | None] = []

    def act(actor: Actor, other: Actor) -> None:
        with db.base.engine.open_session() as own:
            sign_in.load_actor(own, actor.username, datetime.now(UTC), None)  # as `rechecked` does before a click
            barrier.wait(10)
            try:
                deed(own, actor, other.user_id, tenant)
                outcomes.append(None)
            except ServiceError as exc:
                outcomes.append(type(exc))

    threads = [threading.Thread(target=act, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes, key=lambda refused: refused is not None)


@pytest.mark.parametrize("others", ["alone", "with a third"])
@pytest.mark.parametrize("deed", AGAINST_ADMINS)
def test_of_two_admins_who_act_against_each_other_at_once_one_wins(
    session: Session, world: World, deed: str, others: str
) -> None:
    second = replace(world.operator, role=Role.ADMIN)
    if others == "with a third":
        users.change_role(session, world.admin, world.viewer.user_id, world.tenant, Role.ADMIN, version=None)
    for _ in range(ROUNDS):
        restore(session, Membership, world, [world.admin.user_id, second.user_id])
        outcomes = at_once(world.admin, second, AGAINST_ADMINS[deed], world.tenant)
        assert outcomes in ([None, Conflict], [None, Forbidden])
        left = UserQuery(roles=(Role.ADMIN,), active=True)
        assert db.people.users.count(session, Scope(world.tenant), left) == (1 if others == "alone" else 2)


@pytest.mark.parametrize("deed", AGAINST_SUPERADMINS)
def test_of_two_superadmins_who_act_against_each_other_at_once_one_wins(
    session: Session, world: World, deed: str
) -> None:
    second = replace(world.viewer, is_superadmin=True)
    for _ in range(ROUNDS):
        restore(session, User, world, [world.superadmin.user_id, second.user_id])
        outcomes = at_once(world.superadmin, second, AGAINST_SUPERADMINS[deed], world.tenant)
        assert outcomes in ([None, Conflict], [None, Forbidden])
        assert session.scalar(sa.select(sa.func.count(User.id)).where(User.is_superadmin, User.is_active)) == 1


def restore(session: Session, kind: type[Membership] | type[User], world: World, both: list[int]) -> None:
    """Make two users active again, and both admins of the tenant, or superadmins."""
    session.rollback()
    session.execute(sa.update(User).where(User.id.in_(both)).values(is_active=True))
    if kind is User:
        session.execute(sa.update(User).values(is_superadmin=User.id.in_(both)))
    else:
        session.execute(sa.delete(Membership).where(Membership.user_id.in_(both)))
        session.add_all(Membership(user_id=one, tenant_id=world.tenant, role=Role.ADMIN) for one in both)
    session.commit()


def test_an_admin_manages_only_users_of_the_own_tenant_alone(session: Session, world: World) -> None:
    with pytest.raises(NotFound):
        users.reset_password(session, world.admin, world.stranger.user_id)
    session.rollback()
    both = session.get_one(Membership, (world.nowhere.user_id, world.tenant)).user_id
    with pytest.raises(Forbidden, match="other tenants"):
        users.set_active(session, world.admin, both, False, version=None)
    with pytest.raises(NotFound):
        users.change_role(session, world.admin, world.stranger.user_id, world.tenant, Role.VIEWER, version=None)
    with pytest.raises(NotFound):
        users.change_role(session, world.admin, world.stranger.user_id, world.other_tenant, Role.VIEWER, version=None)


def test_deactivating_and_resetting_end_every_session(session: Session, world: World) -> None:
    before = datetime.now(UTC)
    made = users.reset_password(session, world.admin, world.viewer.user_id)
    session.rollback()
    assert sign_in.load_actor(session, "viewer", before, None) is None
    assert sign_in.matches(made.one_time_password, sign_in.attempt(session, "viewer").password_hash)
    users.set_active(session, world.admin, world.viewer.user_id, False, version=None)
    assert make.actor_of(session, "viewer") is None
    assert not row(session, world, "viewer").is_active
    users.set_active(session, world.admin, world.viewer.user_id, True, version=None)
    assert make.actor_of(session, "viewer") is not None


def test_a_superadmin_gives_a_user_of_another_tenant_a_role(session: Session, world: World) -> None:
    with pytest.raises(InvalidInput, match="already exists in another tenant") as refused:
        users.create(session, world.superadmin, " STRANGER ", "Somebody", Role.VIEWER)
    assert refused.value.overridable
    users.grant(session, world.superadmin, " Stranger ", world.tenant, Role.VIEWER)
    assert [place.role for place in row(session, world, "stranger").places] == [Role.VIEWER]
    found = users.get(session, world.everywhere, world.stranger.user_id).user
    assert [(place.tenant, place.role) for place in found.places] == [("Acme", Role.VIEWER), ("Other", Role.ADMIN)]
    with pytest.raises(InvalidInput, match="already"):
        users.grant(session, world.superadmin, "stranger", world.tenant, Role.VIEWER)
    users.change_role(session, world.everywhere, world.stranger.user_id, world.tenant, Role.OPERATOR, version=None)
    for unknown, tenant in (("nobody", world.tenant), ("stranger", 4711)):
        with pytest.raises(NotFound):
            users.grant(session, world.superadmin, unknown, tenant, Role.VIEWER)
    with pytest.raises(Forbidden, match="own role"):
        users.grant(session, world.superadmin, "superadmin", world.tenant, Role.ADMIN)


@pytest.mark.parametrize("typed", ["operator", "OPERATOR", "  Operator\t"])
def test_other_case_and_spaces_make_no_second_account(session: Session, world: World, typed: str) -> None:
    with pytest.raises(InvalidInput, match=r"^Operator \(operator\) already has a role in this tenant\.$") as refused:
        users.create(session, world.admin, typed, "Someone else", Role.ADMIN)
    assert not refused.value.overridable
    with pytest.raises(InvalidInput, match="Ask a superadmin to give this user a role here") as refused:
        users.create(session, world.admin, typed.lower().replace("operator", "stranger"), "Somebody", Role.VIEWER)
    assert not refused.value.overridable


def test_an_actor_whose_rights_ended_meanwhile_changes_nothing(session: Session, world: World) -> None:
    users.change_role(session, world.admin, world.operator.user_id, world.tenant, Role.ADMIN, version=None)
    second = replace(world.operator, role=Role.ADMIN)
    users.change_role(session, second, world.admin.user_id, world.tenant, Role.OPERATOR, version=None)
    acts: tuple[Callable[[], object], ...] = (
        lambda: users.create(session, world.admin, "late", "Late", Role.VIEWER),
        lambda: users.reset_password(session, world.admin, world.viewer.user_id),
        lambda: users.end_sessions(session, world.admin, world.viewer.user_id),
        lambda: users.change_role(session, world.admin, world.viewer.user_id, world.tenant, Role.ADMIN, version=None),
    )
    for act in acts:
        with pytest.raises(Forbidden, match="has changed"):
            act()


def test_users_are_found_by_name_role_and_status_part_by_part(session: Session, world: World) -> None:
    def found(actor: Actor, size: int = 25, page: int = 1, **query: object) -> list[str]:
        wanted = UserQuery(**query)  # type: ignore[arg-type]
        rows = users.search(session, actor, wanted, Slice(page, size))
        assert users.count(session, actor, wanted) == len(rows) or size < 25
        return [user.username for user in rows]

    assert found(world.admin) == ["admin", "both", "operator", "viewer"]
    assert found(world.admin, size=3, page=2) == ["viewer"]
    assert found(world.admin, text="OPER") == ["operator"]
    assert found(world.admin, text="%") == []
    assert found(world.admin, roles=(Role.OPERATOR, Role.VIEWER)) == ["both", "operator", "viewer"]
    assert found(world.stranger, roles=(Role.OPERATOR,)) == []
    assert found(world.everywhere) == ["admin", "both", "operator", "stranger", "superadmin", "viewer"]
    assert found(world.everywhere, superadmins=True) == ["superadmin"]
    assert found(world.everywhere, superadmins=True, roles=(Role.VIEWER,)) == ["both", "superadmin", "viewer"]
    users.set_active(session, world.admin, world.viewer.user_id, False, version=None)
    assert found(world.admin, active=False) == ["viewer"]
    assert found(world.admin, active=True) == ["admin", "both", "operator"]


def test_users_come_by_name_whatever_its_case(session: Session, world: World) -> None:
    users.create(session, world.admin, "ben", "ben in lower case", Role.VIEWER)
    rows = users.search(session, world.admin, UserQuery(), Slice())
    assert [user.name for user in rows] == ["Admin", "ben in lower case", "Both", "Operator", "Viewer"]


def test_a_user_is_shown_with_the_roles_that_the_reader_may_know(session: Session, world: World) -> None:
    both = world.nowhere.user_id
    seen = users.get(session, world.admin, both)
    assert [place.tenant for place in seen.user.places] == ["Acme"]
    assert seen.unmanaged
    assert [place.tenant for place in users.get(session, world.everywhere, both).user.places] == ["Acme", "Other"]
    assert not users.get(session, world.superadmin, both).unmanaged
    for nobody in (world.stranger.user_id, world.superadmin.user_id, 4711, "abc", ""):
        with pytest.raises(NotFound):
            users.get(session, world.admin, nobody)


def test_the_last_sign_ins_of_the_own_account_are_shown(session: Session, world: World) -> None:
    assert users.own_sign_ins(session, world.operator) == []
    moments = [datetime(2026, 5, day, 9, tzinfo=UTC) for day in range(1, 13)]
    for moment in moments:
        with time_machine.travel(moment, tick=False):
            sign_in.succeeded(session, "operator")
            sign_in.succeeded(session, "viewer")
    assert users.own_sign_ins(session, world.operator) == moments[::-1][:10]


def test_with_a_one_time_password_nothing_may_be_done_but_to_change_it(session: Session, world: World) -> None:
    users.change_role(session, world.admin, world.operator.user_id, world.tenant, Role.ADMIN, version=None)
    users.reset_password(session, world.admin, world.operator.user_id)
    fresh = make.actor_of(session, "operator")
    assert fresh
    assert not [permission for permission in Permission if fresh.may(permission)]
    with pytest.raises(Forbidden, match="one-time password"):
        users.create(session, fresh, "somebody", "Somebody", Role.VIEWER)
