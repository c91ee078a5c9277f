"""Number health recounted by plain Python over the same rows."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session

from db.base.scope import Slice
from db.health.number_health import BIN, HealthQuery, HealthRow, Totals
from db.health.summaries import Verdict
from db.models import (
    AuditEvent,
    Campaign,
    CampaignHealth,
    CampaignNumber,
    HealthLine,
    HealthSummary,
    PhoneNumber,
    PoolStatus,
    Tenant,
)
from services.audit import tenant_audit
from services.audit.findings import Kind
from services.campaigns import campaigns
from services.core.access import Actor
from services.core.errors import Forbidden
from services.health import campaign_health, number_health, summaries
from services.health.health_import import HealthImport
from services.health.statistics import medians, rate
from services.health.thresholds import Thresholds
from services.jobs import imports
from services.numbers import numbers
from services.setup import builder
from tests.conftest import World
from tests.services.health.recount import recounted, weights
from tests.world import make
from tests.world.rows import fact_row

TODAY = date(2026, 5, 4)
WANTED = HealthQuery(30, TODAY)


@pytest.fixture(autouse=True)
def _day() -> Iterator[None]:
    with time_machine.travel("2026-05-04T12:00:00Z"):
        yield


def lines(session: Session, actor: Actor, wanted: HealthQuery = WANTED) -> list[HealthRow]:
    """Return every line, of sums that are the newest."""
    assert not summaries.freshen(session, actor, wanted.days).behind
    return number_health.search(session, actor, wanted, Slice(1, 1000))


def counted(session: Session, actor: Actor, wanted: HealthQuery = WANTED) -> dict[Verdict, int]:
    """Return how many lines there are of each verdict, as the spread has them."""
    found: dict[Verdict, int] = {}
    for step in number_health.spread(session, actor, wanted):
        found[step.verdict] = found.get(step.verdict, 0) + step.lines
    return found


def report(session: Session, world: World, number: str, day: date, attempts: int, answered: int = 0) -> None:
    """Bring a day of calls in, as a dialer does."""
    imports.save(
        session, world.operator, HealthImport(), [fact_row("Spring", number, day, attempts, answered)], source="test"
    )


@pytest.fixture
def facts(session: Session, world: World) -> list[CampaignHealth]:
    """Two campaigns over eight numbers and 70 days, one of the numbers bad, one flagged as spam, one fresh."""
    chance = random.Random(3)
    numbers = make.several(session, world, 8)
    rows = []
    for name in ("Spring", "Autumn"):
        campaign = builder.campaign(session, world.tenant, name)
        for place, number in enumerate(numbers):
            status = PoolStatus.SPAM_FLAGGED if place == 1 else PoolStatus.ACTIVE
            builder.pooled(session, campaign, number, pool_status=status)
            for ago in range(1, 71):
                if place == 7 and ago > 1:
                    continue
                attempts = chance.randint(0, 30) if place != 7 else 5
                chances = {0: 0.05, 2: 0.3 if ago > 12 else 0.06}
                answered = sum(chance.random() < chances.get(place, 0.3) for _ in range(attempts))
                day = TODAY - timedelta(days=ago)
                rows.append(builder.fact(session, campaign, number, day, attempts, answered, completed=answered))
    session.commit()
    return rows


def test_every_figure_equals_a_recount(session: Session, world: World, facts: list[CampaignHealth]) -> None:
    window = number_health.window(30, TODAY)
    inside = [fact for fact in facts if window.since <= fact.day <= window.until]
    earlier = [fact for fact in facts if window.before <= fact.day < window.since]
    rows = lines(session, world.viewer)
    found = number_health.totals(session, world.viewer, 30)
    assert (found.attempts, found.answered) == (sum(f.attempts for f in inside), sum(f.answered for f in inside))
    assert found.attempts_before == sum(f.attempts for f in earlier)
    assert found.answered_before == sum(f.answered for f in earlier)
    assert (found.numbers, found.numbers_before) == (8, 7)

    sums: dict[tuple[int, int], list[int]] = {}
    for fact in inside:
        line = sums.setdefault((fact.campaign_id, fact.number_id), [0, 0])
        line[0] += fact.answered
        line[1] += fact.attempts
    assert len(rows) == len(sums) == sum(counted(session, world.viewer).values()) == 16
    for row in rows:
        expected = rate(*sums[row.campaign_id, row.number_id])
        pool = [counts for (campaign, _), counts in sums.items() if campaign == row.campaign_id]
        (median,) = medians(np.zeros(len(pool), int), [a for a, _ in pool], [n for _, n in pool]).values()
        expects, bound, evidence = recounted(inside, row.campaign_id, row.number_id)
        assert (row.answered, row.attempts) == tuple(sums[row.campaign_id, row.number_id])
        assert (row.low, row.high) == pytest.approx((expected.low, expected.high))
        assert row.median == pytest.approx(median)
        assert (row.expected, row.bound) == pytest.approx((expects, bound))
        if row.pool_status is PoolStatus.SPAM_FLAGGED:
            verdict = Verdict.SPAM_FLAGGED
        elif bound < Thresholds().flag_share * expects:
            verdict = Verdict.LOW
        elif evidence >= Thresholds().alarm:
            verdict = Verdict.FALLING
        elif (expected.high or 0) - (expected.low or 0) > Thresholds().widest_interval:
            verdict = Verdict.THIN
        else:
            verdict = Verdict.HEALTHY
        assert row.verdict is verdict
        before = [f for f in earlier if (f.campaign_id, f.number_id) == (row.campaign_id, row.number_id)]
        assert row.attempts_before == sum(fact.attempts for fact in before)
        assert row.answered_before == sum(fact.answered for fact in before)


def test_the_worst_come_first_each_with_a_reason(session: Session, world: World, facts: list[CampaignHealth]) -> None:
    rows = lines(session, world.viewer)
    order = [list(Verdict).index(row.verdict) for row in rows]
    assert order == sorted(order)
    assert {row.verdict for row in rows} == set(Verdict) - {Verdict.CAPPED, Verdict.NEAR_CAP, Verdict.SMALL_POOL}
    assert all(number_health.reason(row, Thresholds()) for row in rows if row.verdict is not Verdict.HEALTHY)
    assert counted(session, world.viewer) == {
        verdict: len([row for row in rows if row.verdict is verdict]) for verdict in {row.verdict for row in rows}
    }
    only = HealthQuery(30, TODAY, verdicts=(Verdict.LOW,))
    assert lines(session, world.viewer, only) == [row for row in rows if row.verdict is Verdict.LOW]
    assert counted(session, world.viewer, only) == {Verdict.LOW: 2}


def test_the_spread_counts_each_line_in_the_step_of_its_rate(
    session: Session, world: World, facts: list[CampaignHealth]
) -> None:
    rows = lines(session, world.viewer)
    for step in number_health.spread(session, world.viewer, WANTED):
        inside = [
            row
            for row in rows
            if step.low - 1e-9 <= row.answered / row.attempts < step.low + BIN - 1e-9 and row.verdict is step.verdict
        ]
        assert len(inside) == step.lines


def test_nothing_crosses_tenants(session: Session, world: World, facts: list[CampaignHealth]) -> None:
    assert lines(session, world.stranger) == []
    assert number_health.totals(session, world.stranger, 30).attempts == 0
    assert len(lines(session, world.everywhere)) == 16


def test_calls_that_come_in_are_in_the_next_look(session: Session, world: World, facts: list[CampaignHealth]) -> None:
    first_day = TODAY - timedelta(days=30)
    replaced = next(fact.attempts for fact in facts[70 * 3 :] if fact.day == first_day)  # of the fourth number
    before = {row.e164: row.attempts for row in lines(session, world.viewer) if row.campaign == "Spring"}
    report(session, world, "+14155552000", first_day - timedelta(days=1), 500)
    report(session, world, "+14155552003", first_day, 0)
    after = {row.e164: row.attempts for row in lines(session, world.viewer) if row.campaign == "Spring"}
    assert after == before | {"+14155552003": before["+14155552003"] - replaced}


def test_a_day_that_has_begun_is_in_no_window_but_counts_against_the_cap(
    session: Session, world: World, facts: list[CampaignHealth]
) -> None:
    before = lines(session, world.viewer)
    report(session, world, "+14155552003", TODAY, 75)
    report(session, world, "+14155552004", TODAY, 100)
    rows = lines(session, world.viewer)
    assert sum(row.attempts for row in rows) == sum(row.attempts for row in before)
    found = {row.e164: row for row in rows if row.campaign == "Autumn"}
    assert found["+14155552003"].verdict is Verdict.NEAR_CAP
    assert found["+14155552004"].verdict is Verdict.CAPPED
    assert number_health.reason(found["+14155552003"], Thresholds()) == "75 calls today; the cap is 100."


def test_other_thresholds_judge_anew(session: Session, world: World, facts: list[CampaignHealth]) -> None:
    assert Verdict.FALLING in {row.verdict for row in lines(session, world.viewer)}
    tenant = session.get_one(Tenant, world.tenant)
    tenant.settings = {"health": {"alarm": 50.0}}
    session.commit()
    assert Verdict.FALLING not in {row.verdict for row in lines(session, world.viewer)}


def test_flags_of_a_page_together_obey_the_false_discovery_rate(session: Session, world: World) -> None:
    pool = make.several(session, world, 40)
    campaign = builder.campaign(session, world.tenant, "Winter", pool)
    for place, number in enumerate(pool):
        for ago in range(1, 31):
            answered = 3 if place == 0 and ago <= 3 else 12
            builder.fact(session, campaign, number, TODAY - timedelta(days=ago), 40, answered)
    session.commit()
    lines(session, world.viewer)
    assert counted(session, world.viewer) == {Verdict.FALLING: 1, Verdict.HEALTHY: 39}
    session.get_one(Tenant, world.tenant).settings = {"health": {"false_share": 0.001}}
    session.commit()
    lines(session, world.viewer)
    assert counted(session, world.viewer) == {Verdict.HEALTHY: 40}


def test_numbers_that_have_left_are_not_listed(session: Session, world: World, facts: list[CampaignHealth]) -> None:
    first, *_, last = lines(session, world.viewer)
    number = numbers.get(session, world.operator, first.number_id)
    numbers.remove(session, world.operator, first.number_id, version=number.version)
    session.execute(
        sa.update(CampaignNumber)
        .where(CampaignNumber.number_id == last.number_id, CampaignNumber.campaign_id == last.campaign_id)
        .values(pool_status=PoolStatus.REMOVED)
    )
    session.commit()
    left = lines(session, world.viewer)
    assert first.number_id not in {row.number_id for row in left}
    assert (last.number_id, last.campaign_id) not in {(row.number_id, row.campaign_id) for row in left}
    assert len(left) == 13


def test_nobody_waits_for_what_takes_long_and_the_last_sums_are_shown(
    session: Session, world: World, facts: list[CampaignHealth]
) -> None:
    before = lines(session, world.viewer)
    session.execute(sa.update(HealthSummary).values(seconds=61.0))
    session.commit()
    report(session, world, "+14155552007", TODAY - timedelta(days=2), 900)
    assert summaries.freshen(session, world.viewer, 30).behind  # it was made a moment ago: let it rest
    assert summaries.under_way() == []
    assert number_health.search(session, world.viewer, WANTED, Slice(1, 1000)) == before
    with time_machine.travel("2026-05-04T12:11:00Z"):
        assert summaries.freshen(session, world.viewer, 30).behind
        summaries.freshen(session, world.viewer, 30)  # a second reader begins nothing
        for thread in summaries.under_way():
            thread.join()
        assert not summaries.freshen(session, world.viewer, 30).behind
    after = number_health.search(session, world.viewer, WANTED, Slice(1, 1000))
    assert sum(row.attempts for row in after) == sum(row.attempts for row in before) + 900


def test_older_sums_never_take_the_place_of_newer_ones(
    session: Session, world: World, facts: list[CampaignHealth]
) -> None:
    before = lines(session, world.viewer)
    session.execute(sa.update(HealthSummary).values(version=7))
    session.execute(sa.delete(HealthLine).where(HealthLine.number_id == before[0].number_id))
    session.commit()
    summaries.freshen(session, world.viewer, 30)
    assert len(number_health.search(session, world.viewer, WANTED, Slice(1, 1000))) == 14


def test_trends_are_the_rates_of_the_days_with_calls(
    session: Session, world: World, facts: list[CampaignHealth]
) -> None:
    rows = lines(session, world.viewer)[:3]
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
    lines(session, world.viewer)
    assert number_health.idle(session, world.viewer, Slice()) == []
    session.execute(sa.update(PhoneNumber).values(is_managed=True))
    session.commit()
    make.number(session, world, "+14155553000")
    managed = session.scalars(sa.select(PhoneNumber).where(PhoneNumber.e164 == "+14155553000")).one()
    managed.is_managed = True
    session.commit()
    idle = number_health.idle(session, world.viewer, Slice())
    assert (idle[0].e164, idle[0].completed) == ("+14155553000", 0)
    completed = {
        number: sum(f.completed for f in facts if f.number_id == number and f.day >= TODAY - timedelta(days=30))
        for number in {fact.number_id for fact in facts}
    }
    assert len(idle) == number_health.count_idle(session, world.viewer) == 1 + sum(n < 3 for n in completed.values())


def test_our_weights_are_those_of_the_statistics(session: Session, world: World, facts: list[CampaignHealth]) -> None:
    rows = lines(session, world.viewer)
    fresh = make.number(session, world, "+14155553000")
    (spring,) = {row.campaign_id for row in rows if row.campaign == "Spring"}
    builder.pooled(session, session.get_one(Campaign, spring), fresh)
    session.commit()
    pool = {row.number_id: (row.answered, row.attempts) for row in rows if row.campaign_id == spring} | {fresh: (0, 0)}
    expected = weights([k for k, _ in pool.values()], [n for _, n in pool.values()], k=20, floor=0.25)
    found = number_health.weights(session, world.viewer, [spring], list(pool))
    assert [found[spring, number] for number in pool] == pytest.approx(list(expected))
    assert number_health.weights(session, world.stranger, [spring], list(pool)) == {}
    one = number_health.weights(session, world.viewer, [spring], [fresh])
    assert one == {(spring, fresh): pytest.approx(found[spring, fresh])}


def test_a_numbers_own_lines_are_those_of_the_list(session: Session, world: World, facts: list[CampaignHealth]) -> None:
    rows = lines(session, world.viewer)
    for row in rows:
        own = campaign_health.of_number(session, world.viewer, row.number_id, 30)
        assert own.lines[row.campaign_id] == row
        total = next(total for total in own.totals if total.campaign_id == row.campaign_id)
        assert (total.attempts, total.answered) == (row.attempts, row.answered)
        inside = [day for day in own.days[row.campaign_id] if day.day >= own.window.since]
        assert sum(day.attempts for day in inside) == row.attempts
    assert campaign_health.of_number(session, world.stranger, rows[0].number_id, 30).totals == []


def test_the_file_holds_every_line_that_matches_and_the_idle_numbers(
    session: Session, world: World, facts: list[CampaignHealth]
) -> None:
    rows = lines(session, world.viewer)
    found, idle = number_health.export(session, world.viewer, replace(WANTED, verdicts=(Verdict.LOW,)))
    cells = [dict(zip(found.header, row, strict=True)) for row in found.rows]
    low = [row for row in rows if row.verdict is Verdict.LOW]
    assert [(c["Number"], c["Campaign"], c["Attempts"]) for c in cells] == [
        (row.e164, row.campaign, row.attempts) for row in low
    ]
    assert float(cells[0]["Answer rate"]) == pytest.approx(low[0].answered / low[0].attempts, abs=1e-4)
    assert list(idle.rows) == []
    event = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "health:export")).one()
    assert event.after == {"days": 30, "search": "", "statuses": ["Low"]}
    with pytest.raises(Forbidden):
        number_health.export(session, world.nowhere, WANTED)


def test_a_pool_that_a_number_has_left_says_when_and_comes_last(
    session: Session, world: World, facts: list[CampaignHealth]
) -> None:
    number = facts[0].number_id
    autumn = session.scalars(sa.select(Campaign).where(Campaign.name == "Autumn")).one()
    version = campaigns.remove_number(session, world.operator, autumn.id, number, version=autumn.version)
    spring, left = campaign_health.of_number(session, world.viewer, number, 30).totals
    assert (spring.campaign, spring.has_left, spring.left_at) == ("Spring", False, None)
    assert (left.campaign, left.has_left, left.left_at and left.left_at.date()) == ("Autumn", True, TODAY)
    assert left.attempts > 0
    campaigns.add_numbers(session, world.operator, autumn.id, [number], version=version)
    assert all(
        not row.has_left and row.left_at is None
        for row in campaign_health.of_number(session, world.viewer, number, 30).totals
    )


def test_a_change_within_chance_is_told_from_one_beyond() -> None:
    def totals(answered: int, before: int, scatter: float = 1.0) -> Totals:
        return Totals(1000, answered, 5, 1000, before, 5, 0, 0, scatter)

    for counted, share, is_beyond in (
        (totals(310, 300), 0.01, False),
        (totals(360, 300), 0.06, True),
        (totals(360, 300, scatter=4), 0.06, False),
    ):
        found = number_health.changed(counted)
        assert found is not None
        assert found[0] == pytest.approx(share)
        assert found[1] == is_beyond
    assert number_health.changed(Totals(10, 1, 1, 0, 0, 0, 0, 0, 1.0)) is None


def test_a_fall_of_the_whole_pool_is_one_finding_and_no_number_is_flagged(session: Session, world: World) -> None:
    chance = np.random.default_rng(1927)
    pool = make.several(session, world, 5)
    campaign = builder.campaign(session, world.tenant, "Summer", pool)
    for number in pool:
        for ago in range(1, 61):
            answered = int(chance.binomial(40, 0.5 / 3 if ago <= 3 else 0.5))
            builder.fact(session, campaign, number, TODAY - timedelta(days=ago), 40, answered)
    session.commit()
    assert {row.verdict for row in lines(session, world.viewer)} == {Verdict.HEALTHY}
    (fall,) = number_health.falls(session, world.viewer, 30)
    assert (fall.campaign, fall.since, fall.until) == ("Summer", TODAY - timedelta(days=3), TODAY - timedelta(days=1))
    assert number_health.falls(session, world.stranger, 30) == []
    about = tenant_audit.tenant(session, world.admin)
    (found,) = (one for one in tenant_audit.owned(session, world.admin, about).findings if one.kind is Kind.FALLEN_POOL)
    assert found.n == 1
