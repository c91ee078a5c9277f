"""Who may do what in administration: every action, by every role, and by an admin of another tenant."""

import inspect
from collections.abc import Callable
from types import ModuleType

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from db.base.scope import Slice
from db.models import ApiKey, Membership, Role, Tenant, User
from db.people.tenants import TenantQuery
from db.people.users import UserQuery
from services.core.access import Actor
from services.core.errors import Forbidden, NotFound
from services.health.thresholds import Thresholds
from services.people import api_keys, tenant_settings, tenants, users
from tests.conftest import World

Act = Callable[[Session, Actor, World, int], object]
"""An action of an actor on the first tenant, its viewer, or its API key (the last)."""

DONE, FORBIDDEN, MISSING = "done", "forbidden", "not found"
ADMINS = (FORBIDDEN, FORBIDDEN, DONE, MISSING, DONE, DONE)
ADMINS_OF_ONE = (FORBIDDEN, FORBIDDEN, DONE, MISSING, DONE, MISSING)
OWN = (FORBIDDEN, FORBIDDEN, DONE, DONE, DONE, DONE)
OWN_OF_ONE = (FORBIDDEN, FORBIDDEN, DONE, DONE, DONE, MISSING)
READ_OF_ONE = (DONE, DONE, DONE, DONE, DONE, MISSING)
SUPERADMINS = (FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN, DONE, DONE)
ACTORS = ("viewer", "operator", "admin", "stranger", "superadmin", "everywhere")
"""The columns: `stranger` is the admin of another tenant, `everywhere` a superadmin over all tenants."""

U, T = UserQuery(), TenantQuery()
TABLE: dict[tuple[ModuleType, str], tuple[Act, tuple[str, ...]]] = {
    (users, "count"): (lambda s, a, w, key: users.count(s, a, U), OWN),
    (users, "search"): (lambda s, a, w, key: users.search(s, a, U, Slice()), OWN),
    (users, "get"): (lambda s, a, w, key: users.get(s, a, w.viewer.user_id), ADMINS),
    (users, "history"): (lambda s, a, w, key: users.history(s, a, w.viewer.user_id, Slice()), OWN),
    (users, "create"): (lambda s, a, w, key: users.create(s, a, "jane", "Jane", Role.VIEWER), OWN_OF_ONE),
    (users, "create_superadmin"): (lambda s, a, w, key: users.create_superadmin(s, a, "root", "Root"), SUPERADMINS),
    (users, "grant"): (lambda s, a, w, key: users.grant(s, a, "stranger", w.tenant, Role.VIEWER), SUPERADMINS),
    (users, "change_role"): (
        lambda s, a, w, key: users.change_role(s, a, w.viewer.user_id, w.tenant, Role.OPERATOR, version=None),
        ADMINS,
    ),
    (users, "set_superadmin"): (
        lambda s, a, w, key: users.set_superadmin(s, a, w.viewer.user_id, True, version=None),
        SUPERADMINS,
    ),
    (users, "set_active"): (lambda s, a, w, key: users.set_active(s, a, w.viewer.user_id, False, version=None), ADMINS),
    (users, "reset_password"): (lambda s, a, w, key: users.reset_password(s, a, w.viewer.user_id), ADMINS),
    (users, "end_sessions"): (lambda s, a, w, key: users.end_sessions(s, a, w.viewer.user_id), ADMINS),
    (tenants, "count"): (lambda s, a, w, key: tenants.count(s, a, T), SUPERADMINS),
    (tenants, "search"): (lambda s, a, w, key: tenants.search(s, a, T, Slice()), SUPERADMINS),
    (tenants, "get"): (lambda s, a, w, key: tenants.get(s, a, w.tenant), SUPERADMINS),
    (tenants, "history"): (lambda s, a, w, key: tenants.history(s, a, w.tenant, Slice()), SUPERADMINS),
    (tenants, "create"): (lambda s, a, w, key: tenants.create(s, a, "Fresh", "UTC"), SUPERADMINS),
    (tenants, "change"): (lambda s, a, w, key: tenants.change(s, a, w.tenant, "Acme 2", "UTC", version=1), SUPERADMINS),
    (tenants, "set_suspended"): (
        lambda s, a, w, key: tenants.set_suspended(s, a, w.tenant, True, version=1),
        SUPERADMINS,
    ),
    (tenant_settings, "get"): (lambda s, a, w, key: tenant_settings.get(s, a), READ_OF_ONE),
    (tenant_settings, "set_time_zone"): (
        lambda s, a, w, key: tenant_settings.set_time_zone(s, a, "Asia/Kolkata", version=1),
        OWN_OF_ONE,
    ),
    (tenant_settings, "set_limits"): (
        lambda s, a, w, key: tenant_settings.set_limits(s, a, Thresholds(alarm=12), version=1),
        OWN_OF_ONE,
    ),
    (api_keys, "search"): (lambda s, a, w, key: api_keys.search(s, a), OWN_OF_ONE),
    (api_keys, "create"): (lambda s, a, w, key: api_keys.create(s, a, "Dialer"), OWN_OF_ONE),
    (api_keys, "revoke"): (lambda s, a, w, key: api_keys.revoke(s, a, key), ADMINS_OF_ONE),
}
OWN_ACCOUNT = {"change_own_password", "own_sign_ins"}


def test_no_action_of_administration_is_left_out() -> None:
    for module in (users, tenants, tenant_settings, api_keys):
        public = {
            name
            for name, function in inspect.getmembers(module, inspect.isfunction)
            if function.__module__ == module.__name__
            and not name.startswith("_")
            and "actor" in inspect.signature(function).parameters
        }
        assert public - OWN_ACCOUNT == {name for of, name in TABLE if of is module}


@pytest.mark.parametrize("who", ACTORS)
@pytest.mark.parametrize(("module", "name"), TABLE, ids=lambda value: getattr(value, "__name__", str(value)))
def test_each_role_may_do_what_the_table_says(
    session: Session, world: World, module: ModuleType, name: str, who: str
) -> None:
    act, expected = TABLE[module, name]
    key = api_keys.create(session, world.admin, "Loader").id
    before = first_tenant(session, world)
    outcome = DONE
    try:
        act(session, getattr(world, who), world, key)
    except Forbidden:
        outcome = FORBIDDEN
    except NotFound:
        outcome = MISSING
    assert outcome == expected[ACTORS.index(who)]
    if outcome != DONE or who == "stranger":
        assert first_tenant(session, world) == before


def first_tenant(session: Session, world: World) -> list[object]:
    """Return all that administration can change in the first tenant, and its users."""
    session.rollback()
    members = sa.select(Membership.user_id).where(Membership.tenant_id == world.tenant)
    return [
        [tuple(row) for row in session.execute(statement)]
        for statement in (
            sa.select(Tenant.name, Tenant.time_zone, Tenant.settings, Tenant.suspended_at, Tenant.version).where(
                Tenant.id == world.tenant
            ),
            sa.select(Membership.user_id, Membership.role)
            .where(Membership.tenant_id == world.tenant)
            .order_by(Membership.user_id),
            sa.select(User.id, User.password_hash, User.is_active, User.is_superadmin, User.sessions_valid_from)
            .where(User.id.in_(members))
            .order_by(User.id),
            sa.select(ApiKey.id, ApiKey.revoked_at).where(ApiKey.tenant_id == world.tenant).order_by(ApiKey.id),
        )
    ]
