"""Days, and when they begin, in a time zone."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

import db.tenants
from services.access import Actor, Permission, require
from services.errors import InvalidInput


def zone(name: str) -> ZoneInfo:
    """Return a tenant's time zone; UTC for a name that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        return ZoneInfo("UTC")


def starts(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a day begins in *zone*."""
    return datetime.combine(day, time.min, zone)


def span(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when whole days in *zone* begin, and the instant before which they end.

    A day has 23 or 25 hours where the clocks change. Raises InvalidInput when the last comes before the first.
    """
    if last < first:
        raise InvalidInput("The period ends before it starts. Choose a last day that is not before the first.")
    return starts(first, zone), starts(last + timedelta(days=1), zone)


def today_in(time_zone: str) -> date:
    """Return the day that it is in a zone."""
    return datetime.now(zone(time_zone)).date()


def today_of(session: Session, actor: Actor) -> date:
    """Return the day that it is in the chosen tenant's zone; in UTC when all tenants are looked at."""
    require(actor, Permission.HEALTH_READ if actor.granted is None else Permission.HEALTH_WRITE)
    tenant = db.tenants.find(session, actor.tenant_id) if actor.tenant_id else None
    return today_in(tenant.time_zone if tenant else "UTC")
