"""Statistics of answer rates, right about small samples.

All rates, bounds and thresholds are shares in 0..1. Functions of arrays take and return numpy arrays.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z95 = 1.959963984540054
"""The standard normal quantile of 0.975."""

GOOD_SHARE, BAD_SHARE = 0.8, 1 / 3
"""What the change test tells apart: a number at this share of its pool's median from one at that."""

FEW = 3
"""A pool with fewer numbers that have enough data has no median of its own."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rate:
    """A share of *n* with its 95% interval; all in 0..1, and None where n is 0."""

    n: int
    value: float | None
    low: float | None
    high: float | None


def rate(successes: int, n: int) -> Rate:
    """Return successes / n with the Wilson score interval at 95%; see `wilson`."""
    if n == 0:
        return Rate(0, None, None, None)
    low, high = wilson(successes, n)
    return Rate(n, successes / n, float(low), float(high))


def wilson(successes: ArrayLike, n: ArrayLike, z: float = Z95) -> tuple[Floats, Floats]:
    """Return the bounds of the Wilson score interval; 0 and 1, which say nothing, where n is 0.

    With p = successes / n: (p + z²/2n ± z·sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n).
    Source: E. B. Wilson, JASA 22 (1927); Agresti & Coull, Am. Stat. 52 (1998).
    """
    k, n = np.asarray(successes, float), np.asarray(n, float)
    some = np.where(n > 0, n, 1)
    p, z2 = k / some, z * z
    centre = p + z2 / (2 * some)
    reach = z * np.sqrt(p * (1 - p) / some + z2 / (4 * some * some))
    scale = 1 + z2 / some
    low, high = np.maximum(0.0, (centre - reach) / scale), np.minimum(1.0, (centre + reach) / scale)
    return np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0)


def medians(pools: NDArray[Any], answered: ArrayLike, attempts: ArrayLike, *, widest: float = 0.30) -> dict[Any, float]:
    """Return the typical rate of each pool; a pool without an attempt has none.

    It is the median rate of the pool's numbers whose 95% interval is no wider than *widest*. With fewer
    than FEW of them it is the rate of all the pool's calls together.
    """
    k, n = np.asarray(answered, float), np.asarray(attempts, float)
    low, high = wilson(k, n)
    enough = (n > 0) & (high - low <= widest)
    order = np.argsort(pools, kind="stable")
    found: dict[Any, float] = {}
    if not len(order):
        return found
    edges = np.flatnonzero(np.diff(pools[order])) + 1
    for part in np.split(order, edges):
        total = n[part].sum()
        if not total:
            continue
        sure = part[enough[part]]
        pool = pools[part[0]]
        found[pool.item() if hasattr(pool, "item") else pool] = float(
            np.median(k[sure] / n[sure]) if len(sure) >= FEW else k[part].sum() / total
        )
    return found


def normal_cdf(z: ArrayLike) -> Floats:
    """Return the standard normal distribution function, to 1e-7 absolutely and well in the lower tail."""
    return np.asarray([0.5 * math.erfc(-value / math.sqrt(2)) for value in np.atleast_1d(np.asarray(z, float))])


def difference(k: int, n: int, k_before: int, n_before: int, *, scatter: float = 1.0) -> tuple[float, float]:
    """Return the 95% interval of k/n - k_before/n_before, of counts that vary *scatter* times as much as by chance.

    It is Newcombe's, of two Wilson intervals over n / scatter calls. Source: R. G. Newcombe, Stat. Med. 17 (1998),
    method 10.
    """
    p, q = k / n, k_before / n_before
    (l1, u1), (l2, u2) = wilson(k / scatter, n / scatter), wilson(k_before / scatter, n_before / scatter)
    below = math.sqrt((p - float(l1)) ** 2 + (float(u2) - q) ** 2)
    above = math.sqrt((float(u1) - p) ** 2 + (q - float(l2)) ** 2)
    return p - q - below, p - q + above
