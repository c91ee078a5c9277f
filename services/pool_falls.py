"""Falls of a whole pool: that its list, or the day, answers less, and not one or the other of its numbers."""

from dataclasses import dataclass

import numpy as np

from services.judging import Days, Floats

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


def find(days: Days, last: int) -> Fall | None:
    """Return how a pool, the only one in *days*, has fallen by its day *last*, or None.

    What is usual on a day of the week is drawn towards what is usual on all, and how the days before scatter around
    it is taken for chance. A pool of one number cannot be told from the number.
    """
    if len(days.pool_of) < 2 or not len(days.day):
        return None
    n, k = (
        np.asarray(np.bincount(days.day, weights=values, minlength=last + 1), float)
        for values in (days.attempts, days.answered)
    )
    best: tuple[float, Fall] | None = None
    for span in SPANS:
        first = last + 1 - span
        if first <= 0 or (n[:first] > 0).sum() < LEAST_DAYS or not n[first:].all():
            continue
        usual = _usual(n, k, first)
        expected = float((n[first:] * usual[first:]).sum())
        if expected <= 0 or k[first:].sum() > FALLEN * expected:
            continue
        spread = np.sqrt((n[first:] * usual[first:] * (1 - usual[first:])).sum() * _scatter(n, k, usual, first))
        z = float((k[first:].sum() - expected) / max(spread, 1e-9))
        rate = expected / float(n[first:].sum())
        if z < (best[0] if best else SURE) and _of_all(days, first, rate):
            best = z, Fall(first, int(n[first:].sum()), int(k[first:].sum()), rate)
    return best[1] if best else None


def _usual(n: Floats, k: Floats, first: int) -> Floats:
    """Return the rate that is usual on each day, from the days before *first*."""
    base = k[:first].sum() / n[:first].sum()
    weekday = np.arange(len(n)) % _WEEK
    prior = 2 * n[:first].sum() / (n[:first] > 0).sum()
    of_week_n = np.bincount(weekday[:first], weights=n[:first], minlength=_WEEK)
    of_week_k = np.bincount(weekday[:first], weights=k[:first], minlength=_WEEK)
    return np.clip((of_week_k + prior * base) / (of_week_n + prior), 1e-4, 1 - 1e-4)[weekday]


def _scatter(n: Floats, k: Floats, usual: Floats, first: int) -> float:
    """Return how many times as much as by chance the days before *first* vary, whatever a few of them do."""
    at = np.flatnonzero(n[:first] > 0)
    squared = (k[at] - n[at] * usual[at]) ** 2 / (n[at] * usual[at] * (1 - usual[at]))
    return max(1.0, float(np.median(squared)) / _MEDIAN)


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
