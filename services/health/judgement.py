"""Judging numbers: each against the others of its pool on the same days, so that a bad day is not a bad number.

What is expected of a number is what the others had on the days on which it called. Rates scatter more than chance
alone, from number to number and from hour to hour; how much, the others of the pool tell. All rates are shares in 0..1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.health.statistics import BAD_SHARE, GOOD_SHARE, normal_cdf, wilson

LEAST_PULL = 5.0
"""No fewer attempts at the others' rate over the window are added to what they had on a day; see `_pull`."""

DOUBT = 3.0
"""Standard errors by which the days of a pool are taken to move together more than they seem to."""

WIDEST_SCATTER = 0.2
"""The largest correlation of the calls of a number on a day that is believed."""

CALM, _KEPT = 2.0, 0.7421917
"""Squared residuals count up to CALM times what is expected, so that a fall does not pass for scatter; and the mean of
a squared standard normal that is counted so."""

ROUNDS = 4
"""How often the scatter is estimated anew with what is expected by the last estimate."""

ROOM = 2.8
"""The change test stays right while days vary up to so many times as much as by chance: it tells a number at
GOOD_SHARE of the others from one at BAD_SHARE, and a good one is at their rate."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Days:
    """Days of calls, one row for each number in each pool and day, in this order.

    `line` counts numbers in pools from 0, `pool` the pools, `day` the days; `pool_of` is the pool of each line.
    """

    line: Ints
    day: Ints
    attempts: Floats
    answered: Floats
    pool_of: Ints


@dataclass(frozen=True)
class Judged:
    """What is to be said of each line.

    `expected` is what the others had on the same days, NaN without others. `bound` is the upper end of the line's rate
    with chance, scatter and the others' own chance taken in; `evidence` (nats) that of the change test, which has run
    since the day `since` over `since_attempts` and `since_answered`, of which `since_expected` were to be expected.
    `too_small` says that the others have too few calls to tell. `p` is the chance that a number that is no worse than
    GOOD_SHARE of the others looks so bad.
    """

    expected: Floats
    bound: Floats
    evidence: Floats
    since: Ints
    since_attempts: Floats
    since_answered: Floats
    since_expected: Floats
    too_small: Flags
    p: Floats


def judge(days: Days, *, widest: float) -> Judged:
    """Return how each line stands against the others of its pool; *widest* is how wide the others' interval may be."""
    line, n, k = days.line, days.attempts, days.answered
    lines, pool = len(days.pool_of), days.pool_of[days.line]
    n_line, k_line = _sums(line, n, lines), _sums(line, k, lines)
    others_n = _sums(days.pool_of, n_line, int(days.pool_of.max()) + 1)[days.pool_of] - n_line
    others_k = _sums(days.pool_of, k_line, int(days.pool_of.max()) + 1)[days.pool_of] - k_line
    usual = np.clip(others_k / np.maximum(others_n, 1), 1e-4, 1 - 1e-4)

    # What the others had on each day, drawn towards what they had over the window.
    together = pool * (days.day.max() + 1) + days.day
    at = np.unique(together, return_inverse=True)[1]
    others_day_n = _sums(at, n, int(at.max()) + 1)[at] - n
    others_day_k = _sums(at, k, int(at.max()) + 1)[at] - k
    pull = _pull(days, at)[pool]
    q = (others_day_k + pull * usual[line]) / (others_day_n + pull)
    unsure = 1 + n / (others_day_n + pull)

    scatter = _scatter(days, q, unsure)[line]
    more = (1 + np.maximum(n - 1, 0) * scatter) * unsure
    expected_k = _sums(line, n * q, lines)
    some = np.maximum(n_line, 1)
    expected = expected_k / some
    inflated = _sums(line, n * (1 + np.maximum(n - 1, 0) * scatter), lines) / some
    inflated *= 1 + n_line / np.maximum(others_n, 1)
    bound = wilson(k_line / inflated, n_line / inflated)[1]
    good = GOOD_SHARE * expected
    spread = np.sqrt(np.maximum(good * (1 - good), 1e-9) * inflated / some)
    p_low = normal_cdf((k_line / some - good) / spread)

    evidence, first = _change(days, q, more)
    last = np.append(np.flatnonzero(np.diff(line)), len(line) - 1)
    recent = [np.cumsum(value) for value in (n, k, n * q)]
    since_n, since_k, since_e = (
        sums[last] - sums[first] + value[first] for sums, value in zip(recent, (n, k, n * q), strict=True)
    )
    low, high = wilson(others_k, others_n)
    alone = (others_n == 0) | (high - low > widest)
    p = np.minimum(1.0, 2 * np.minimum(p_low, np.exp(-evidence)))
    return Judged(
        expected=np.where((others_n > 0) & (n_line > 0), expected, np.nan),
        bound=bound,
        evidence=np.where(alone, 0.0, evidence),
        since=days.day[first],
        since_attempts=since_n,
        since_answered=since_k,
        since_expected=since_e,
        too_small=alone,
        p=np.where(alone, 1.0, p),
    )


def discoveries(p: Floats, rate: float) -> Flags:
    """Return which of several tests to believe so that no more than a share *rate* of those are false.

    Source: Y. Benjamini & Y. Hochberg, J. R. Stat. Soc. B 57 (1995).
    """
    order = np.argsort(p, kind="stable")
    under = np.flatnonzero(p[order] <= rate * np.arange(1, len(p) + 1) / max(len(p), 1))
    found = np.zeros(len(p), bool)
    if len(under):
        found[order[: under[-1] + 1]] = True
    return found


def _sums(group: Ints, values: Floats, groups: int) -> Floats:
    return np.asarray(np.bincount(group, weights=values, minlength=groups), float)


def _pull(days: Days, at: Ints) -> Floats:
    """Return for each pool how many attempts at the rate of the window weigh as much as what is not known of a day.

    The more its numbers rise and fall together, each around its own rate, the fewer: then a day tells of the next
    number too. It is q·(1-q) over the variance of the days' rates, by the products of different numbers on the same
    day. *at* counts the days of the pools, one after the other.
    """
    n, lines, groups = days.attempts, len(days.pool_of), int(at.max()) + 1
    n_line, k_line = _sums(days.line, n, lines), _sums(days.line, days.answered, lines)
    own = (k_line / np.maximum(n_line, 1))[days.line]
    excess = days.answered - n * own
    pool, pools = days.pool_of[days.line], int(days.pool_of.max()) + 1
    pool_of_day = np.zeros(groups, np.int64)
    pool_of_day[at] = pool

    def products(values: Floats) -> Floats:
        """Add up the products of different numbers of each pool on the same days."""
        return _sums(pool_of_day, _sums(at, values, groups) ** 2, pools) - _sums(pool, values**2, pools)

    together = products(excess) + DOUBT * np.sqrt(2 * np.maximum(products(excess**2), 0))
    pull: Floats = np.maximum(products(n * np.sqrt(own * (1 - own))) / np.maximum(together, 1e-9), LEAST_PULL)
    return pull


def _scatter(days: Days, q: Floats, unsure: Floats) -> Floats:
    """Return the correlation of calls of a day among the others of each line's pool.

    It is that of the beta-binomial, by the method of moments: a squared residual of n calls is in the mean
    n·q·(1-q)·(1 + (n-1)·rho). A line's own days are left out, for what is judged should not excuse itself.
    """
    n, lines, pools = days.attempts, len(days.pool_of), int(days.pool_of.max()) + 1
    squared = (days.answered - n * q) ** 2 / np.maximum(n * q * (1 - q) * unsure, 1e-9)
    pairs = _of_others(days, np.where(n > 1, n * (n - 1), 0.0), lines, pools)
    found = np.zeros(lines)
    for _ in range(ROUNDS):
        more = 1 + np.maximum(n - 1, 0) * found[days.line]
        excess = np.where(n > 1, n * (more * np.minimum(squared / more, CALM) / _KEPT - 1), 0.0)
        found = np.clip(_of_others(days, excess, lines, pools) / np.maximum(pairs, 1), 0, WIDEST_SCATTER)
    return found


def _of_others(days: Days, values: Floats, lines: int, pools: int) -> Floats:
    own = _sums(days.line, values, lines)
    return _sums(days.pool_of, own, pools)[days.pool_of] - own


def _change(days: Days, q: Floats, more: Floats) -> tuple[Floats, Ints]:
    """Return the evidence of the change test for each line, and the row at which it began to gather.

    A CUSUM (E. S. Page, Biometrika 41, 1954): the sum of all steps less their lowest running sum. A day's step is the
    log-likelihood ratio, in nats, of BAD_SHARE against GOOD_SHARE of what the others had on that day, divided by how
    much more than chance, and more than there is ROOM for, it varies.
    """
    n, k = days.attempts, days.answered
    p0, p1 = GOOD_SHARE * q, BAD_SHARE * q
    step = (k * np.log(p1 / p0) + (n - k) * np.log((1 - p1) / (1 - p0))) / np.maximum(1, more / ROOM)
    starts = np.append(0, np.flatnonzero(np.diff(days.line)) + 1)
    total = np.cumsum(step)
    running = total - (total[starts] - step[starts])[days.line]
    last = np.append(starts[1:], len(step)) - 1
    lowest = np.minimum(np.minimum.reduceat(running, starts), 0)
    at_lowest = np.where(running <= lowest[days.line], np.arange(len(step)), -1)
    first = np.maximum(np.maximum.reduceat(at_lowest, starts) + 1, starts)
    return running[last] - lowest, np.minimum(first, last)
