"""Number health: how all numbers of a tenant perform, which stand out beyond chance, and what to do about it."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session

import db.number_health
from db.number_health import HealthQuery, HealthRow, IdleRow, Totals, Verdict, Window
from db.scope import Slice
from services import thresholds, words
from services.access import Actor, Permission, require
from services.thresholds import IDLE_DAYS, Thresholds

__all__ = ["IDLE_DAYS", "HealthRow", "IdleRow", "Totals", "Verdict", "Wanted", "window"]

MOST_IDLE = 100

ACTION = {
    Verdict.SPAM_FLAGGED: "Rest it, register it with the carriers, or replace it.",
    Verdict.LOW: "Replace it, or look at the list that it calls.",
    Verdict.FALLING: "Rest it, then look again.",
    Verdict.CAPPED: "It has its calls for today. Add numbers to the pool if this is every day.",
    Verdict.THIN: "Wait for more calls.",
    Verdict.HEALTHY: "",
}


@dataclass(frozen=True)
class Wanted:
    """What a manager looks at: the last *days* up to the day before *today*, filtered."""

    days: int
    today: date
    digits: str = ""
    verdicts: tuple[Verdict, ...] = ()
    campaigns: tuple[int, ...] = ()


def window(days: int, today: date) -> Window:
    """Return the last *days* whole days, and as many before them."""
    return Window(today - timedelta(days=days), today - timedelta(days=1), today - timedelta(days=2 * days))


def campaigns(session: Session, actor: Actor) -> dict[int, str]:
    """Return the campaigns to choose from, by id."""
    require(actor, Permission.HEALTH_READ)
    return db.number_health.campaigns(session, actor.scope)


def totals(session: Session, actor: Actor, wanted: Wanted) -> Totals:
    """Return the sums over all numbers, with those of the window before."""
    require(actor, Permission.HEALTH_READ)
    return db.number_health.totals(session, actor.scope, window(wanted.days, wanted.today))


def verdicts(session: Session, actor: Actor, wanted: Wanted) -> dict[Verdict, int]:
    """Return how many lines there are of each verdict, whatever is filtered."""
    require(actor, Permission.HEALTH_READ)
    return db.number_health.verdicts(session, actor.scope, _query(session, actor, wanted))


def count(session: Session, actor: Actor, wanted: Wanted) -> int:
    """Return how many numbers × campaigns match."""
    require(actor, Permission.HEALTH_READ)
    return db.number_health.count(session, actor.scope, _query(session, actor, wanted))


def search(session: Session, actor: Actor, wanted: Wanted, part: Slice) -> list[HealthRow]:
    """Return the *part* of the lines that match, the worst first."""
    require(actor, Permission.HEALTH_READ)
    return db.number_health.search(session, actor.scope, _query(session, actor, wanted), part)


def trends(session: Session, actor: Actor, wanted: Wanted, rows: list[HealthRow]) -> list[list[float]]:
    """Return the answer rate by day of each of *rows*."""
    require(actor, Permission.HEALTH_READ)
    numbers = [row.number_id for row in rows]
    found = db.number_health.trends(session, actor.scope, window(wanted.days, wanted.today), numbers)
    return [found.get((row.number_id, row.campaign_id), []) for row in rows]


def idle(session: Session, actor: Actor, today: date) -> list[IdleRow]:
    """Return Twilio-managed numbers that are at risk of being reclaimed, the idlest first, at most MOST_IDLE."""
    require(actor, Permission.HEALTH_READ)
    idle = thresholds.of(session, actor).idle(today)
    return db.number_health.idle(session, actor.scope, idle.since, idle.fewer_than, MOST_IDLE)


def reason(row: HealthRow, limits: Thresholds) -> str:
    """Return why a line has its verdict, in words."""
    match row.verdict:
        case Verdict.SPAM_FLAGGED:
            return f"Flagged as spam in its pool; {words.amount(row.spam_reports, 'report')} in the window."
        case Verdict.LOW:
            limit = (row.median or 0) * limits.flag_share
            share = f"{limits.flag_share:.0%} of its pool's median"
            return f"Even the upper end of chance, {row.high:.0%}, lies under {share}, {limit:.0%}."
        case Verdict.FALLING:
            return "Its rate has dropped within the window, beyond what chance does."
        case Verdict.CAPPED:
            return "Its pool has capped it."
        case Verdict.THIN:
            return f"Not enough data: {words.amount(row.attempts, 'attempt')}."
        case _:
            return ""


def _query(session: Session, actor: Actor, wanted: Wanted) -> HealthQuery:
    limits = thresholds.of(session, actor)
    return HealthQuery(
        window(wanted.days, wanted.today),
        limits.flag_share,
        limits.widest_interval,
        limits.alarm,
        wanted.digits,
        wanted.verdicts,
        wanted.campaigns,
    )
