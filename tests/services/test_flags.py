"""Flags, medians and weights of a pool: right about small samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import flags
from services.statistics import Thresholds, is_below, is_thin, median, rate, weights

Counts = st.lists(st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), max_size=12)


def test_a_number_is_flagged_only_when_chance_is_ruled_out() -> None:
    assert not is_below(rate(2, 20), 0.15)
    assert is_below(rate(20, 200), 0.15)
    assert not is_below(rate(0, 0), 0.15)


def test_few_calls_say_nothing() -> None:
    assert is_thin(rate(0, 0), 0.30)
    assert is_thin(rate(5, 20), 0.30)
    assert not is_thin(rate(50, 200), 0.30)


def test_the_median_of_nothing_is_none() -> None:
    assert median([]) is None
    assert median([0.1, 0.2, 0.9]) == 0.2


@given(Counts)
def test_weights_sum_to_one_and_starve_nobody(counts: list[tuple[int, int]]) -> None:
    found = weights(counts, Thresholds())
    assert len(found) == len(counts)
    if counts:
        assert sum(found) == pytest.approx(1)
        assert min(found) > 0.1 / len(counts)


def test_a_fresh_number_weighs_as_much_as_an_average_one() -> None:
    fresh, average, bad = weights([(0, 0), (300, 1000), (10, 1000)], Thresholds(lowest_weight=0))
    assert bad < fresh < average


@pytest.mark.parametrize("pool", flags.POOLS)
def test_good_numbers_are_hardly_ever_flagged(pool: float) -> None:
    chance = np.random.default_rng(7)
    assert flags.within(flags.wilson(flags.outcomes(chance, 0.8 * pool, 4000), pool)) < 0.01


def test_bad_numbers_are_flagged_soon() -> None:
    times = flags.wilson(flags.outcomes(np.random.default_rng(7), 0.10, 8000), 0.30)
    assert flags.within(times, 400) >= 0.90
    assert flags.within(times, 500) >= 0.95
