"""What the charts of a number draw, counted again manually."""

from datetime import date, timedelta
from typing import Any

import pytest

from components.health.campaign_health import by_day
from db.health.facts import DayTotals
from db.health.summaries import Window
from services.health.statistics import rate

UNTIL = date(2026, 5, 3)


def window(days: int) -> Window:
    return Window(UNTIL - timedelta(days=days - 1), UNTIL, UNTIL - timedelta(days=2 * days - 1))


def calls(ago: int) -> DayTotals:
    return DayTotals(UNTIL - timedelta(days=ago), 1, 10 + ago, 3)


def test_a_point_of_the_rate_is_over_the_seven_days_up_to_it_also_at_the_start_of_the_window() -> None:
    days = [calls(ago) for ago in range(35, -1, -1) if ago != 4]
    frame = by_day(days, window(30))
    assert len(frame) == 30
    row: Any
    for place, row in enumerate(frame.itertuples()):
        at = UNTIL - timedelta(days=29 - place)
        run = [day for day in days if at - timedelta(days=6) <= day.day <= at]
        expected = rate(sum(day.answered for day in run), sum(day.attempts for day in run))
        assert row.day.date() == at
        assert (row.n, row.rate) == (expected.n, pytest.approx(expected.value))
        assert (row.low, row.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
        assert (row.attempts, row.answered) == ((0, 0) if at == UNTIL - timedelta(days=4) else (39 - place, 3))


def test_in_a_window_of_seven_days_each_day_stands_by_itself_and_one_without_calls_has_no_rate() -> None:
    frame = by_day([calls(ago) for ago in (6, 2, 0)], window(7))
    assert list(frame["n"]) == [16, 0, 0, 0, 12, 0, 10]
    assert list(frame["rate"].notna()) == [True, False, False, False, True, False, True]
    assert list(frame["low"].notna()) == list(frame["rate"].notna())
