"""Whether this process can serve: what a load balancer and a monitor ask at `/api/health`."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import db.base.engine
import db.base.probe
from db.base.probe import Probe

WITHIN_SECONDS = 0.9

_probing = ThreadPoolExecutor(2, thread_name_prefix="liveness")
"""Threads of its own: those of the server may all be waiting for the database."""


async def report() -> tuple[bool, dict[str, Any]]:
    """Return whether all is well, and what there is to tell, within a second whatever the database does."""
    try:
        probe = await asyncio.wait_for(asyncio.wrap_future(_probing.submit(db.base.probe.take)), WITHIN_SECONDS)
    except TimeoutError:
        probe = Probe()
    oldest = probe.oldest_open_order
    return probe.writes, {
        "status": "ok" if probe.writes else "unavailable",
        "database": db.base.engine.current().dialect.name if probe.reads else "unreachable",
        "writes": probe.writes,
        "oldest_open_order_seconds": max(0, int((datetime.now(UTC) - oldest).total_seconds())) if oldest else None,
    }
