"""The processes of an installation: each sends heartbeats, so that others take over a dead one's work."""

import socket
import time
import uuid
from collections.abc import Iterable

import db.base.engine
import db.jobs.replicas
from services.core.transactions import write

BEAT_SECONDS = 3.0
SILENT_SECONDS = 15.0
"""A process silent for this long counts as dead. If it only slept, its work is done twice, which is safe."""


class Replica:
    """This process. What others do is told by their beats going up, and by its own clock, which nobody can set."""

    def __init__(self) -> None:
        self.id = f"{socket.gethostname()[:24]}-{uuid.uuid4().hex[:12]}"
        self._heard: dict[str, tuple[int, float]] = {}
        self._beaten: float | None = None

    def beat(self) -> bool:
        """Send this process's heartbeat every few seconds; return whether it did."""
        now = time.monotonic()
        if self._beaten is not None and now - self._beaten < BEAT_SECONDS:
            return False
        with write() as session:
            db.jobs.replicas.beat(session, self.id)
        self._beaten = now
        return True

    def silent(self, asked: Iterable[str]) -> list[str]:
        """Return those that were *asked* about, or have beaten once, and were not heard for long."""
        with db.base.engine.open_session() as session:
            beats = db.jobs.replicas.beats(session)
        now = time.monotonic()
        others = (set(asked) | set(beats)) - {self.id}
        heard = {}
        for other in others:
            n, at = self._heard.get(other, (-1, now))
            heard[other] = (n, at) if n == beats.get(other, 0) else (beats.get(other, 0), now)
        self._heard = heard
        return [other for other, (_, at) in heard.items() if now - at > SILENT_SECONDS]

    def forget(self, ids: Iterable[str]) -> None:
        """Forget processes whose work was taken over, or this one, which ends."""
        with write() as session:
            db.jobs.replicas.forget(session, list(ids))
