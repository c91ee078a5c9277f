"""Statistics of answer rates, right about small samples."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054
"""The standard normal quantile of 0.975."""


@dataclass(frozen=True)
class Rate:
    """A share of *n* with its 95 % interval; all in 0..1, and None where n is 0."""

    n: int
    value: float | None
    low: float | None
    high: float | None


def rate(successes: int, n: int) -> Rate:
    """Return successes / n with the Wilson score interval at 95 %.

    With p = successes / n and z = 1.96: (p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n).
    Source: E. B. Wilson, JASA 22 (1927); Agresti & Coull, Am. Stat. 52 (1998).
    """
    if n == 0:
        return Rate(0, None, None, None)
    p, z2 = successes / n, Z95**2
    centre = p + z2 / (2 * n)
    reach = Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    scale = 1 + z2 / n
    return Rate(n, p, max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale))


@dataclass(frozen=True)
class Thresholds:
    """What a tenant calls too low, too little and too old. Shares are in 0..1; see `Settings` of the tenant."""

    of_median: float = 0.5
    widest_interval: float = 0.30
    weight_prior: float = 20.0
    lowest_weight: float = 0.2


def median(values: Sequence[float]) -> float | None:
    """Return the middle of *values*, or None of none."""
    return statistics.median(values) if values else None


def is_below(found: Rate, threshold: float) -> bool:
    """Return whether chance is ruled out as the reason that a rate lies under *threshold*.

    That is when the upper Wilson bound does: at 95 %, one look at a number that is just at the
    threshold is wrong at most once in 40 times, and one that is clearly better hardly ever.
    """
    return found.high is not None and found.high < threshold


def is_thin(found: Rate, widest: float) -> bool:
    """Return whether there are too few calls to say anything: the interval is wider than *widest*."""
    return found.low is None or found.high is None or found.high - found.low > widest


def weights(counts: Sequence[tuple[int, int]], thresholds: Thresholds) -> list[float]:
    """Return a weight for each (answered, attempts) of one pool; they sum to 1.

    Each rate is drawn towards the pool's, m, by k calls that it never made: (answered + k·m) /
    (attempts + k). So a fresh number is taken for an average one. A floor, `lowest_weight` of the
    mean, keeps every number in the rotation. (An empirical Bayes estimate: Efron & Morris, JASA 70, 1975.)
    """
    if not counts:
        return []
    answered, attempts = (sum(column) for column in zip(*counts, strict=True))
    m, k = (answered / attempts if attempts else 0.0), thresholds.weight_prior
    shrunken = [(a + k * m) / (n + k) for a, n in counts]
    mean = sum(shrunken) / len(shrunken)
    if mean == 0:
        return [1 / len(counts)] * len(counts)
    floored = [max(value, thresholds.lowest_weight * mean) for value in shrunken]
    return [value / sum(floored) for value in floored]
