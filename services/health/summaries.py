"""Summaries of number health, computed in the background while readers see the last ones.

Readers never compute or write, so that reading works while the database is locked. They wait a moment for quick ones.
"""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime

import structlog
from sqlmodel import Session

import db.health.summaries
from db.base.engine import DatabaseUnavailable
from db.health.summaries import Limits, StoredSummary
from db.models import HealthSummary, Tenant
from services.core import settings
from services.core.access import Actor, Permission, require
from services.core.transactions import reading
from services.health import number_health, summary_lines, thresholds
from services.text.days import today_in

REST = 10
"""Summaries take at most one part in this many of the time, however often calls come in or they fail."""

_log = structlog.get_logger()
_places = threading.BoundedSemaphore(2)
"""How many windows are computed at once."""

_beginning = threading.Lock()
_begun: dict[tuple[int, int], threading.Thread] = {}
_rests_until: dict[tuple[int, int], float] = {}
"""When failed ones may start again, by `time.monotonic`."""


@dataclass(frozen=True)
class AsOf:
    """Up to when the sums are: the last day in them, and when they were made; None before the first ones are.

    `behind` when newer ones are coming.
    """

    until: date | None
    made_at: datetime | None
    behind: bool


def freshen(session: Session, actor: Actor, days: int, *others: int, wait: float | None = None) -> AsOf:
    """Make sure that the summaries over windows of *days*, and *others*, are current or being computed.

    Return of when those over *days* are, after no more than *wait* seconds, or as many as the settings say. Nobody
    waits for summaries that took longer last time. Nothing is written in the transaction of *session*.
    """
    require(actor, Permission.HEALTH_READ)
    windows, longest = {days, *others}, settings.current().summary_seconds
    found = _stored(session, actor, windows)
    quick = [
        thread
        for one in found
        if not _is_newest(one) and (thread := _begin(one)) and (one.summary is None or one.summary.seconds <= longest)
    ]
    if quick:
        until = time.monotonic() + (longest if wait is None else wait)
        for thread in quick:
            thread.join(max(0.0, until - time.monotonic()))
        found = _stored(session, actor, windows)
    asked = [one for one in found if one.days == days]
    behind = not all(_is_newest(one) for one in asked)
    summaries = [one.summary for one in asked if one.summary]
    if not summaries:
        return AsOf(None, None, behind)
    return AsOf(min(one.until for one in summaries), min(one.made_at for one in summaries), behind)


def _stored(session: Session, actor: Actor, windows: set[int]) -> list[StoredSummary]:
    with reading(session):  # a transaction that reads already would not see what was added up since
        return db.health.summaries.stored(session, actor.scope, windows)


def _is_newest(one: StoredSummary) -> bool:
    until = number_health.window(one.days, today_in(one.tenant.time_zone)).until
    old, limits = one.summary, limits_of(one.tenant)
    return old is not None and (old.until, old.version, old.limits) == (until, one.version, limits.key)


def _begin(one: StoredSummary) -> threading.Thread | None:
    """Compute it in the background, unless it rests. After a restart the next reader starts it."""
    key, old = (one.tenant.id, one.days), one.summary
    was_slow = old is not None and old.seconds > settings.current().summary_seconds
    if old and was_slow and (datetime.now(UTC) - old.made_at).total_seconds() <= REST * old.seconds:
        return None
    if time.monotonic() < _rests_until.get(key, 0):
        return None
    arguments = (*key, today_in(one.tenant.time_zone), limits_of(one.tenant))
    with _beginning:
        if key not in _begun:
            _begun[key] = threading.Thread(target=_in_background, args=arguments, name="health", daemon=True)
            _begun[key].start()
        return _begun[key]


def _in_background(tenant_id: int, days: int, today: date, limits: Limits) -> None:
    key = (tenant_id, days)
    with _places:
        began = time.monotonic()
        try:
            add_up(tenant_id, days, today, limits)
            _rests_until.pop(key, None)
        except Exception as exc:  # nobody waits for this thread, so it is logged here and tried again later
            _rests_until[key] = time.monotonic() + REST * min(time.monotonic() - began, 1.0)
            log = _log.warning if isinstance(exc, DatabaseUnavailable) else _log.exception
            log("health.not_added_up", tenant=tenant_id, days=days)
        finally:
            with _beginning:
                del _begun[key]


def add_up(tenant_id: int, days: int, today: date, limits: Limits) -> None:
    """Compute and store a tenant's health summary over a window, unless another replica already does.

    Raises DatabaseUnavailable when the database cannot be written just now.
    """
    window = number_health.window(days, today)
    began = time.perf_counter()
    with db.health.summaries.alone(tenant_id, days) as session:
        if session is None:
            return
        version = db.health.summaries.version(session, tenant_id)
        found = summary_lines.Summing(tenant_id, days, window, limits)
        for facts in db.health.summaries.facts(session, tenant_id, window):
            found.take(facts)
        lines = found.finish()
        summary = HealthSummary(
            tenant_id=tenant_id,
            days=days,
            until=window.until,
            version=version,
            limits=limits.key,
            seconds=time.perf_counter() - began,
        )
        db.health.summaries.keep(session, summary, lines, found.falls)


def limits_of(tenant: Tenant) -> Limits:
    """Return the thresholds by which the numbers of *tenant* are judged."""
    found = thresholds.read(tenant.settings)
    return Limits(found.flag_share, found.widest_interval, found.alarm, found.false_share)


def under_way() -> list[threading.Thread]:
    """Return what this process is computing in the background."""
    return list(_begun.values())
