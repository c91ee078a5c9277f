"""Tenants: created, renamed, found, and closed to everybody while suspended."""

import pytest
from sqlmodel import Session

from db.base.scope import Slice
from db.people.tenants import TenantQuery
from services.core.errors import Conflict, InvalidInput
from services.people import tenants
from tests.conftest import World
from tests.world import make


def test_a_suspended_tenant_lets_nobody_in_until_it_is_open_again(session: Session, world: World) -> None:
    tenants.set_suspended(session, world.superadmin, world.tenant, True, version=1)
    operator = make.actor_of(session, "operator")
    assert operator
    assert not operator.has_scope
    with pytest.raises(Conflict):
        tenants.set_suspended(session, world.superadmin, world.tenant, False, version=1)
    tenants.set_suspended(session, world.superadmin, world.tenant, False, version=2)
    again = make.actor_of(session, "operator")
    assert again
    assert again.tenant_id == world.tenant


def test_tenants_are_created_and_renamed_with_names_of_their_own(session: Session, world: World) -> None:
    made = tenants.create(session, world.superadmin, "  Fresh   one ", "Europe/Berlin")
    for taken in ("Acme", "ACME "):
        with pytest.raises(InvalidInput, match="already"):
            tenants.create(session, world.superadmin, taken, "UTC")
        with pytest.raises(InvalidInput, match="already"):
            tenants.change(session, world.superadmin, made, taken, "UTC", version=1)
    with pytest.raises(InvalidInput, match="time zone"):
        tenants.change(session, world.superadmin, made, "Fresh", "Mars/Base", version=1)
    assert tenants.change(session, world.superadmin, made, "FRESH ONE", "UTC", version=1) == 2
    found = tenants.get(session, world.superadmin, made)
    assert (found.name, found.time_zone, found.users, found.admins) == ("FRESH ONE", "UTC", 0, 0)
    told = tenants.history(session, world.superadmin, made, Slice())
    assert [event.action for event in told] == ["tenants:change", "tenants:create"]


def test_tenants_are_found_by_name_and_status_with_their_counts(session: Session, world: World) -> None:
    def found(part: Slice = Slice(), **query: object) -> list[str]:  # noqa: B008
        return [row.name for row in tenants.search(session, world.superadmin, TenantQuery(**query), part)]  # type: ignore[arg-type]

    assert found() == ["Acme", "Other"]
    assert found(Slice(2, 1)) == ["Other"]
    assert found(text="CM") == ["Acme"]
    tenants.set_suspended(session, world.superadmin, world.other_tenant, True, version=1)
    assert found(active=True) == ["Acme"]
    assert found(active=False) == ["Other"]
    assert tenants.count(session, world.superadmin, TenantQuery(active=False)) == 1
    acme = tenants.get(session, world.superadmin, world.tenant)
    assert (acme.users, acme.admins) == (4, 1)
