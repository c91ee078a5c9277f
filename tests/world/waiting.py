"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable

PATIENCE = 15.0
"""Seconds until something that should have happened is a failure: long for a busy machine, short for a developer."""


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Return when *condition* holds; fail when it does not within *seconds*."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was awaited did not come"
        time.sleep(0.02)
