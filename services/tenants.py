"""Tenants of the installation: created, renamed, suspended. For superadmins."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

import db.engine
import db.tenants
from db.models import Tenant
from db.tenants import TenantRow
from services import checks, versioned
from services.access import Actor, Permission, require
from services.audit import Action
from services.errors import InvalidInput

__all__ = ["TenantRow"]


def search(session: Session, actor: Actor) -> list[TenantRow]:
    """Return every tenant with how many users and numbers it has, by name."""
    require(actor, Permission.TENANTS_READ_ALL)
    return db.tenants.search(session)


def create(session: Session, actor: Actor, name: str, time_zone: str) -> int:
    """Create a tenant and return its id. Raises InvalidInput for a name that is taken or a zone that is none."""
    require(actor, Permission.TENANTS_WRITE)
    tenant = Tenant(name=checks.name(name, "tenant"), time_zone=checks.time_zone(time_zone))
    db.engine.start_write(session)
    session.add(tenant)
    _flush(session, tenant.name)
    return versioned.add(session, actor, _NOUN, tenant, Action.TENANTS_CREATE)


def change(session: Session, actor: Actor, tenant_id: int, name: str, time_zone: str, *, version: int) -> int:
    """Rename a tenant, or set its time zone; return its new version.

    Raises NotFound, InvalidInput, and Conflict when the tenant is no longer at *version*.
    """
    require(actor, Permission.TENANTS_WRITE)
    called, zone = checks.name(name, "tenant"), checks.time_zone(time_zone)

    def apply(tenant: Tenant) -> None:
        tenant.name, tenant.time_zone = called, zone
        _flush(session, called)

    return _change(session, actor, tenant_id, Action.TENANTS_CHANGE, apply, version)


def set_suspended(session: Session, actor: Actor, tenant_id: int, suspended: bool) -> None:
    """Suspend a tenant: its users are out of it on their next click. Or let them in again."""
    require(actor, Permission.TENANTS_WRITE)

    def apply(tenant: Tenant) -> None:
        if (tenant.suspended_at is not None) != suspended:
            tenant.suspended_at = datetime.now(UTC) if suspended else None

    _change(
        session, actor, tenant_id, Action.TENANTS_SUSPEND if suspended else Action.TENANTS_RESUME, apply, version=None
    )


def _change(
    session: Session, actor: Actor, tenant_id: int, action: Action, apply: Callable[[Tenant], None], version: int | None
) -> int:
    everywhere = replace(actor, tenant_id=None, all_tenants=True)  # whichever tenant is being looked at
    return versioned.change(session, everywhere, _NOUN, tenant_id, action, apply, version=version)


def _flush(session: Session, name: str) -> None:
    try:
        session.flush()
    except IntegrityError as exc:
        session.rollback()
        raise InvalidInput(f"There is a tenant {name} already.", field="name") from exc


def _words(_session: Session, tenant: Tenant) -> dict[str, Any]:
    return {"name": tenant.name, "time_zone": tenant.time_zone, "suspended": tenant.suspended_at is not None}


_NOUN = versioned.Noun("tenant", Permission.TENANTS_WRITE, db.tenants.lock, _words)
