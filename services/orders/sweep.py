"""The sweep: every process continuously drives due orders, whoever placed them.

The rows say what is due, so a killed process or a lost answer loses nothing. A busy provider slows down only its own
connection.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

import db.base.engine
import db.orders.queries
from services.core.transactions import writing
from services.orders import fulfilment

EVERY_SECONDS = 1.0
IDLE_SECONDS = 5.0
"""How often it looks for what is due: while something is, and at least. Who orders something wakes it."""

WORKERS = 16
AT_ONCE = 4
"""Orders that one connection is asked about at the same time, by this process."""

LONGEST_REST = 60.0
LONGEST_WISH = 3600.0
"""Seconds that a connection rests, at most: by our own guess, and when the provider says for how long."""

LOOKED_THROUGH = 500
_TOUCHED_AFTER = timedelta(minutes=1)
"""What is due for so long and still waits its turn is put off, which shows that the console ran all the time."""

_log = structlog.get_logger()


@dataclass
class Pace:
    """How fast a connection is asked: half as many at a time when it sent us away, a few more with each answer."""

    at_most: float = AT_ONCE
    refusals: int = 0
    rests_until: float = 0.0
    running: set[int] = field(default_factory=set)

    def is_free(self) -> bool:
        """Whether one more order may go now."""
        return len(self.running) < self.at_most and time.monotonic() >= self.rests_until

    def take(self, look: fulfilment.Look) -> None:
        """Learn from what came of an order."""
        if look.sent_away is None and not look.is_ours:
            self.at_most, self.refusals = min(AT_ONCE, self.at_most + 1 / AT_ONCE), 0
            return
        requested = look.sent_away.retry_after if look.sent_away else None
        self.at_most, self.refusals = max(1.0, self.at_most / 2), self.refusals + 1
        rest = min(LONGEST_REST, 2.0 ** (self.refusals - 1)) if requested is None else min(requested, LONGEST_WISH)
        self.rests_until = time.monotonic() + rest


_running: list["Sweep"] = []
"""The sweep of this process, while it runs."""


def wake() -> None:
    """Have what is due driven at once. It would be without this too, a moment later: the rows say what is due."""
    for sweep in _running:
        sweep.wake()


class Sweep:
    """A thread that looks for what is due, and a few that drive it. *also* is done in every round."""

    def __init__(self, also: Callable[[], None], idle_seconds: float = IDLE_SECONDS) -> None:
        self._also = also
        self._idle_seconds = idle_seconds
        self._paces: dict[int, Pace] = {}
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._ends = self._is_away = self._left_out = False
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="orders")
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)
        self._thread.start()
        _running.append(self)

    def wake(self) -> None:
        """Look now: an order was placed."""
        self._woken.set()

    def stop(self) -> None:
        """End, once what is being asked is answered."""
        self._ends = True
        _running.remove(self)
        self.wake()
        self._thread.join()
        self._workers.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        while not self._ends:
            rest = EVERY_SECONDS
            try:
                rest = self._round()
                self._also()
                self._is_away = False
            except db.base.engine.DatabaseUnavailable:
                if not self._is_away:
                    _log.warning("sweep.database_away")
                self._is_away = True
            except Exception:  # the thread that drives every order never ends; it is logged and tried again
                _log.exception("sweep.failed")
            self._woken.wait(rest)
            self._woken.clear()

    def _round(self) -> float:
        """Begin what is due and may go now; return how many seconds there is nothing to do."""
        now = datetime.now(UTC)
        with db.base.engine.open_session() as session:
            soonest, furthest = db.orders.queries.looks(session)
            if soonest is None or furthest is None:
                return self._idle_seconds
            if soonest > now and furthest <= now + fulfilment.FURTHEST:
                return min(max((soonest - now).total_seconds(), EVERY_SECONDS), self._idle_seconds)
            due = db.orders.queries.due(session, now, fulfilment.FURTHEST, LOOKED_THROUGH, but=self._held_up())
        running = self._begin(due)
        late = (now - fulfilment.FORGOTTEN_AFTER, now - _TOUCHED_AFTER)
        with db.base.engine.open_session() as session:
            if db.orders.queries.any_due(session, *late, but=running):
                with writing(session):
                    db.orders.queries.put_off(session, *late, now, but=running)
        return EVERY_SECONDS

    def _held_up(self) -> list[int]:
        """Return the connections that are asked nothing more just now: what is due there hides no other's orders."""
        with self._lock:
            found = [connection for connection, pace in self._paces.items() if not pace.is_free()]
            self._left_out = bool(found)
        return found

    def _begin(self, due: Sequence[tuple[int, int]]) -> list[int]:
        """Have workers drive of what is *due* what may go now; return all that are being driven."""
        with self._lock:
            for order, connection in due:
                pace = self._paces.setdefault(connection, Pace())
                if order in pace.running:
                    continue
                if pace.is_free() and self._running() < WORKERS:
                    pace.running.add(order)
                    self._workers.submit(self._drive, order, pace)
                else:
                    self._left_out = True
            return [order for pace in self._paces.values() for order in pace.running]

    def _running(self) -> int:
        return sum(len(pace.running) for pace in self._paces.values())

    def _drive(self, order: int, pace: Pace) -> None:
        look = fulfilment.carry_on(order)
        with self._lock:
            pace.running.discard(order)
            pace.take(look)
        if self._left_out:
            self.wake()  # another one may go
