"""Tenants of the installation: created, renamed, suspended. For superadmins."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

import db.base.engine
import db.base.named
import db.people.tenants
from db.audit.queries import AuditRow
from db.base.scope import Scope, Slice
from db.models import Tenant
from db.people.tenants import TenantQuery, TenantRow
from services.audit import audit
from services.audit.audit import Action
from services.core import changes, validation
from services.core.access import Actor, Permission, require
from services.core.errors import InvalidInput, found
from services.core.transactions import overtaken


def count(session: Session, actor: Actor, query: TenantQuery) -> int:
    """Return how many tenants match."""
    require(actor, Permission.TENANTS_READ_ALL)
    return db.people.tenants.count(session, query)


def search(session: Session, actor: Actor, query: TenantQuery, part: Slice) -> list[TenantRow]:
    """Return the *part* of the matching tenants by name, with their counts of users and numbers."""
    require(actor, Permission.TENANTS_READ_ALL)
    return db.people.tenants.search(session, query, part)


def get(session: Session, actor: Actor, tenant_id: object) -> TenantRow:
    """Return one tenant."""
    require(actor, Permission.TENANTS_READ_ALL)
    return found(db.people.tenants.find_row(session, validation.as_id(tenant_id)))


def history(session: Session, actor: Actor, tenant_id: int, part: Slice) -> list[AuditRow]:
    """Return the *part* of a tenant's changes, newest first."""
    require(actor, Permission.TENANTS_READ_ALL)
    return audit.history(session, _everywhere(actor), "tenant", tenant_id, part)


def create(session: Session, actor: Actor, name: str, time_zone: str) -> int:
    """Create a tenant and return its id. Raises InvalidInput for a taken name or an unknown zone."""
    require(actor, Permission.TENANTS_WRITE)
    called, zone = validation.name(name, "tenant"), validation.time_zone(time_zone)

    def make() -> Tenant:
        tenant = Tenant(name=called, time_zone=zone)
        _put(session, tenant)
        return tenant

    return changes.add(session, actor, _NOUN, make, Action.TENANTS_CREATE)


def change(session: Session, actor: Actor, tenant_id: int, name: str, time_zone: str, *, version: int) -> int:
    """Rename a tenant, or set its time zone; return its new version.

    Raises NotFound, InvalidInput, and Conflict when the tenant is no longer at *version*.
    """
    require(actor, Permission.TENANTS_WRITE)
    called, zone = validation.name(name, "tenant"), validation.time_zone(time_zone)

    def apply(tenant: Tenant) -> None:
        tenant.name, tenant.time_zone = called, zone
        _put(session, tenant)

    return _change(session, actor, tenant_id, Action.TENANTS_CHANGE, apply, version)


def set_suspended(session: Session, actor: Actor, tenant_id: int, suspended: bool, *, version: int) -> int:
    """Suspend a tenant, which ends its users' access on their next click, or resume it.

    Returns and raises as `change`.
    """
    require(actor, Permission.TENANTS_WRITE)

    def apply(tenant: Tenant) -> None:
        if (tenant.suspended_at is not None) != suspended:
            tenant.suspended_at = datetime.now(UTC) if suspended else None

    action = Action.TENANTS_SUSPEND if suspended else Action.TENANTS_RESUME
    return _change(session, actor, tenant_id, action, apply, version)


def _change(
    session: Session, actor: Actor, tenant_id: int, action: Action, apply: Callable[[Tenant], None], version: int
) -> int:
    return changes.change(session, _everywhere(actor), _NOUN, tenant_id, action, apply, version=version)


def _everywhere(actor: Actor) -> Actor:
    """Return a superadmin with all tenants in scope, whichever is chosen."""
    return replace(actor, tenant_id=None, all_tenants=True)


def _put(session: Session, tenant: Tenant) -> None:
    """Save a tenant with a unique name, ignoring case."""
    taken = InvalidInput(f"A tenant named {tenant.name} already exists.", field="name")
    with session.no_autoflush:
        if db.base.named.is_named(session, Tenant, Scope(None), tenant.name, but=tenant.id):
            raise taken
    session.add(tenant)
    with overtaken(taken):
        session.flush()


def _words(_session: Session, tenant: Tenant) -> dict[str, Any]:
    return {"name": tenant.name, "time_zone": tenant.time_zone, "suspended": tenant.suspended_at is not None}


_NOUN = changes.Noun("tenant", Permission.TENANTS_WRITE, Tenant, _words)
