"""Statistics of answer rates, right about small samples."""

import math
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
