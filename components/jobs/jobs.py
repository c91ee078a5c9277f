"""Jobs on many numbers, one by one: started by a click, with progress and an outcome for each.

It lives in the session, a step at a time, so that a click in between neither loses nor repeats anything.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import streamlit as st
from sqlmodel import Session

from components.ui.listing.table import Column, number, table, text
from components.ui.markdown import plain
from services.core.access import Actor
from services.core.errors import DatabaseUnavailable, ServiceError
from services.jobs import workflows
from services.orders import orders
from services.orders.orders import OrderState
from services.text import labels, numbering

_WAIT_SECONDS = 60.0
"""How long the orders of a job are awaited, all together."""

Act = Callable[[Session, Any], int | None]
"""Acts on a row; returns an order to wait for, or None when done."""


class Numbered(Protocol):
    """A row about a number."""

    @property
    def e164(self) -> str: ...


@dataclass(frozen=True)
class ItemOutcome:
    """The outcome of one number. Pending ones are settled later in the background."""

    e164: str
    text: str
    is_done: bool
    is_open: bool = False


@dataclass
class Job:
    """*doing* (`Importing`) to many rows by *act*, each of which is then *done* (`imported`)."""

    doing: str
    done: str
    act: Act
    waiting: list[Numbered]
    placed: list[tuple[str, int]] = field(default_factory=list)
    results: list[ItemOutcome] = field(default_factory=list)

    def run(self, actor: Actor, opener: Callable[[], AbstractContextManager[Session]]) -> None:
        """Process the remaining rows, drawing progress."""
        total = len(self.waiting) + len(self.placed) + len(self.results)
        bar = st.progress(0.0)
        while self.waiting:
            begun = total - len(self.waiting)
            bar.progress(begun / total, text=f"{plain(self.doing)}… {begun:,} of {labels.amount(total, 'number')}")
            self._begin(opener)
        until = time.monotonic() + _WAIT_SECONDS
        while self.placed:
            answered = total - len(self.placed)
            bar.progress(
                answered / total, text=f"Waiting for results… {answered:,} of {labels.amount(total, 'number')}"
            )
            self._await(actor, opener, max(0.0, until - time.monotonic()))

    # Between what is done and what is noted of it, nothing is drawn: only there could a click break in.
    def _begin(self, opener: Callable[[], AbstractContextManager[Session]]) -> None:
        row = self.waiting.pop(0)
        try:
            with opener() as session:
                order = self.act(session, row)
        except ServiceError as exc:
            self.results.append(ItemOutcome(row.e164, str(exc), is_done=False))
        except DatabaseUnavailable:
            self.waiting.insert(0, row)  # it is tried again in the next run
            raise
        else:
            if order is None:
                self.results.append(ItemOutcome(row.e164, self.done.capitalize(), is_done=True))
            else:
                self.placed.append((row.e164, order))

    def _await(self, actor: Actor, opener: Callable[[], AbstractContextManager[Session]], seconds: float) -> None:
        e164, order_id = self.placed[0]
        workflows.await_outcome(order_id, seconds)
        try:
            with opener() as session:
                order = orders.get(session, actor, order_id)
        except ServiceError as exc:
            self.results.append(ItemOutcome(e164, str(exc), is_done=False, is_open=True))
        else:
            is_done = order.state is OrderState.CONFIRMED
            text = self.done.capitalize() if is_done else order.problem or "Pending confirmation; we keep checking"
            self.results.append(ItemOutcome(e164, text, is_done, order.is_open))
        self.placed.pop(0)


@dataclass
class JobRunner:
    """Runs one job at a time on many numbers; `results` are those of the last one, until they are closed."""

    job: Job | None = None
    results: list[ItemOutcome] = field(default_factory=list)
    done: str = ""

    def begin(self, doing: str, done: str, rows: Sequence[Numbered], act: Act) -> None:
        """Start a job; the second click of a double click finds it started."""
        if self.job is None and not self.results:
            self.job = Job(doing, done, act, list(rows))

    def work(self, actor: Actor, opener: Callable[[], AbstractContextManager[Session]]) -> list[str]:
        """Run the pending job, if any; return the numbers that it changed or may have changed."""
        if self.job is None:
            return []
        self.job.run(actor, opener)
        self.results, self.done, self.job = self.job.results, self.job.done, None
        return [one.e164 for one in self.results if one.is_done or one.is_open]

    def forget(self) -> None:
        """Dismiss the results of the last job."""
        self.results = []

    def draw_results(self, key: str) -> None:
        """Draw the outcome of each number, in a table with this *key*."""
        good = sum(one.is_done for one in self.results)
        icon = ":material/check_circle:" if good == len(self.results) else ":material/rule:"
        st.markdown(f"{icon} **{good:,} of {labels.amount(len(self.results), 'number')} {plain(self.done)}**")
        columns: list[Column[ItemOutcome]] = [
            number("number", lambda row: numbering.display(row.e164)),
            text("outcome", "Outcome", lambda row: row.text, wide=True),
        ]
        table("Result for each number", self.results, columns, key=key, of=lambda row: row.e164, rows_seen=10)
