"""Falls of a whole pool: that its list, or the day, answers less, and not one or the other of its numbers."""

from dataclasses import dataclass

import numpy as np

from services.health.judgement import Days, Floats

SPANS = (2, 3, 4, 5, 7)
"""Over how many of the newest days a fall is looked for."""

LEAST_DAYS = 7
"""Days with calls that are needed before them, to know what is usual."""

FALLEN, SURE = 0.8, -3.5
"""A pool has fallen to this share of what is usual or less, by so many standard deviations."""

MOST = 0.85
"""So has the number in the middle, weighed by calls: else it is some of the numbers, and not the pool."""

REST_SURE = -2.0
"""Standard deviations by which the pool has fallen without the numbers that lost most."""

PRIOR = 20.0
_WEEK = 7
_MEDIAN = 0.4549364
"""The median of a squared standard normal."""


@dataclass(frozen=True)
class Fall:
    """The newest days of a pool, from the day *first* to the last one; `expected` is the rate that was usual."""

    first: int
    attempts: int
    answered: int
    expected: float


def find(days: Days, last: int) -> dict[int, Fall]:
    """Return how pools have fallen by the day *last*, by pool; those that have not are left out.

    What is usual on a day of the week is drawn towards what is usual on all, and how the days before scatter around
    it is taken for chance. A pool of one number cannot be told from the number.
    """
    pools = int(days.pool_of.max()) + 1 if len(days.pool_of) else 0
    place = days.pool_of[days.line] * (last + 1) + days.day
    n, k = (
        np.asarray(np.bincount(place, weights=values, minlength=pools * (last + 1)), float).reshape(pools, last + 1)
        for values in (days.attempts, days.answered)
    )
    best, found = np.full(pools, SURE), dict[int, Fall]()
    for first in (last + 1 - span for span in SPANS if span <= last):
        enough = ((n[:, :first] > 0).sum(axis=1) >= LEAST_DAYS) & n[:, first:].all(axis=1)
        at = np.flatnonzero(enough & (np.bincount(days.pool_of, minlength=pools) > 1))
        usual = _usual(n[at], k[at], first)
        calls, got = n[at, first:], k[at, first:].sum(axis=1)
        expected = (calls * usual[:, first:]).sum(axis=1)
        by_chance = (calls * usual[:, first:] * (1 - usual[:, first:])).sum(axis=1)
        z = (got - expected) / np.sqrt(by_chance * _scatter(n[at], k[at], usual, first))
        for i in np.flatnonzero((got <= FALLEN * expected) & (z < best[at])):
            pool, rate = int(at[i]), float(expected[i] / calls[i].sum())
            if _of_all(_only(days, pool), first, rate):
                best[pool] = z[i]
                found[pool] = Fall(first, int(calls[i].sum()), int(got[i]), rate)
    return found


def _only(days: Days, pool: int) -> Days:
    """Return the days of one pool; pools are in order."""
    first, end = np.searchsorted(days.pool_of, [pool, pool + 1])
    at = slice(*np.searchsorted(days.line, [first, end]))
    pool_of = np.zeros(end - first, np.int64)
    return Days(days.line[at] - first, days.day[at], days.attempts[at], days.answered[at], pool_of)


def _usual(n: Floats, k: Floats, first: int) -> Floats:
    """Return the rate that is usual on each day of each pool, from the days before *first*."""
    n_all, k_all = n[:, :first].sum(axis=1, keepdims=True), k[:, :first].sum(axis=1, keepdims=True)
    prior = 2 * n_all / np.maximum((n[:, :first] > 0).sum(axis=1, keepdims=True), 1)
    n_week, k_week = (
        np.stack([values[:, day:first:_WEEK].sum(axis=1) for day in range(_WEEK)], axis=1) for values in (n, k)
    )
    of_week = (k_week + prior * k_all / n_all) / (n_week + prior)
    return np.asarray(np.clip(of_week, 1e-4, 1 - 1e-4)[:, np.arange(n.shape[1]) % _WEEK])


def _scatter(n: Floats, k: Floats, usual: Floats, first: int) -> Floats:
    """Return how many times as much as by chance the days before *first* vary, whatever a few of them do."""
    n, k, usual = n[:, :first], k[:, :first], usual[:, :first]
    squared = (k - n * usual) ** 2 / (np.maximum(n, 1) * usual * (1 - usual))
    return np.maximum(1.0, np.nanmedian(np.where(n > 0, squared, np.nan), axis=1) / _MEDIAN)


def _of_all(days: Days, first: int, rate: float) -> bool:
    """Return whether the fall since the day *first* is one of the pool: of the number in the middle, weighed by calls.

    Half of the calls are of numbers that kept no more of theirs; of two alike it is the better one.
    """
    lines, new = len(days.pool_of), days.day >= first
    sums = [
        np.asarray(np.bincount(days.line[part], weights=values[part], minlength=lines), float)
        for part in (~new, new)
        for values in (days.attempts, days.answered)
    ]
    n_before, k_before, n_now, k_now = sums
    base = k_before.sum() / max(n_before.sum(), 1)
    own = (k_before + PRIOR * base) / (n_before + PRIOR) * (rate / max(base, 1e-9))
    expected = n_now * own
    share = np.where(expected > 0, k_now / np.maximum(expected, 1e-9), 0.0)
    order = np.argsort(share, kind="stable")
    order = order[expected[order] > 0]
    upto = np.cumsum(expected[order])
    middle = min(int(np.searchsorted(upto, upto[-1] * 0.5 * (1 + 1e-9), side="right")), len(order) - 1)
    return float(share[order][middle]) <= MOST and _rest_fell(expected, k_now, rate)


def _rest_fell(expected: Floats, answered: Floats, rate: float) -> bool:
    """Return whether a pool has fallen beyond chance without the numbers that lost most: a quarter, at least one."""
    rest = np.argsort(expected - answered, kind="stable")[: -max(1, len(expected) // 4)]
    wanted, got = float(expected[rest].sum()), float(answered[rest].sum())
    return got <= MOST * wanted and got - wanted < REST_SURE * float(np.sqrt(max(wanted * (1 - rate), 1e-9)))
