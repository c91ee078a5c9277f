"""Adding up number health: at once where it is quick, else in the background while the last sums are shown.

Who reads never writes: sums are made in a session of their own, by one at a time, and whoever finds them stale
meanwhile, or the database unable to write, reads the last ones.
"""

import itertools
import threading
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime

import structlog
from sqlmodel import Session

import db.health_summary
from db.engine import DatabaseUnavailable
from db.health_summary import Kept, Limits
from db.models import HealthSummary, Tenant
from services import number_health, summing, thresholds
from services.access import Actor, Permission, require
from services.days import today_in

AT_ONCE = 1.0
"""Seconds. What took longer the last time is added up in the background."""

PATIENCE = 2.0
"""Seconds after which the tenants that are left wait for the next run of the page, when all are looked at."""

REST = 10
"""Adding up takes no more than one part in so many of the time, however often calls come in."""

_log = structlog.get_logger()
_begun: dict[tuple[int, int], threading.Thread] = {}


@dataclass(frozen=True)
class AsOf:
    """Up to when the sums are: the last day in them, and when they were made. `behind` when newer calls are coming."""

    until: date | None
    made_at: datetime | None
    behind: bool


def freshen(session: Session, actor: Actor, days: int, *others: int) -> AsOf:
    """See to it that the sums over windows of *days*, and *others*, are the newest, or are being made.

    Return of when those over *days* are. Nothing is written in the transaction of *session*.
    """
    require(actor, Permission.HEALTH_READ)
    session.rollback()  # a transaction that reads already would not see what was added up since
    began, behind, changed, can_write = time.monotonic(), False, False, True
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
        elif not can_write or time.monotonic() - began > PATIENCE:
            behind = behind or one.days == days
        else:
            try:
                done = add_up(one.tenant.id or 0, one.days, today, limits)
            except DatabaseUnavailable:
                _log.warning("health.not_added_up", tenant=one.tenant.id, days=one.days)
                done = can_write = False
            changed, behind = changed or done, behind or (not done and one.days == days)
    if changed:
        session.rollback()
        found = db.health_summary.kept(session, actor.scope, windows)
    made = [one.summary for one in found if one.summary and one.days == days]
    if not made:
        return AsOf(None, None, behind)
    return AsOf(min(one.until for one in made), min(one.made_at for one in made), behind)


def add_up(tenant_id: int, days: int, today: date, limits: Limits) -> bool:
    """Add up a tenant's health over a window, and keep it; return False when somebody else does so already.

    Raises DatabaseUnavailable when the database cannot be written just now.
    """
    window = number_health.window(days, today)
    began = time.perf_counter()
    with db.health_summary.alone(tenant_id, days) as session:
        if session is None:
            return False
        version = db.health_summary.version(session, tenant_id)
        found = summing.Summing(tenant_id, days, window, limits)
        for rows in db.health_summary.facts(session, tenant_id, window):
            found.take(itertools.chain.from_iterable(rows))
        found.finish()
        summary = HealthSummary(
            tenant_id=tenant_id,
            days=days,
            until=window.until,
            version=version,
            limits=limits.key,
            seconds=time.perf_counter() - began,
        )
        db.health_summary.keep(session, summary, found.lines, found.falls)
    return True


def _limits(tenant: Tenant) -> Limits:
    found = thresholds.read(tenant.settings)
    return Limits(found.flag_share, found.widest_interval, found.alarm, found.false_share)


def _begin(one: Kept, today: date, limits: Limits) -> None:
    """Have it added up in the background. What is lost when the app stops is begun by the next reader."""
    key = (one.tenant.id or 0, one.days)
    if key not in _begun:
        thread = threading.Thread(target=_in_background, args=(key, today, limits), name="health", daemon=True)
        _begun[key] = thread
        thread.start()


def _in_background(key: tuple[int, int], today: date, limits: Limits) -> None:
    try:
        add_up(*key, today, limits)
    except DatabaseUnavailable:
        _log.warning("health.not_added_up", tenant=key[0], days=key[1])
    except Exception:
        _log.exception("health.not_added_up", tenant=key[0], days=key[1])
    finally:
        _begun.pop(key, None)


def under_way() -> list[threading.Thread]:
    """Return what is being added up in the background of this process."""
    return list(_begun.values())
