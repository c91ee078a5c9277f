"""Adding up number health: at once where it is quick, else in the background while the last sums are shown."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime

from dbos import DBOS, SetWorkflowID
from sqlmodel import Session

import db.engine
import db.health_summary
from db.health_summary import Kept, Limits
from db.models import Tenant
from services import number_health, thresholds
from services.access import Actor, Permission, require
from services.days import today_in

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
    session.rollback()  # a transaction that reads already would not see what was added up since
    began, behind, changed = time.monotonic(), False, False
    windows = {days, *others}
    found = db.health_summary.kept(session, actor.scope, windows)
    for one in found:
        limits, today = _limits(one.tenant), today_in(one.tenant.time_zone)
        window = number_health.window(one.days, today)
        old = one.summary
        if old and (old.until, old.version, old.limits) == (window.until, one.version, limits.key):
            continue
        if old is not None and old.seconds > AT_ONCE:
            behind = behind or one.days == days
            if (datetime.now(UTC) - old.made_at).total_seconds() > REST * old.seconds:
                _begin(one, today, limits)
        elif time.monotonic() - began > PATIENCE:
            behind = behind or one.days == days
        else:
            db.health_summary.add_up(session, one.tenant.id or 0, one.days, window, limits)
            changed = True
    if changed:
        session.rollback()
        found = db.health_summary.kept(session, actor.scope, windows)
    made = [one.summary for one in found if one.summary and one.days == days]
    if not made:
        return AsOf(None, None, behind)
    return AsOf(min(one.until for one in made), min(one.made_at for one in made), behind)


def _limits(tenant: Tenant) -> Limits:
    found = thresholds.read(tenant.settings)
    return Limits(found.flag_share, found.widest_interval, found.alarm)


def _begin(one: Kept, today: date, limits: Limits) -> None:
    """Have it added up in the background. Whoever asks for the same meanwhile, here or at a replica, begins nothing."""
    with SetWorkflowID(f"health-{one.tenant.id}-{one.days}-{today}-{one.version}-{limits.key}"):
        DBOS.start_workflow(
            _add_up, one.tenant.id or 0, one.days, today.isoformat(), limits.flag_share, limits.widest, limits.alarm
        )


@DBOS.workflow(name="health.add_up")
def _add_up(tenant_id: int, days: int, today: str, flag_share: float, widest: float, alarm: float) -> None:
    _added_up(tenant_id, days, today, flag_share, widest, alarm)


@DBOS.step(name="health.added_up")
def _added_up(tenant_id: int, days: int, today: str, flag_share: float, widest: float, alarm: float) -> None:
    window = number_health.window(days, date.fromisoformat(today))
    with db.engine.open_session() as session:
        db.health_summary.add_up(session, tenant_id, days, window, Limits(flag_share, widest, alarm))
