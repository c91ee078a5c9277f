"""Numbers judged against their pool: simulated pools, falls of one number and of all, and rates that scatter."""

import numpy as np
import pytest

from benchmarks import pools
from services.health.judgement import discoveries
from services.health.statistics import difference

RATE = 0.5


@pytest.fixture
def chance() -> np.random.Generator:
    """The same chance in every run."""
    return np.random.default_rng(1927)


@pytest.mark.parametrize("size", [2, 5, 12, 50])
@pytest.mark.parametrize("days", [2, 3, 5])
def test_a_bad_day_of_the_whole_pool_flags_no_number_and_is_one_finding(
    chance: np.random.Generator, size: int, days: int
) -> None:
    attempts, answered = pools.draw(chance, 600 // size, size, pools.fall_of_all(RATE, 1 / 3, days))
    assert pools.flagged(attempts, answered).mean() < 0.01
    assert pools.flagged_before(attempts, answered).mean() > 0.2  # by the rule that knew no days
    assert pools.fallen(attempts, answered).mean() > 0.95


@pytest.mark.parametrize("size", [2, 5, 12, 50])
@pytest.mark.parametrize("scatter", [0.0, 0.01, 0.02, 0.05])
def test_good_numbers_are_hardly_ever_flagged_however_their_days_scatter(
    chance: np.random.Generator, size: int, scatter: float
) -> None:
    for rates in (pools.steady(RATE), pools.weekly(RATE)):
        attempts, answered = pools.draw(chance, 1200 // size, size, rates, scatter)
        assert pools.flagged(attempts, answered).mean() < 0.01
        assert pools.fallen(attempts, answered).mean() < 0.02


@pytest.mark.parametrize("size", [2, 5, 12, 50])
@pytest.mark.parametrize("scatter", [0.0, 0.02])
def test_the_fall_of_one_number_is_found_as_soon_as_before(
    chance: np.random.Generator, size: int, scatter: float
) -> None:
    now, before = pools.delays(chance, 120, size, 0.3, scatter)
    assert now <= 1.2 * before


@pytest.mark.parametrize("size", [5, 12, 50])
def test_the_fall_of_one_number_is_not_its_pools(chance: np.random.Generator, size: int) -> None:
    attempts, answered = pools.draw(chance, 60, size, pools.steady(0.3))
    answered[:, 0, -5:] = 0
    assert pools.fallen(attempts, answered).mean() < 0.05


def test_a_number_alone_in_its_pool_is_neither_flagged_nor_called_a_fall_of_its_pool(
    chance: np.random.Generator,
) -> None:
    attempts, answered = pools.draw(chance, 40, 1, pools.fall_of_all(RATE, 0.0, 5))
    assert not pools.flagged(attempts, answered).any()
    assert not pools.fallen(attempts, answered).any()


def test_the_false_discovery_rate_is_benjamini_hochbergs() -> None:
    # Of five tests at 0.05 the limits are 0.01, 0.02, 0.03, 0.04 and 0.05; the third lies above its own.
    assert list(discoveries(np.array([0.9, 0.001, 0.04, 0.02, 0.5]), 0.05)) == [False, True, False, True, False]
    # The first lies above its limit, and is believed since the second is not.
    assert list(discoveries(np.array([0.011, 0.019, 0.9, 0.8, 0.7]), 0.05)) == [True, True, False, False, False]
    assert not discoveries(np.array([0.011, 0.021, 0.9, 0.8, 0.7]), 0.05).any()
    assert not discoveries(np.array([]), 0.05).any()


def test_a_difference_has_newcombes_interval() -> None:
    # Newcombe, Stat. Med. 17 (1998), table II, example a, method 10.
    low, high = difference(56, 70, 48, 80)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    wider = difference(56, 70, 48, 80, scatter=4)
    assert wider[0] < 0 < wider[1]
