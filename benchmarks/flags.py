"""How often and how soon numbers are flagged: `python -m benchmarks.flags` prints the tables of the guide."""

import math
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks import pools
from services.health.statistics import BAD_SHARE, GOOD_SHARE, wilson
from services.health.thresholds import Thresholds

STEP, ATTEMPTS = 20, 1500
LOOKS = ATTEMPTS // STEP
CHANGE_AT = 600
POOLS = (0.15, 0.30, 0.50)
SIZES = (2, 5, 12, 50)

Looks = NDArray[np.bool_]


def calls(chance: np.random.Generator, numbers: int, rates: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return answered calls at each look, for *numbers* numbers whose rate at each look is in *rates*."""
    return chance.binomial(STEP, rates, size=(numbers, len(rates)))


def is_low(answered: ArrayLike, attempts: ArrayLike, threshold: ArrayLike) -> NDArray[np.bool_]:
    """Return whether the Wilson upper bound lies under *threshold*, so that chance is ruled out at 95%."""
    return np.asarray((np.asarray(attempts) > 0) & (wilson(answered, attempts)[1] < np.asarray(threshold)))


def wilson_flags(answered: NDArray[np.int64], median: float, limits: Thresholds) -> Looks:
    """Return at which looks the rule of the upper bound holds, over everything since the start."""
    tried = np.arange(1, answered.shape[1] + 1) * STEP
    return is_low(answered.cumsum(axis=1), tried, limits.flag_share * median)


def change_flags(answered: NDArray[np.int64], median: float, alarm: float) -> Looks:
    """Return at which looks the change test has reached *alarm*."""
    return _cusum(answered, median) > alarm


def sprt_flags(answered: NDArray[np.int64], median: float, alarm: float) -> Looks:
    """Return at which looks the one-sided sequential probability ratio test has reached *alarm*."""
    return _steps(answered, median).cumsum(axis=1) > alarm


def change_steps(median: float) -> tuple[float, float]:
    """Return what an answered and an unanswered call add to the change test in a pool with this median.

    They are log-likelihood ratios (in nats) of BAD_SHARE·median against GOOD_SHARE·median: ln(p1/p0) for an
    answer, ln((1-p1)/(1-p0)) for none.
    """
    p0, p1 = (min(max(share * median, 1e-6), 1 - 1e-6) for share in (GOOD_SHARE, BAD_SHARE))
    return math.log(p1 / p0), math.log((1 - p1) / (1 - p0))


def _steps(answered: NDArray[np.int64], median: float) -> NDArray[np.float64]:
    hit, miss = change_steps(median)
    return np.asarray(answered * hit + (STEP - answered) * miss)


def _cusum(answered: NDArray[np.int64], median: float) -> NDArray[np.float64]:
    running = np.pad(_steps(answered, median).cumsum(axis=1), ((0, 0), (1, 0)))
    return np.asarray((running - np.minimum.accumulate(running, axis=1))[:, 1:])


def rules(limits: Thresholds) -> dict[str, Callable[[NDArray[np.int64], float], Looks]]:
    """Return rules that know a pool's rate but no days, by name; `by_pool` has that of the console."""
    return {
        "Wilson upper bound": lambda k, m: wilson_flags(k, m, limits),
        "SPRT, alarm 6": lambda k, m: sprt_flags(k, m, 6),
        f"CUSUM, alarm {limits.alarm:g}": lambda k, m: change_flags(k, m, limits.alarm),
        "both (default)": lambda k, m: wilson_flags(k, m, limits) | change_flags(k, m, limits.alarm),
    }


def share(flags: Looks, within: int = ATTEMPTS) -> float:
    """Return the share of numbers that were flagged at any look within the first *within* attempts."""
    return float(flags[:, : within // STEP].any(axis=1).mean())


def delay(flags: Looks) -> float:
    """Return the median of attempts until the first flag; infinite when most were never flagged."""
    first = np.where(flags.any(axis=1), (flags.argmax(axis=1) + 1) * STEP, np.inf)
    return float(np.median(first))


def estimated(chance: np.random.Generator, numbers: int, pool: float, limits: Thresholds, mates: int = 11) -> float:
    """Return the share of good numbers ever flagged when the median is that of *mates* numbers so far."""
    flagged = 0
    tried = np.arange(1, LOOKS + 1) * STEP
    for _ in range(numbers):
        others = calls(chance, mates, np.full(LOOKS, pool)).cumsum(axis=1) / tried
        own = calls(chance, 1, np.full(LOOKS, GOOD_SHARE * pool))
        flagged += bool(is_low(own.cumsum(axis=1)[0], tried, limits.flag_share * np.median(others, axis=0)).any())
    return flagged / numbers


def by_pool(chance: np.random.Generator, numbers: int) -> None:
    """Print how numbers are flagged in whole pools, by the rule of the console and the one that knew no days."""
    out = sys.stdout.write
    columns = [f"pool of {size}" for size in SIZES]
    out(f"\n| pool's rate | what happens | {' | '.join(columns)} |\n|---|---|{'---|' * len(SIZES)}\n")
    for rate in POOLS:
        cases: dict[str, tuple[pools.Rates, float]] = {
            "nothing": (pools.steady(rate), 0),
            "nothing, lower at weekends": (pools.weekly(rate), 0),
        }
        cases |= {f"nothing, rates scatter by {rho:g}": (pools.steady(rate), rho) for rho in (0.01, 0.02, 0.05)}
        for text, share in (("a third", 1 / 3), ("half", 1 / 2), ("two thirds", 2 / 3)):
            for days in (2, 3, 5):
                cases[f"all fall to {text} for {days} days"] = (pools.fall_of_all(rate, share, days), 0)
        for rho in (0.02, 0.05):
            text = f"all fall to a third for 5 days, rates scatter by {rho:g}"
            cases[text] = (pools.fall_of_all(rate, 1 / 3, 5), rho)
        for text, (rates, rho) in cases.items():
            cells = []
            for size in SIZES:
                attempts, answered = pools.draw(chance, max(numbers // size, 20), size, rates, rho)
                now, before = pools.flagged(attempts, answered), pools.flagged_before(attempts, answered)
                fell = pools.fallen(attempts[:100], answered[:100])
                cells.append(f"{now.mean():.2%} ({before.mean():.2%}); {fell.mean():.0%}")
            out(f"| {rate:.0%} | {text} | {' | '.join(cells)} |\n")
        for rho in (0, 0.02, 0.05):
            found = [pools.delays(chance, max(numbers // size // 4, 60), size, rate, rho) for size in SIZES]
            scatters = f", rates scatter by {rho:g}" if rho else ""
            cells = [f"{now:.0f} ({before:.0f})" for now, before in found]
            out(f"| {rate:.0%} | one falls to a third{scatters}: attempts to its flag | {' | '.join(cells)} |\n")
            sys.stdout.flush()


def main(numbers: int = 50_000) -> None:
    """Print the tables as Markdown."""
    limits, chance = Thresholds(), np.random.default_rng(1927)
    out = sys.stdout.write
    out("| pool's rate | rule | ever flagged, at 80 % of it | flagged within 400, at a third | within 500 | ")
    out(f"median attempts to the flag | median after a fall at {CHANGE_AT} |\n|---|---|---|---|---|---|---|\n")
    for pool in POOLS:
        good = calls(chance, numbers, np.full(LOOKS, GOOD_SHARE * pool))
        bad = calls(chance, numbers, np.full(LOOKS, BAD_SHARE * pool))
        falling = calls(chance, numbers, np.where(np.arange(LOOKS) < CHANGE_AT // STEP, pool, BAD_SHARE * pool))
        for name, rule in rules(limits).items():
            found, fell = rule(bad, pool), rule(falling, pool)[:, CHANGE_AT // STEP :]
            soon, after = delay(found), delay(fell)
            text = f"{after:,.0f}" if np.isfinite(after) else f"not within {ATTEMPTS - CHANGE_AT}"
            out(f"| {pool:.0%} | {name} | {share(rule(good, pool)):.2%} | {share(found, 400):.1%} | ")
            out(f"{share(found, 500):.1%} | {soon:,.0f} | {text} |\n")
    out("\nWith the median of 11 pool mates instead of the true rate, good numbers ever flagged by the upper bound: ")
    out(", ".join(f"{estimated(chance, 3000, pool, limits):.2%} at {pool:.0%}" for pool in POOLS) + "\n")
    by_pool(chance, numbers // 20)


if __name__ == "__main__":
    main()
