"""Answer rates: their intervals, weights, medians and flags, against scipy and statsmodels and by simulation."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from benchmarks import flags
from services.health.statistics import medians, rate, wilson
from services.health.thresholds import Thresholds, read
from tests.services.health.recount import weights

COUNTS = st.integers(0, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
POOL = st.lists(COUNTS, min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe, Stat. Med. 17 (1998), table I, method 3 (Wilson score).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(successes: int, n: int, low: float, high: float) -> None:
    found = rate(successes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("n", [1, 2, 7, 20, 99, 1_000, 50_000])
def test_the_interval_is_that_of_scipy_and_statsmodels_over_a_grid(n: int) -> None:
    for k in sorted({0, 1, n // 7, n // 3, n // 2, n - 1, n}):
        ours = tuple(float(bound) for bound in wilson(k, n))
        scipys = scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
        assert ours == pytest.approx((scipys.low, scipys.high), abs=1e-12)
        assert ours == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)


def test_nothing_tried_has_no_rate() -> None:
    assert rate(0, 0).value is None
    assert [float(bound) for bound in wilson(0, 0)] == [0, 1]


@given(COUNTS.filter(lambda counts: counts[1] > 0))
def test_the_interval_holds_the_rate_and_stays_in_0_to_1(counts: tuple[int, int]) -> None:
    found = rate(*counts)
    assert found.low is not None
    assert found.high is not None
    assert found.value is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


@given(POOL)
def test_weights_average_one_and_starve_nobody(pool: list[tuple[int, int]]) -> None:
    found = weights(*zip(*pool, strict=True))
    assert found.mean() == pytest.approx(1)
    assert (found > 0).all()


@given(POOL, st.floats(0, 1000))
def test_a_weight_is_the_mean_under_a_beta_prior_at_the_pools_rate(pool: list[tuple[int, int]], k: float) -> None:
    answered, attempts = (np.array(column, float) for column in zip(*pool, strict=True))
    if not answered.sum() or not k:
        return
    m = answered.sum() / attempts.sum()
    means = (answered + k * m) / (attempts + k)
    assert weights(answered, attempts, k=k, floor=0) == pytest.approx(means / means.mean())


def test_a_fresh_number_weighs_as_the_pool_and_a_bad_one_no_less_than_the_floor() -> None:
    fresh, bad, usual = weights([0, 0, 300], [0, 1_000, 1_000])
    assert bad == pytest.approx(fresh * 0.25)
    assert fresh < usual


def test_the_median_is_that_of_the_numbers_with_enough_data_else_the_pools_rate() -> None:
    pools = np.array([7, 7, 7, 7, 8, 8, 9])
    answered, attempts = [30, 20, 10, 1, 40, 0, 0], [100, 100, 100, 1, 100, 100, 0]
    assert medians(pools, answered, attempts) == {7: pytest.approx(0.2), 8: pytest.approx(0.2)}
    assert medians(np.array([], int), [], []) == {}


@given(st.lists(st.tuples(st.integers(0, 3), COUNTS), min_size=1, max_size=40))
def test_a_median_lies_between_the_rates_of_its_own_pool_alone(rows: list[tuple[int, tuple[int, int]]]) -> None:
    pools, counts = zip(*rows, strict=True)
    answered, attempts = zip(*counts, strict=True)
    for pool, median in medians(np.array(pools), answered, attempts).items():
        rates = [k / n for p, (k, n) in rows if p == pool and n]
        assert min(rates) - 1e-9 <= median <= max(rates) + 1e-9


@given(COUNTS, st.floats(0, 0.99))
def test_a_number_is_low_only_when_even_its_upper_bound_is(counts: tuple[int, int], threshold: float) -> None:
    k, n = counts
    assert bool(flags.is_low(k, n, threshold)) == (n > 0 and proportion_confint(k, n, method="wilson")[1] < threshold)


def test_the_steps_are_log_likelihood_ratios() -> None:
    hit, miss = flags.change_steps(0.3)
    good, bad = (scipy.stats.binom(20, share * 0.3) for share in (0.8, 1 / 3))
    assert 4 * hit + 16 * miss == pytest.approx(bad.logpmf(4) - good.logpmf(4))


@pytest.mark.parametrize("pool", flags.POOLS)
def test_good_numbers_are_hardly_ever_flagged_and_bad_ones_soon(pool: float) -> None:
    limits, chance = Thresholds(), np.random.default_rng(20_240)

    def flagged(of_pool: float) -> flags.Looks:
        answered = flags.calls(chance, 4_000, np.full(flags.LOOKS, of_pool * pool))
        return flags.wilson_flags(answered, pool, limits) | flags.change_flags(answered, pool, limits.alarm)

    assert flags.share(flagged(0.8)) < 0.01
    if pool == 0.30:
        bad = flagged(1 / 3)
        assert flags.share(bad, 400) >= 0.90
        assert flags.share(bad, 500) >= 0.95


def test_thresholds_come_from_the_tenants_settings_and_senseless_ones_are_ignored() -> None:
    assert read({}) == read({"health": "none"}) == Thresholds()
    assert read({"health": {"cap": 50, "flag_share": 1, "alarm": -3, "idle_calls": True, "colour": 4}}) == Thresholds(
        cap=50, flag_share=1.0
    )
