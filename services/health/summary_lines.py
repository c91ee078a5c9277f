"""Sums of daily facts over a window: a line for each number in each campaign, and the pools that have fallen."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.health.summaries import Facts, Limits, Verdict, Window
from services.health import pool_falls
from services.health.judgement import Days, Judged, discoveries, judge
from services.health.statistics import medians, wilson

MANY = 5_000
"""Lines that are added up together, once their campaigns are complete."""

Row = dict[str, Any]
Column = NDArray[Any]


class Summing:
    """What was added up of a tenant so far. Facts come in by `take`, in order; `finish` judges them together."""

    def __init__(self, tenant_id: int, days: int, window: Window, limits: Limits) -> None:
        self.falls: list[Row] = []
        self._same = {"days": days, "tenant_id": tenant_id}
        self._window, self._limits = window, limits
        every = (window.before + timedelta(days=day) for day in range((window.until - window.before).days + 1))
        self._calendar = np.array(list(every), object)
        self._waiting: list[Facts] = []
        self._done: list[dict[str, Column]] = []

    def take(self, facts: Sequence[Facts]) -> None:
        """Take facts of whole lines, campaign by campaign."""
        self._waiting.extend(facts)
        if len(self._waiting) >= MANY:
            complete = bisect_left(self._waiting, self._waiting[-1][0], key=itemgetter(0))
            self._add(self._waiting[:complete])
            self._waiting = self._waiting[complete:]

    def finish(self) -> list[Row]:
        """Return the lines, with flags taken back until no more than the share that is allowed is false."""
        self._add(self._waiting)
        if not self._done:
            return []
        column = {name: np.concatenate([part[name] for part in self._done]) for name in self._done[0]}
        p, low, falling = (column.pop(name) for name in ("p", "is_low", "is_falling"))
        is_judged, is_thin = column.pop("is_judged"), column.pop("is_thin")
        believed = np.zeros(len(p), bool)
        believed[is_judged] = discoveries(p[is_judged], self._limits.false_share)
        called = column["attempts"] > 0
        verdict = np.full(len(p), Verdict.HEALTHY.value, object)
        verdict[called & ~is_judged] = Verdict.SMALL_POOL.value
        verdict[is_thin] = Verdict.THIN.value
        verdict[believed & falling] = Verdict.FALLING.value
        verdict[believed & low] = Verdict.LOW.value
        fell = verdict == Verdict.FALLING.value
        for name in ("since", "since_expected"):
            column[name] = _where(fell, column[name])
        for name in ("since_attempts", "since_answered"):
            column[name][~fell] = 0
        column["verdict"] = verdict
        rows = zip(*(values.tolist() for values in column.values()), strict=True)
        return [self._same | dict(zip(column, row, strict=True)) for row in rows]

    def _add(self, facts: list[Facts]) -> None:
        if not facts:
            return
        fixed = np.array([line[:-1] for line in facts], np.int64)
        column = dict(zip(Facts._fields, fixed.T, strict=False))
        every = self._days(facts, column)
        since = (self._window.since - self._window.before).days
        now = every.day >= since
        for name, when in (("", now), ("_before", ~now)):
            for what in ("attempts", "answered"):
                sums = np.bincount(every.line[when], weights=getattr(every, what)[when], minlength=len(facts))
                column[what + name] = sums.astype(np.int64)
        n, k = column["attempts"], column["answered"]
        low, high = wilson(k, n)
        typical = medians(every.pool_of, k, n, widest=self._limits.widest)
        self._find_falls(every, column["campaign_id"])
        column |= {
            "low": _where(n > 0, low),
            "high": _where(n > 0, high),
            "median": np.array([typical.get(pool) for pool in every.pool_of.tolist()], object),
            "is_thin": (n == 0) | (high - low > self._limits.widest),
        }
        self._done.append(column | self._judge(every, now & (every.attempts > 0)))

    def _days(self, facts: list[Facts], column: dict[str, Column]) -> Days:
        """Return all days of the lines, in order."""
        flat = np.fromstring(" ".join(line.calls for line in facts), np.int64, sep=" ").reshape(-1, 3)
        line = np.repeat(np.arange(len(facts)), column.pop("days"))
        day, attempts, answered = flat[np.lexsort((flat[:, 0], line))].T
        pool_of = np.unique(column["campaign_id"], return_inverse=True)[1]
        return Days(line, day, attempts.astype(float), answered.astype(float), pool_of)

    def _judge(self, every: Days, inside: NDArray[np.bool_]) -> dict[str, Column]:
        """Return what is to be said of each line by its days *inside* the window."""
        lines = len(every.pool_of)
        called, line = np.unique(every.line[inside], return_inverse=True)
        found: Judged | None = None
        if len(called):
            days = Days(line, every.day[inside], every.attempts[inside], every.answered[inside], every.pool_of[called])
            found = judge(days, widest=self._limits.widest)

        def of_all(name: str, otherwise: Any) -> Column:
            value = np.full(lines, otherwise, None if otherwise is not None else object)
            if found:
                value[called] = getattr(found, name)
            return value

        judged = ~of_all("too_small", True)
        values = {field.name: of_all(field.name, 0.0) for field in fields(Judged)}
        expected, bound = values["expected"], values["bound"]
        return {
            "p": values["p"],
            "is_judged": judged,
            "is_low": judged & (bound < self._limits.flag_share * expected),
            "is_falling": judged & (values["evidence"] >= self._limits.alarm),
            "expected": _where(judged, expected),
            "bound": _where(judged, bound),
            "since": self._calendar[values["since"].astype(np.int64)],
            "since_attempts": values["since_attempts"].astype(np.int64),
            "since_answered": values["since_answered"].astype(np.int64),
            "since_expected": values["since_expected"] / np.maximum(values["since_attempts"], 1),
        }

    def _find_falls(self, every: Days, campaigns: Column) -> None:
        """Look for pools that have fallen, up to the last day of the window."""
        of_pool = campaigns[np.unique(every.pool_of, return_index=True)[1]]
        for pool, fall in pool_falls.find(every, (self._window.until - self._window.before).days).items():
            self.falls.append(
                self._same
                | {
                    "campaign_id": int(of_pool[pool]),
                    "since": self._calendar[fall.first],
                    "until": self._window.until,
                    "attempts": fall.attempts,
                    "answered": fall.answered,
                    "expected": fall.expected,
                }
            )


def _where(known: NDArray[np.bool_], values: Column) -> Column:
    """Return *values* where they are *known*, and None elsewhere."""
    found = values.astype(object)
    found[~known] = None
    return found
