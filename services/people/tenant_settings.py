"""The settings of a tenant: its time zone, and the thresholds of number health."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import Session

import db.people.tenants
from db.models import Tenant
from services.audit.audit import Action
from services.core import changes, validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import found
from services.health import thresholds
from services.health.thresholds import Thresholds


@dataclass(frozen=True)
class TenantSettings:
    """The settings of the tenant `id` at `version`."""

    id: int
    time_zone: str
    limits: Thresholds
    version: int


def get(session: Session, actor: Actor) -> TenantSettings:
    """Return the settings of the chosen tenant. Raises NotFound when none, or all of them, are chosen."""
    require(actor, Permission.SETTINGS_READ)
    tenant = found(db.people.tenants.find(session, require_tenant(actor)))
    return TenantSettings(tenant.id, tenant.time_zone, thresholds.read(tenant.settings), tenant.version)


def set_time_zone(session: Session, actor: Actor, time_zone: str, *, version: int) -> int:
    """Set the tenant's time zone.

    Like every change here, returns the new version and raises Forbidden, NotFound, InvalidInput, or Conflict when
    *version* is stale.
    """
    require(actor, Permission.SETTINGS_WRITE)
    chosen = validation.time_zone(time_zone)

    def apply(tenant: Tenant) -> None:
        tenant.time_zone = chosen

    return _change(session, actor, apply, version)


def set_limits(session: Session, actor: Actor, limits: Thresholds, *, version: int) -> int:
    """Set all thresholds of number health; those at their default keep following it."""
    require(actor, Permission.SETTINGS_WRITE)
    thresholds.check(limits)

    def apply(tenant: Tenant) -> None:
        tenant.settings = {**tenant.settings, "health": thresholds.stored(limits)}

    return _change(session, actor, apply, version)


def _change(session: Session, actor: Actor, apply: Callable[[Tenant], None], version: int) -> int:
    tenant_id = require_tenant(actor)
    return changes.change(session, actor, _NOUN, tenant_id, Action.SETTINGS_CHANGE, apply, version=version)


def _words(_session: Session, tenant: Tenant) -> dict[str, Any]:
    return {"time_zone": tenant.time_zone, **asdict(thresholds.read(tenant.settings))}


_NOUN = changes.Noun("tenant", Permission.SETTINGS_WRITE, Tenant, _words)
