"""Adding up number health: at once where it is quick, else in the background while the last sums are shown."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from dbos import DBOS, SetWorkflowID
from sqlmodel import Session

import db.engine
import db.health_summary
from db.health_summary import Kept, Limits
from db.models import Tenant
from services import number_health, thresholds
from services.access import Actor, Permission, require

AT_ONCE = 1.0
"""Seconds. What took longer the last time is added up in the background."""

PATIENCE = 2.0
"""Seconds after which the tenants that are left wait for the next run of the page, when all are looked at."""

REST = 10
"""Adding up takes no more than one part in so many of the time, however often calls come in."""


@dataclass(frozen=True)
class AsOf:
    """Up to when the sums are: the last day in them, and when they were made. `behind` when newer calls are coming."""

    until: date | None
    made_at: datetime | None
    behind: bool


def freshen(session: Session, actor: Actor, days: int, *others: int) -> AsOf:
    """See to it that the sums over windows of *days*, and *others*, are the newest, or are being made.

    Return of when those over *days* are.
    """
    require(actor, Permission.HEALTH_READ)
    for other in {*others} - {days}:
        freshen(session, actor, other)
    session.rollback()  # a transaction that reads already would not see what was added up since
    began, behind = time.monotonic(), False
    for one in db.health_summary.kept(session, actor.scope, days):
        limits, today = _limits(one.tenant), today_in(one.tenant)
        window = number_health.window(days, today)
        old = one.summary
        if old and (old.until, old.version, old.limits) == (window.until, one.version, limits.key):
            continue
        if old is not None and old.seconds > AT_ONCE:
            behind = True
            if (datetime.now(UTC) - old.made_at).total_seconds() > REST * old.seconds:
                _begin(one, days, today, limits)
        elif time.monotonic() - began > PATIENCE:
            behind = True
        else:
            db.health_summary.add_up(session, one.tenant.id or 0, days, window, limits)
    session.rollback()  # what was just written is seen from here on
    made = [one.summary for one in db.health_summary.kept(session, actor.scope, days) if one.summary]
    if not made:
        return AsOf(None, None, behind)
    return AsOf(min(one.until for one in made), min(one.made_at for one in made), behind)


def today_in(tenant: Tenant) -> date:
    """Return the day that it is in the tenant's zone."""
    return datetime.now(ZoneInfo(tenant.time_zone)).date()


def _limits(tenant: Tenant) -> Limits:
    found = thresholds.read(tenant.settings)
    return Limits(found.flag_share, found.widest_interval, found.alarm)


def _begin(one: Kept, days: int, today: date, limits: Limits) -> None:
    """Have it added up in the background. Whoever asks for the same meanwhile, here or at a replica, begins nothing."""
    with SetWorkflowID(f"health-{one.tenant.id}-{days}-{today}-{one.version}-{limits.key}"):
        DBOS.start_workflow(
            _add_up, one.tenant.id or 0, days, today.isoformat(), limits.flag_share, limits.widest, limits.alarm
        )


@DBOS.workflow(name="health.add_up")
def _add_up(tenant_id: int, days: int, today: str, flag_share: float, widest: float, alarm: float) -> None:
    _added_up(tenant_id, days, today, flag_share, widest, alarm)


@DBOS.step(name="health.added_up")
def _added_up(tenant_id: int, days: int, today: str, flag_share: float, widest: float, alarm: float) -> None:
    window = number_health.window(days, date.fromisoformat(today))
    with db.engine.open_session() as session:
        db.health_summary.add_up(session, tenant_id, days, window, Limits(flag_share, widest, alarm))
