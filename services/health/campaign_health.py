"""Campaign health of one number: how its calls went, by campaign and by day, against its pools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session

import db.health.facts
from db.health.facts import CampaignTotals, DayTotals
from db.health.number_health import HealthQuery, HealthRow
from db.health.summaries import Window
from services.core.access import Actor, Permission, require
from services.health import number_health, summaries
from services.health.thresholds import IDLE_DAYS
from services.text.days import today_of

WINDOWS = (7, 30, 90)
"""Windows that can be looked at, in days."""

RUN = 7
"""Days that are taken together for one point of the answer rate over time; in a window of so many, each by itself."""


@dataclass(frozen=True)
class NumberHealth:
    """A number's calls over a window of whole days, by campaign id.

    `days` begin RUN - 1 days before the window. `lines` say how it stands in each pool, where it had calls;
    `weights` are ours, where it is in the pool.
    """

    window: Window
    today: date
    totals: Sequence[CampaignTotals]
    days: Mapping[int, Sequence[DayTotals]]
    lines: Mapping[int, HealthRow]
    weights: Mapping[int, float]


def of_number(session: Session, actor: Actor, number_id: int, days: int) -> NumberHealth:
    """Return how a number's calls went over the last *days* whole days."""
    require(actor, Permission.HEALTH_READ)
    summaries.freshen(session, actor, days, IDLE_DAYS)
    today = today_of(session, actor)
    window = number_health.window(days, today)
    totals = db.health.facts.totals(session, actor.scope, number_id, window.since, window.until)
    earliest = window.since - timedelta(days=RUN - 1)
    by_campaign: dict[int, list[DayTotals]] = {}
    for day in db.health.facts.days(session, actor.scope, number_id, earliest, window.until):
        by_campaign.setdefault(day.campaign_id, []).append(day)
    weighed = number_health.weights(session, actor, [row.campaign_id for row in totals], [number_id])
    return NumberHealth(
        window,
        today,
        totals,
        by_campaign,
        number_health.of_number(session, actor, number_id, HealthQuery(days, today)),
        {campaign: weight for (campaign, _), weight in weighed.items()},
    )
