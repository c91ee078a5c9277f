"""Campaign health of a number: how its calls went, by campaign and by day."""

from datetime import date, timedelta

from sqlmodel import Session

import db.health
from db.health import CampaignTotals, DayTotals
from services.access import Actor, Permission, require

__all__ = ["WINDOWS", "CampaignTotals", "DayTotals", "days", "totals"]

WINDOWS = (7, 30, 90)
"""Windows that can be looked at, in days."""


def totals(session: Session, actor: Actor, number_id: int, window: int, today: date) -> list[CampaignTotals]:
    """Return the number's calls by campaign over the last *window* days."""
    require(actor, Permission.HEALTH_READ)
    return db.health.totals(session, actor.scope, number_id, _since(window, today))


def days(session: Session, actor: Actor, number_id: int, window: int, today: date) -> list[DayTotals]:
    """Return the number's calls by day and campaign over the last *window* days, oldest first."""
    require(actor, Permission.HEALTH_READ)
    return db.health.days(session, actor.scope, number_id, _since(window, today))


def _since(window: int, today: date) -> date:
    return today - timedelta(days=window - 1)
