"""How often the flag is wrong, and how soon it is right: a simulation of pools and looks.

python -m benchmarks.flags [--numbers 20000] [--seed 1]

Every number makes 1,500 attempts and is looked at after every 20. `Wilson` is the rule of the app: the upper
bound of the whole past lies under half the pool's rate. `CUSUM` adds up the log-likelihood ratio of a third of
the pool's rate against the pool's, never below zero, and flags when the sum passes a limit that is set so that
as many numbers at 80 % of the pool's rate are flagged as under Wilson.
"""

import argparse
from itertools import product

import numpy as np
import numpy.typing as npt

from services.statistics import Z95, Thresholds

ATTEMPTS, STEP = 1500, 20
POOLS = (0.15, 0.30, 0.50)
SHARES = (1.0, 0.8, 0.5, 1 / 3)
Times = npt.NDArray[np.float64]


def outcomes(chance: np.random.Generator, rate: float, numbers: int) -> npt.NDArray[np.int64]:
    """Return answered calls in each step of 20, a row a number."""
    return chance.binomial(STEP, rate, (numbers, ATTEMPTS // STEP))


def wilson(answered: npt.NDArray[np.int64], pool: float) -> Times:
    """Return after how many attempts each number is flagged; infinity for never."""
    n = np.arange(1, answered.shape[1] + 1) * STEP
    p = answered.cumsum(axis=1) / n
    z2 = Z95**2
    high = (p + z2 / (2 * n) + Z95 * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return first(high < Thresholds().of_median * pool)


def cusum(answered: npt.NDArray[np.int64], pool: float, limit: float) -> Times:
    """Return after how many attempts each number is flagged by a cumulative sum."""
    bad = pool / 3
    gain = answered * np.log(bad / pool) + (STEP - answered) * np.log((1 - bad) / (1 - pool))
    total, flagged = np.zeros(len(answered)), np.zeros(answered.shape, dtype=bool)
    for step in range(answered.shape[1]):
        total = np.maximum(0, total + gain[:, step])
        flagged[:, step] = total > limit
    return first(flagged)


def first(flagged: npt.NDArray[np.bool_]) -> Times:
    """Return the attempts at the first look that flags; infinity for never."""
    when = (flagged.argmax(axis=1) + 1.0) * STEP
    return np.where(flagged.any(axis=1), when, np.inf)


def limit_for(answered: npt.NDArray[np.int64], pool: float, share: float) -> float:
    """Return the CUSUM limit at which *share* of these numbers, or fewer, are ever flagged."""
    low, high = 0.0, 60.0
    for _ in range(30):
        middle = (low + high) / 2
        if np.isfinite(cusum(answered, pool, middle)).mean() > share:
            low = middle
        else:
            high = middle
    return high


def within(times: Times, attempts: float = np.inf) -> float:
    """Return the share of numbers that are flagged within *attempts*."""
    return float((times <= attempts).mean() if np.isfinite(attempts) else np.isfinite(times).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--numbers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = np.random.default_rng(options.seed)
    print("| pool | number at | rule | ever flagged | within 400 | within 500 | median attempts |")  # noqa: T201
    print("|---|---|---|---|---|---|---|")  # noqa: T201
    for pool in POOLS:
        good = outcomes(chance, 0.8 * pool, options.numbers)
        limit = limit_for(good, pool, max(within(wilson(good, pool)), 1 / options.numbers))
        for share, rule in product(SHARES, ("Wilson", "CUSUM")):
            answered = outcomes(chance, share * pool, options.numbers)
            times = wilson(answered, pool) if rule == "Wilson" else cusum(answered, pool, limit)
            found = times[np.isfinite(times)]
            median = f"{np.median(found):,.0f}" if len(found) else "—"
            cells = (within(times), within(times, 400), within(times, 500))
            print(  # noqa: T201
                f"| {pool:.0%} | {share:.0%} | {rule} | " + " | ".join(f"{c:.2%}" for c in cells) + f" | {median} |"
            )


if __name__ == "__main__":
    main()
