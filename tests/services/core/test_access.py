"""Roles and permissions: the whole table."""

import pytest

from db.models import Role
from services.core.access import ALLOWED, Actor, Permission, require, require_tenant
from services.core.errors import Forbidden, NotFound

READS = {
    "agents:read",
    "audit:export",
    "audit:read",
    "campaigns:read",
    "connections:read",
    "health:read",
    "numbers:export",
    "numbers:read",
    "settings:read",
}
OPERATES = READS | {
    "agents:write",
    "campaigns:write",
    "health:write",
    "numbers:add",
    "numbers:buy",
    "numbers:reconcile",
    "numbers:release",
    "numbers:remove",
    "numbers:write",
}
TABLE = {
    Role.VIEWER: READS,
    Role.OPERATOR: OPERATES,
    Role.ADMIN: OPERATES | {"api_keys:write", "connections:write", "settings:write", "users:read", "users:write"},
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("permission", list(Permission))
def test_each_role_may_do_exactly_what_the_table_says(role: Role, permission: Permission) -> None:
    actor = Actor(1, "someone", "Someone", tenant_id=1, role=role)
    assert actor.may(permission) == (permission.value in TABLE[role])
    if permission.value not in TABLE[role]:
        with pytest.raises(Forbidden):
            require(actor, permission)


def test_without_a_role_everything_is_denied() -> None:
    nobody = Actor(1, "nobody", "Nobody")
    assert not [permission for permission in Permission if nobody.may(permission)]


def test_a_superadmin_may_do_everything() -> None:
    assert all(Actor(1, "root", "Root", is_superadmin=True).may(permission) for permission in Permission)


def test_with_a_one_time_password_everything_is_denied_even_to_a_superadmin() -> None:
    root = Actor(1, "root", "Root", is_superadmin=True, must_change_password=True)
    assert not [permission for permission in Permission if root.may(permission)]
    with pytest.raises(Forbidden, match="one-time password"):
        require(root, Permission.NUMBERS_READ)


def test_a_program_may_do_what_its_key_grants_and_nothing_else() -> None:
    program = Actor(1, "key", "API key", tenant_id=1, granted=frozenset({Permission.HEALTH_WRITE}))
    assert [permission for permission in Permission if program.may(permission)] == [Permission.HEALTH_WRITE]


def test_every_role_is_in_the_table() -> None:
    assert set(ALLOWED) == set(Role)


def test_permissions_are_in_alphabetical_order_and_in_one_grammar() -> None:
    names = [permission.value for permission in Permission]
    assert names == sorted(names)
    assert all(len(name.split(":")) == 2 for name in names)


def test_all_tenants_is_for_superadmins_only() -> None:
    assert not Actor(1, "pretender", "Pretender", all_tenants=True).has_scope
    with pytest.raises(NotFound):
        _ = Actor(1, "pretender", "Pretender", all_tenants=True).scope
    with pytest.raises(NotFound):
        require_tenant(Actor(1, "root", "Root", is_superadmin=True, all_tenants=True))
