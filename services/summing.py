"""Sums of daily facts over a window: a line for each number in each campaign, and the pools that have fallen."""

import itertools
from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np

from db.health_summary import FACT, Limits, Verdict, Window
from services import pool_falls
from services.judging import Days, Floats, Ints, discoveries, judge
from services.statistics import medians, wilson

MANY = 200_000
"""Facts that are added up together, once their campaigns are complete."""

_COUNTS = ("attempts", "answered", "completed", "spam_reports", "detected", "machines")
_NOT = (Verdict.LOW, Verdict.FALLING)

Row = dict[str, object]


class Summing:
    """What was added up of a tenant so far. Facts come in by `take`, in order; `finish` judges them together."""

    def __init__(self, tenant_id: int, days: int, window: Window, limits: Limits) -> None:
        self.lines: list[Row] = []
        self.falls: list[Row] = []
        self._tenant_id, self._days, self._window, self._limits = tenant_id, days, window, limits
        self._waiting: list[Ints] = []
        self._p: list[Floats] = []
        self._otherwise: list[Verdict] = []

    def take(self, values: Iterable[int]) -> None:
        """Take whole facts, their fields one after the other."""
        self._waiting.append(np.fromiter(values, np.int64).reshape(-1, len(FACT)))
        if sum(map(len, self._waiting)) < MANY:
            return
        facts = np.concatenate(self._waiting)
        complete = np.searchsorted(facts[:, 0], facts[-1, 0])
        self._waiting = [facts[complete:]]
        if complete:
            self._add(facts[:complete])

    def finish(self) -> None:
        """Add up the rest, and take flags back until no more than the share that is allowed is false."""
        if self._waiting:
            self._add(np.concatenate(self._waiting))
        self._waiting = []
        if not self.lines:
            return
        believed = discoveries(np.concatenate(self._p), self._limits.false_share)
        for line, is_believed, otherwise in zip(self.lines, believed, self._otherwise, strict=True):
            if line["verdict"] in _NOT and not is_believed:
                line["verdict"] = otherwise

    def _add(self, facts: Ints) -> None:
        if not len(facts):
            return
        field = {name: facts[:, place] for place, name in enumerate(FACT)}
        campaign, number, day = field["campaign_id"], field["number_id"], field["day"]
        begins = np.append(True, (np.diff(campaign) != 0) | (np.diff(number) != 0))
        line = np.cumsum(begins) - 1
        first = np.flatnonzero(begins)
        campaigns, pool_of = np.unique(campaign[first], return_inverse=True)
        since = (self._window.since - self._window.before).days
        now = day >= since
        sums = {name: _sums(line, field[name], now, len(first)) for name in _COUNTS}
        before = {name: _sums(line, field[name], ~now, len(first)) for name in ("attempts", "answered")}
        n, k = sums["attempts"], sums["answered"]
        low, high = wilson(k, n)
        typical = medians(pool_of, k, n, widest=self._limits.widest)
        every = Days(line, day, field["attempts"].astype(float), field["answered"].astype(float), pool_of)
        self._find_falls(campaigns, every)

        inside = now & (field["attempts"] > 0)
        called, again = np.unique(line[inside], return_inverse=True)
        at = np.full(len(first), -1)
        at[called] = np.arange(len(called))
        if len(called):
            found = judge(
                Days(again, day[inside], every.attempts[inside], every.answered[inside], pool_of[called]),
                widest=self._limits.widest,
            )
            self._p.append(np.where(at >= 0, found.p[at], 1.0))
        else:
            self._p.append(np.ones(len(first)))
        for i in range(len(first)):
            row: Row = {
                "days": self._days,
                "campaign_id": int(campaign[first[i]]),
                "number_id": int(number[first[i]]),
                "tenant_id": self._tenant_id,
                **{name: int(sums[name][i]) for name in _COUNTS},
                "attempts_before": int(before["attempts"][i]),
                "answered_before": int(before["answered"][i]),
                "low": float(low[i]) if n[i] else None,
                "high": float(high[i]) if n[i] else None,
                "median": typical.get(int(pool_of[i])),
                "expected": None,
                "bound": None,
                "since": None,
                "since_attempts": 0,
                "since_answered": 0,
                "since_expected": None,
            }
            is_thin = not n[i] or high[i] - low[i] > self._limits.widest
            verdict = otherwise = Verdict.THIN if is_thin else Verdict.HEALTHY
            j = at[i]
            if j >= 0 and found.too_small[j]:
                verdict = otherwise = Verdict.SMALL_POOL if otherwise is Verdict.HEALTHY else otherwise
            elif j >= 0:
                row["expected"], row["bound"] = float(found.expected[j]), float(found.bound[j])
                if found.bound[j] < self._limits.flag_share * found.expected[j]:
                    verdict = Verdict.LOW
                elif found.evidence[j] >= self._limits.alarm:
                    verdict = Verdict.FALLING
                    row["since"] = self._on(int(found.since[j]))
                    row["since_attempts"] = int(found.since_attempts[j])
                    row["since_answered"] = int(found.since_answered[j])
                    row["since_expected"] = float(found.since_expected[j] / found.since_attempts[j])
            row["verdict"] = verdict
            self.lines.append(row)
            self._otherwise.append(otherwise)

    def _find_falls(self, campaigns: Ints, every: Days) -> None:
        """Look for pools that have fallen, up to the last day of the window."""
        last = (self._window.until - self._window.before).days
        pool = every.pool_of[every.line]
        edges = np.searchsorted(pool, np.arange(len(campaigns) + 1))
        for place, (start, end) in enumerate(itertools.pairwise(edges)):
            line = every.line[start:end]
            part = Days(
                line - line[0],
                every.day[start:end],
                every.attempts[start:end],
                every.answered[start:end],
                np.zeros(line[-1] - line[0] + 1, np.int64),
            )
            fall = pool_falls.find(part, last)
            if fall:
                self.falls.append(
                    {
                        "days": self._days,
                        "campaign_id": int(campaigns[place]),
                        "tenant_id": self._tenant_id,
                        "since": self._on(fall.first),
                        "until": self._window.until,
                        "attempts": fall.attempts,
                        "answered": fall.answered,
                        "expected": fall.expected,
                    }
                )

    def _on(self, day: int) -> date:
        return self._window.before + timedelta(days=day)


def _sums(line: Ints, values: Ints, when: np.ndarray[tuple[int], np.dtype[np.bool_]], lines: int) -> Ints:
    return np.bincount(line[when], weights=values[when], minlength=lines).astype(np.int64)
