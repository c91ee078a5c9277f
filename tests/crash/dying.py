"""Where a process can die: at every statement, commit and HTTP exchange of what it does for one order."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
import urllib3.connection

from services.orders import fulfilment


class Point(StrEnum):
    """How far an order had come."""

    PLACING = "before the order is committed"
    PLACED = "after the order"
    ASKED = "after it is written down that it is asked"
    SENT = "after the request left"
    DONE = "after the effect"
    ANSWERED = "after the answer"
    SETTLED = "after the commit"


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Moments:
    """Counts what this process does for one order, and dies at the moment that it was given, if any."""

    def __init__(self, last: int | None = None) -> None:
        self.passed: list[tuple[Point, str]] = []
        self._last = last
        self._placing: threading.Thread | None = None
        self._order: int | None = None
        self._driving = threading.local()
        self._point, self._next = Point.PLACING, Point.PLACED
        drive = fulfilment.drive

        def driving(order_id: int, **named: Any) -> fulfilment.Look:
            self._driving.order = order_id
            try:
                return drive(order_id, **named)
            finally:
                self._driving.order = None

        fulfilment.drive = driving
        sa.event.listen(sa.Engine, "before_cursor_execute", self._statement)
        sa.event.listen(sa.Engine, "commit", self._commit)
        _around(urllib3.connection.HTTPConnection, "request", self._sends)
        _around(urllib3.connection.HTTPConnection, "endheaders", self._sends_headers)
        _around(urllib3.connection.HTTPConnection, "getresponse", self._reads)

    @contextmanager
    def of_this_thread(self) -> Iterator[None]:
        """Count what this thread does in the block."""
        self._placing = threading.current_thread()
        yield
        self._placing = None

    def of_order(self, order_id: int) -> None:
        """Count what is done about an order from now on."""
        self._order = order_id

    def _count(self, what: str, point: Point | None = None) -> None:
        if len(self.passed) == self._last:
            die()
        self.passed.append((point or self._point, what))

    def _is_ours(self) -> bool:
        if threading.current_thread() is self._placing:
            return True
        return self._order is not None and getattr(self._driving, "order", None) == self._order

    def _statement(self, _connection: sa.Connection, _cursor: Any, statement: str, *_others: Any) -> None:
        if not self._is_ours():
            return
        self._count(" ".join(statement.split())[:60])
        if "UPDATE number_order SET" in statement:
            self._next = Point.SETTLED if "state=" in statement else Point.ASKED

    def _commit(self, _connection: sa.Connection) -> None:
        if self._is_ours():
            self._count("COMMIT")
            self._point = self._next

    def _sends(self, send: Callable[..., Any], method: str, *others: Any, **named: Any) -> None:
        if self._is_ours():
            self._count(f"before {method}")
        send(method, *others, **named)
        if self._is_ours():
            if method != "GET":
                self._point = Point.SENT
            self._count(f"sent {method}")

    def _sends_headers(self, send: Callable[..., Any], *others: Any, **named: Any) -> None:
        send(*others, **named)
        if self._is_ours():
            self._count("headers sent, body not")

    def _reads(self, read: Callable[..., Any]) -> Any:
        answer = read()
        if self._is_ours():
            if self._point is Point.SENT:
                self._point = self._next = Point.ANSWERED
                self._count("answer unread", Point.DONE)
            else:
                self._count("answer unread")
        return answer


def _around(owner: type, name: str, step_in: Callable[..., Any]) -> None:
    inner = getattr(owner, name)

    def outer(self: Any, *arguments: Any, **named: Any) -> Any:
        return step_in(lambda *a, **k: inner(self, *a, **k), *arguments, **named)

    setattr(owner, name, outer)
