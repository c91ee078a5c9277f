"""Number health: how a tenant's numbers perform, which stand out beyond chance, and what to do."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from sqlmodel import Session

import db.health.number_health
import db.health.summaries
from db.base.scope import Slice
from db.health.number_health import HealthQuery, HealthRow, IdleRow, Step, Totals
from db.health.summaries import FallRow, Verdict, Window
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core.access import Actor, Permission, require
from services.core.transactions import writing
from services.health import thresholds
from services.health.statistics import difference, rate
from services.health.thresholds import IDLE_DAYS, Thresholds
from services.text import labels
from services.text.exports import Cell, Table

MOST_CAMPAIGNS = 1000

FALL_ACTION = (
    "Probably the call list or the day, not the numbers. Check what is dialed, and when, before replacing numbers."
)

URGENT = (Verdict.SPAM_FLAGGED, Verdict.LOW, Verdict.FALLING)
"""Verdicts that need action."""

ACTION = {
    Verdict.SPAM_FLAGGED: "Rest it, register it with the carriers, or replace it.",
    Verdict.LOW: "Replace it, or check its call list: the rest of its pool does better on the same days.",
    Verdict.FALLING: "Rest it, then check again.",
    Verdict.CAPPED: "It rests until midnight. If this happens every day, add numbers to the pool.",
    Verdict.NEAR_CAP: "Spread the calls over more numbers.",
    Verdict.THIN: "Wait for more calls.",
    Verdict.SMALL_POOL: "Decide for yourself, or add numbers to the pool.",
    Verdict.HEALTHY: "",
}


def window(days: int, today: date) -> Window:
    """Return the last *days* whole days, and as many before them."""
    return Window(today - timedelta(days=days), today - timedelta(days=1), today - timedelta(days=2 * days))


def campaigns(session: Session, actor: Actor) -> dict[int, str]:
    """Return the campaigns to choose from, by id."""
    require(actor, Permission.HEALTH_READ)
    return db.health.number_health.campaigns(session, actor.scope)


def totals(session: Session, actor: Actor, days: int) -> Totals:
    """Return the sums over all numbers, with those of the window before."""
    require(actor, Permission.HEALTH_READ)
    return db.health.number_health.totals(session, actor.scope, days)


def spread(session: Session, actor: Actor, query: HealthQuery) -> list[Step]:
    """Return how many lines match, by answer rate in steps of BIN and by verdict."""
    require(actor, Permission.HEALTH_READ)
    return db.health.number_health.spread(session, actor.scope, _with_caps(session, actor, query))


def search(session: Session, actor: Actor, query: HealthQuery, part: Slice) -> list[HealthRow]:
    """Return the *part* of the matching lines, worst first."""
    require(actor, Permission.HEALTH_READ)
    return db.health.number_health.search(session, actor.scope, _with_caps(session, actor, query), part)


def of_number(session: Session, actor: Actor, number_id: int, query: HealthQuery) -> dict[int, HealthRow]:
    """Return the lines of one number, by campaign. A campaign without calls in the window has none."""
    require(actor, Permission.HEALTH_READ)
    wanted = replace(_with_caps(session, actor, query), number_id=number_id)
    rows = db.health.number_health.search(session, actor.scope, wanted, Slice(1, MOST_CAMPAIGNS))
    return {row.campaign_id: row for row in rows}


def weights(
    session: Session, actor: Actor, campaigns: Sequence[int], numbers: Sequence[int]
) -> dict[tuple[int, int], float]:
    """Return the calculated weights of *numbers* in the pools of *campaigns*, by campaign and number.

    1 is the pool's average. They go by the calls of the last IDLE_DAYS days; see `db.health.number_health.weights`.
    """
    require(actor, Permission.HEALTH_READ)
    limits = thresholds.of(session, actor)
    return db.health.number_health.weights(
        session, actor.scope, IDLE_DAYS, campaigns, numbers, limits.prior, limits.weight_floor
    )


def trends(session: Session, actor: Actor, query: HealthQuery, rows: list[HealthRow]) -> list[list[float]]:
    """Return the answer rate by day of each of *rows*."""
    require(actor, Permission.HEALTH_READ)
    numbers, campaigns = {row.number_id for row in rows}, {row.campaign_id for row in rows}
    found = db.health.number_health.trends(
        session, actor.scope, window(query.days, query.today).since, numbers, campaigns
    )
    return [found.get((row.number_id, row.campaign_id), []) for row in rows]


def count_idle(session: Session, actor: Actor) -> int:
    """Return how many managed numbers are at risk of being reclaimed."""
    require(actor, Permission.HEALTH_READ)
    return db.health.number_health.count_idle(session, actor.scope, thresholds.of(session, actor).rules)


def idle(session: Session, actor: Actor, part: Slice) -> list[IdleRow]:
    """Return the *part* of the numbers that are at risk of being reclaimed, least used first."""
    require(actor, Permission.HEALTH_READ)
    return db.health.number_health.idle(session, actor.scope, thresholds.of(session, actor).rules, part)


def export(session: Session, actor: Actor, query: HealthQuery) -> list[Table]:
    """Return every matching line and every idle number, for a file; logs the download."""
    require(actor, Permission.HEALTH_READ)
    require(actor, Permission.NUMBERS_EXPORT)
    subject = Subject("health", None, "Number health", actor.scope.tenant_id)
    details = {
        "days": query.days,
        "search": query.digits,
        "statuses": [labels.VERDICT[one] for one in query.verdicts],
    }
    with writing(session):
        audit.record(session, actor, Action.HEALTH_EXPORT, subject, after=details)
    limits = thresholds.of(session, actor)
    lines = db.health.number_health.walk(session, actor.scope, _with_caps(session, actor, query))
    idle = db.health.number_health.walk_idle(session, actor.scope, limits.rules)
    return [
        Table.of("Number health", lines, _columns(limits)),
        Table.of(
            "Idle",
            idle,
            {
                "Number": lambda row: row.e164,
                "Name": lambda row: row.label,
                "Tenant": lambda row: row.tenant,
                "Completed calls": lambda row: row.completed,
            },
        ),
    ]


def _columns(limits: Thresholds) -> dict[str, Callable[[HealthRow], Cell]]:
    found = lru_cache(1000)(rate)  # one rate stands in three columns

    return {
        "Number": lambda row: row.e164,
        "Name": lambda row: row.label,
        "Campaign": lambda row: row.campaign,
        "Tenant": lambda row: row.tenant,
        "Status": lambda row: labels.VERDICT[row.verdict],
        "Why": lambda row: reason(row, limits),
        "What to do": lambda row: ACTION[row.verdict],
        "Attempts": lambda row: row.attempts,
        "Answered": lambda row: row.answered,
        "Answer rate": lambda row: _share(found(row.answered, row.attempts).value),
        "Interval from": lambda row: _share(found(row.answered, row.attempts).low),
        "Interval to": lambda row: _share(found(row.answered, row.attempts).high),
        "Pool median": lambda row: _share(row.median),
        "Pool on the same days": lambda row: _share(row.expected),
        "Attempts before": lambda row: row.attempts_before,
        "Answered before": lambda row: row.answered_before,
        "Pool status": lambda row: labels.POOL[row.pool_status] if row.pool_status else "",
    }


def _share(share: float | None) -> Cell:
    return "" if share is None else Decimal(f"{share:.4f}")


def reason(row: HealthRow, limits: Thresholds) -> str:
    """Return the reason for a line's verdict."""
    match row.verdict:
        case Verdict.SPAM_FLAGGED:
            return f"Flagged as spam in its pool; {labels.amount(row.spam_reports, 'report')} in the window."
        case Verdict.LOW:
            share, expected = f"{limits.flag_share:.0%}", row.expected or 0
            return (
                f"{_rate(row.answered, row.attempts)} answered; the rest of its pool had {expected:.0%} on the same "
                f"days. Even its upper bound, {row.bound or 0:.0%}, is below {share} of that."
            )
        case Verdict.FALLING:
            since = f" since {row.since:%-d %b %Y}" if row.since else ""
            return (
                f"{_rate(row.since_answered, row.since_attempts)} answered{since}; the rest of its pool had "
                f"{row.since_expected or 0:.0%} on the same days. It dropped more than chance explains."
            )
        case Verdict.CAPPED if row.today < limits.cap:
            return "Capped in its pool."
        case Verdict.CAPPED | Verdict.NEAR_CAP:
            return f"{labels.amount(row.today, 'call')} today; the cap is {limits.cap:,}."
        case Verdict.THIN:
            return f"Not enough data: {labels.amount(row.attempts, 'attempt')}."
        case Verdict.SMALL_POOL:
            return "Pool too small to tell: the rest of it has too few calls to compare with."
        case _:
            return ""


def _rate(answered: int, attempts: int) -> str:
    return f"{answered / max(attempts, 1):.0%} of {labels.amount(attempts, 'attempt')}"


def falls(session: Session, actor: Actor, days: int, campaign_id: int | None = None) -> list[FallRow]:
    """Return the campaigns with a falling answer rate across the pool, over windows of *days*; or the one only."""
    require(actor, Permission.HEALTH_READ)
    return db.health.summaries.falls(session, actor.scope, days, campaign_id)


def fallen(fall: FallRow) -> str:
    """Return a sentence about the fall of a campaign's pool."""
    return (
        f"The answer rate of the whole pool has dropped since {fall.since:%-d %b %Y}: "
        f"{_rate(fall.answered, fall.attempts)}; {fall.expected:.0%} was usual on such days."
    )


def changed(found: Totals) -> tuple[float, bool] | None:
    """Return by how much the answer rate differs from the window before, and whether beyond chance at 95%."""
    if not found.attempts or not found.attempts_before:
        return None
    before = (found.answered_before, found.attempts_before)
    low, high = difference(found.answered, found.attempts, *before, scatter=found.scatter)
    return found.answered / found.attempts - found.answered_before / found.attempts_before, low > 0 or high < 0


def _with_caps(session: Session, actor: Actor, query: HealthQuery) -> HealthQuery:
    limits = thresholds.of(session, actor)
    return replace(query, cap_warning=limits.cap_warning, cap=limits.cap)
