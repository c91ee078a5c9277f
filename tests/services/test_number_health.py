"""Number health recounted by plain Python over the same rows."""

import random
from datetime import date, timedelta

import numpy as np
import pytest
from sqlmodel import Session

from db.models import Campaign, CampaignHealth, CampaignNumber, PoolStatus
from db.number_health import Verdict
from db.scope import Slice
from services import number_health
from services.number_health import Wanted
from services.statistics import change, medians, rate
from services.thresholds import Thresholds
from tests.conftest import World
from tests.services import make

TODAY = date(2026, 5, 4)
WANTED = Wanted(30, TODAY)


@pytest.fixture
def facts(session: Session, world: World) -> list[CampaignHealth]:
    """Two campaigns over eight numbers and 70 days, one of the numbers bad, one flagged as spam, one fresh."""
    chance = random.Random(3)
    numbers = make.several(session, world, 8)
    campaigns = [Campaign(tenant_id=world.tenant, name=name) for name in ("Spring", "Autumn")]
    session.add_all(campaigns)
    session.flush()
    rows = []
    for campaign in campaigns:
        for place, number in enumerate(numbers):
            status = PoolStatus.SPAM_FLAGGED if place == 1 else PoolStatus.ACTIVE
            session.add(
                CampaignNumber(
                    campaign_id=campaign.id or 0, number_id=number, tenant_id=world.tenant, pool_status=status
                )
            )
            for ago in range(1, 71):
                if place == 7 and ago > 1:
                    continue
                attempts = chance.randint(0, 30) if place != 7 else 5
                chances = {0: 0.05, 2: 0.3 if ago > 8 else 0.08}
                answered = sum(chance.random() < chances.get(place, 0.3) for _ in range(attempts))
                rows.append(
                    CampaignHealth(
                        campaign_id=campaign.id or 0,
                        number_id=number,
                        tenant_id=world.tenant,
                        day=TODAY - timedelta(days=ago),
                        attempts=attempts,
                        answered=answered,
                        completed=answered,
                    )
                )
    session.add_all(rows)
    session.commit()
    return rows


def test_every_figure_equals_a_recount(session: Session, world: World, facts: list[CampaignHealth]) -> None:
    window = number_health.window(30, TODAY)
    inside = [fact for fact in facts if window.since <= fact.day <= window.until]
    earlier = [fact for fact in facts if window.before <= fact.day < window.since]
    found = number_health.totals(session, world.viewer, WANTED)
    assert (found.attempts, found.answered) == (sum(f.attempts for f in inside), sum(f.answered for f in inside))
    assert found.attempts_before == sum(f.attempts for f in earlier)
    assert found.numbers == 8

    sums: dict[tuple[int, int], list[int]] = {}
    for fact in inside:
        line = sums.setdefault((fact.campaign_id, fact.number_id), [0, 0])
        line[0] += fact.answered
        line[1] += fact.attempts
    rows = number_health.search(session, world.viewer, WANTED, Slice(1, 100))
    assert len(rows) == len(sums) == number_health.count(session, world.viewer, WANTED) == 16
    for row in rows:
        expected = rate(*sums[row.campaign_id, row.number_id])
        pool = [counts for (campaign, _), counts in sums.items() if campaign == row.campaign_id]
        (median,) = medians(np.zeros(len(pool), int), [a for a, _ in pool], [n for _, n in pool]).values()
        days = sorted(
            (f for f in inside if (f.campaign_id, f.number_id) == (row.campaign_id, row.number_id)), key=lambda f: f.day
        )
        evidence = change([day.answered for day in days], [day.attempts for day in days], median)
        assert (row.answered, row.attempts) == tuple(sums[row.campaign_id, row.number_id])
        assert (row.low, row.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
        assert row.median == pytest.approx(median)
        if row.pool_status is PoolStatus.SPAM_FLAGGED:
            verdict = Verdict.SPAM_FLAGGED
        elif (expected.high or 0) < Thresholds().flag_share * median:
            verdict = Verdict.LOW
        elif evidence >= Thresholds().alarm:
            verdict = Verdict.FALLING
        elif (expected.high or 0) - (expected.low or 0) > Thresholds().widest_interval:
            verdict = Verdict.THIN
        else:
            verdict = Verdict.HEALTHY
        assert row.verdict is verdict


def test_the_worst_come_first_each_with_a_reason(session: Session, world: World, facts: list[CampaignHealth]) -> None:
    rows = number_health.search(session, world.viewer, WANTED, Slice(1, 100))
    order = [list(Verdict).index(row.verdict) for row in rows]
    assert order == sorted(order)
    assert {row.verdict for row in rows} == set(Verdict) - {Verdict.CAPPED}
    assert all(number_health.reason(row, Thresholds()) for row in rows if row.verdict is not Verdict.HEALTHY)
    counted = number_health.verdicts(session, world.viewer, WANTED)
    assert sum(counted.values()) == 16
    only = Wanted(30, TODAY, verdicts=(Verdict.LOW,))
    assert number_health.count(session, world.viewer, only) == counted[Verdict.LOW] == 2


def test_nothing_crosses_tenants(session: Session, world: World, facts: list[CampaignHealth]) -> None:
    assert number_health.totals(session, world.stranger, WANTED).attempts == 0
    assert number_health.search(session, world.stranger, WANTED, Slice()) == []
    assert number_health.count(session, world.everywhere, WANTED) == 16


def test_trends_are_the_rates_of_the_days_with_calls(
    session: Session, world: World, facts: list[CampaignHealth]
) -> None:
    rows = number_health.search(session, world.viewer, WANTED, Slice(1, 3))
    for row, trend in zip(rows, number_health.trends(session, world.viewer, WANTED, rows), strict=True):
        window = number_health.window(30, TODAY)
        days = [
            fact.answered / fact.attempts
            for fact in sorted(facts, key=lambda fact: fact.day)
            if (fact.number_id, fact.campaign_id) == (row.number_id, row.campaign_id)
            and fact.day >= window.since
            and fact.attempts
        ]
        assert trend == pytest.approx(days)


def test_only_managed_numbers_are_at_risk_of_reclaim(
    session: Session, world: World, facts: list[CampaignHealth]
) -> None:
    assert number_health.idle(session, world.viewer, TODAY) == []
