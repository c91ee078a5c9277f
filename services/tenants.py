"""Tenants of the installation: created, renamed, suspended. For superadmins."""

from datetime import UTC, datetime
from zoneinfo import available_timezones

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

import db.engine
import db.tenants
from db.models import Tenant
from db.tenants import TenantRow
from services import audit, checks
from services.access import Actor, Permission, require
from services.audit import Action, Subject
from services.errors import InvalidInput, NotFound

__all__ = ["TenantRow"]


def search(session: Session, actor: Actor) -> list[TenantRow]:
    """Return every tenant with how many users and numbers it has, by name."""
    require(actor, Permission.TENANTS_READ_ALL)
    return db.tenants.search(session)


def create(session: Session, actor: Actor, name: str, time_zone: str) -> int:
    """Create a tenant and return its id. Raises InvalidInput for a name that is taken or a zone that is none."""
    require(actor, Permission.TENANTS_WRITE)
    tenant = Tenant(name=checks.name(name, "tenant"), time_zone=_zone(time_zone))
    db.engine.start_write(session)
    session.add(tenant)
    _flush(session, tenant.name)
    after = {"name": tenant.name, "time_zone": tenant.time_zone}
    audit.record(session, actor, Action.TENANTS_CREATE, _subject(tenant), after=after)
    session.commit()
    return tenant.id or 0


def change(session: Session, actor: Actor, tenant_id: int, name: str, time_zone: str) -> None:
    """Rename a tenant, or set its time zone."""
    require(actor, Permission.TENANTS_WRITE)
    tenant = _find(session, tenant_id)
    before = {"name": tenant.name, "time_zone": tenant.time_zone}
    after = {"name": checks.name(name, "tenant"), "time_zone": _zone(time_zone)}
    if before == after:
        session.rollback()
        return
    tenant.name, tenant.time_zone = after["name"], after["time_zone"]
    _flush(session, tenant.name)
    audit.record(session, actor, Action.TENANTS_CHANGE, _subject(tenant), before=before, after=after)
    session.commit()


def set_suspended(session: Session, actor: Actor, tenant_id: int, suspended: bool) -> None:
    """Suspend a tenant: its users are out of it on their next click. Or let them in again."""
    require(actor, Permission.TENANTS_WRITE)
    tenant = _find(session, tenant_id)
    if (tenant.suspended_at is not None) == suspended:
        session.rollback()
        return
    tenant.suspended_at = datetime.now(UTC) if suspended else None
    action = Action.TENANTS_SUSPEND if suspended else Action.TENANTS_RESUME
    audit.record(
        session, actor, action, _subject(tenant), before={"suspended": not suspended}, after={"suspended": suspended}
    )
    session.commit()


def _find(session: Session, tenant_id: int) -> Tenant:
    db.engine.start_write(session)
    found = db.tenants.lock(session, checks.as_id(tenant_id))
    if found is None:
        raise NotFound
    return found


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise InvalidInput(f"{name or 'An empty text'} is not a time zone.", field="time_zone")
    return name


def _flush(session: Session, name: str) -> None:
    try:
        session.flush()
    except IntegrityError as exc:
        session.rollback()
        raise InvalidInput(f"There is a tenant {name} already.", field="name") from exc


def _subject(tenant: Tenant) -> Subject:
    return Subject("tenant", tenant.id, tenant.name, tenant.id)
