"""Answer rates and their intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.statistics import rate


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe, Stat. Med. 17 (1998), table I, method 3 (Wilson score).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(successes: int, n: int, low: float, high: float) -> None:
    found = rate(successes, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_nothing_tried_has_no_rate() -> None:
    assert rate(0, 0).value is None


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_rate_and_stays_in_0_to_1(counts: tuple[int, int]) -> None:
    found = rate(*counts)
    assert found.low is not None
    assert found.high is not None
    assert found.value is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1
