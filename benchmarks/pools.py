"""Simulated pools: numbers that are good or fall, alone or all together, by the day; for `benchmarks.flags` and tests.

Arrays of calls have a place for each pool, each of its numbers and each day.
"""

import numpy as np
from numpy.typing import NDArray

from services.health import pool_falls
from services.health.judgement import Days, discoveries, judge
from services.health.statistics import BAD_SHARE, FEW, GOOD_SHARE, wilson
from services.health.thresholds import Thresholds

WINDOW, EARLIER, A_DAY = 30, 30, 40
"""Days of a window, as many before it, and attempts of a number on a day."""

LIMITS = Thresholds()
WEEK = (1.0, 1.0, 1.1, 1.0, 0.9, 0.6, 0.5)

Calls = NDArray[np.int64]
Rates = NDArray[np.float64]


def steady(rate: float, days: int = EARLIER + WINDOW) -> Rates:
    """Return a rate that is the same on all days."""
    return np.full(days, rate)


def weekly(rate: float) -> Rates:
    """Return a rate that is lower at weekends."""
    return rate * np.array(WEEK)[np.arange(EARLIER + WINDOW) % 7]


def fall_of_all(rate: float, share: float, days: int) -> Rates:
    """Return a rate that falls to a *share* of itself on the newest *days*."""
    found = steady(rate)
    found[-days:] *= share
    return found


def draw(
    chance: np.random.Generator, pools: int, size: int, rates: Rates, scatter: float = 0.0, a_day: int = A_DAY
) -> tuple[Calls, Calls]:
    """Return attempts and answered calls; the calls of a number on a day are correlated by *scatter*."""
    shape = (pools, size, rates.shape[-1])
    p = np.broadcast_to(rates, shape)
    if scatter:
        many = 1 / scatter - 1
        p = chance.beta(p * many, (1 - p) * many)
    attempts = np.full(shape, a_day)
    return attempts, chance.binomial(attempts, p)


def days_of(attempts: Calls, answered: Calls) -> Days:
    """Return the calls of one pool, or of several, as the console judges them."""
    shape = (1, *attempts.shape)[-3:]
    pools, size, days = shape
    return Days(
        np.repeat(np.arange(pools * size), days),
        np.tile(np.arange(days), pools * size),
        attempts.reshape(-1).astype(float),
        answered.reshape(-1).astype(float),
        np.repeat(np.arange(pools), size),
    )


def flagged(attempts: Calls, answered: Calls) -> NDArray[np.bool_]:
    """Return which numbers the console flags by the newest window, each pool being a page of its own."""
    found = judge(days_of(attempts[..., -WINDOW:], answered[..., -WINDOW:]), widest=LIMITS.widest_interval)
    low = found.bound < LIMITS.flag_share * found.expected
    flags = ((low | (found.evidence >= LIMITS.alarm)) & ~found.too_small).reshape(attempts.shape[:2])
    believed = [discoveries(p, LIMITS.false_share) for p in found.p.reshape(attempts.shape[:2])]
    return np.asarray(flags & np.stack(believed))


def flagged_before(attempts: Calls, answered: Calls) -> NDArray[np.bool_]:
    """Return which numbers were flagged by the rule that knew no days: against the median of the pool's window."""
    n, k = attempts[..., -WINDOW:], answered[..., -WINDOW:]
    tried, got = n.sum(axis=2), k.sum(axis=2)
    median = np.median(got / tried, axis=1) if n.shape[1] >= FEW else got.sum(axis=1) / tried.sum(axis=1)
    p0, p1 = (np.clip(share * median, 1e-6, 1 - 1e-6)[:, None, None] for share in (GOOD_SHARE, BAD_SHARE))
    running = np.cumsum(k * np.log(p1 / p0) + (n - k) * np.log((1 - p1) / (1 - p0)), axis=2)
    evidence = running[..., -1] - np.minimum(running.min(axis=2), 0)
    low = wilson(got, tried)[1] < LIMITS.flag_share * median[:, None]
    return np.asarray(low | (evidence >= LIMITS.alarm))


def fallen(attempts: Calls, answered: Calls) -> NDArray[np.bool_]:
    """Return in which pools the console finds a fall of the whole pool."""
    found = pool_falls.find(days_of(attempts, answered), attempts.shape[2] - 1)
    return np.isin(np.arange(len(attempts)), list(found))


def delays(
    chance: np.random.Generator, pools: int, size: int, rate: float, scatter: float = 0.0, within: int = 20
) -> tuple[float, float]:
    """Return the mean of attempts from the fall of one number to a third until its flag: now, and by the rule before.

    One that is not found counts as found on the day after *within*.
    """
    rates = np.broadcast_to(steady(rate, WINDOW + within), (pools, size, WINDOW + within)).copy()
    rates[:, 0, WINDOW:] *= BAD_SHARE
    attempts, answered = draw(chance, pools, size, rates, scatter)
    found = []
    for rule in (flagged, flagged_before):
        first = np.full(pools, within + 1)
        for day in range(within, 0, -1):
            until = WINDOW + day
            first = np.where(rule(attempts[..., :until], answered[..., :until])[:, 0], day, first)
        found.append(float(first.mean()) * A_DAY)
    return found[0], found[1]
