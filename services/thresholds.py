"""The thresholds of number health: a tenant's own, or the defaults. They are shown wherever they are used."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session

import db.tenants
from db.attention import Idle
from services.access import Actor, Permission, require

IDLE_DAYS = 30
"""Over how many days the completed calls of a number are added up, to tell whether it is idle."""


@dataclass(frozen=True)
class Thresholds:
    """When a number is flagged, capped or idle. Each tenant may say otherwise in its settings, under `health`."""

    widest_interval: float = 0.30
    """An interval wider than this reads `Not enough data`."""
    flag_share: float = 0.5
    """A number whose upper bound lies under this share of its pool's median is flagged."""
    alarm: float = 9.0
    """Evidence of a fall (CUSUM, in nats) from which a number is flagged."""
    prior: float = 20.0
    """Attempts at the pool's rate that are added to each number before it is weighed."""
    weight_floor: float = 0.25
    """The least weight, as a share of the pool's rate."""
    cap_warning: int = 75
    """Calls a day from which a number is close to its cap."""
    cap: int = 100
    """Calls a day at which a number is capped, until midnight in the tenant's zone."""
    idle_calls: int = 3
    """A Twilio-managed number with fewer completed calls in 30 days is at risk of reclaim."""

    def idle(self, today: date) -> Idle:
        """Return what is idle on the day *today*."""
        return Idle(today - timedelta(days=IDLE_DAYS), self.idle_calls)


def read(settings: Mapping[str, Any]) -> Thresholds:
    """Return the thresholds in a tenant's settings; what is missing or senseless there is the default."""
    given = settings.get("health")
    if not isinstance(given, Mapping):
        return Thresholds()
    known: dict[str, Any] = {}
    for field in fields(Thresholds):
        value = given.get(field.name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6:
            known[field.name] = int(value) if field.type == "int" or field.type is int else float(value)
    return Thresholds(**known)


def of(session: Session, actor: Actor) -> Thresholds:
    """Return the thresholds of the chosen tenant; the defaults when all tenants are looked at."""
    require(actor, Permission.HEALTH_READ)
    tenant = db.tenants.find(session, actor.scope.tenant_id) if actor.scope.tenant_id else None
    return read(tenant.settings) if tenant else Thresholds()
