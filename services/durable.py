"""Orders and runs through call logs as durable workflows: DBOS goes on with them after a crash, from where they were.

A workflow only drives; what is true stands in the row of the order (`services/fulfilment.py`) or of the run
(`services/call_reading.py`).
"""

import time
from datetime import datetime
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowHandle
from sqlmodel import Session

import db.engine
import db.health_pulls
import db.orders
from db.models import OrderState
from services import call_logs, call_reading, fulfilment, vendors, words
from services.access import Actor, Permission, require
from services.settings import Settings

UNDER_WAY = ["ENQUEUED", "PENDING", "DELAYED"]
"""What DBOS calls a workflow that still runs, here or at another replica, or will."""

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds between two looks at the provider. Afterwards the list page and its `Check now` go on looking."""

NEW_DAYS_AT = "27 */3 * * *"
"""When to look for call logs with a new day, as cron says it: within three hours of any tenant's midnight."""


# A step that raised would end the workflow for good, though the database may only have been busy.
@DBOS.step(name="orders.ask")
def _ask(order_id: int) -> None:
    fulfilment.carry_on(fulfilment.ask, order_id)


@DBOS.step(name="orders.settle")
def _settle(order_id: int) -> bool:
    return bool(fulfilment.carry_on(fulfilment.settle, order_id))


@DBOS.workflow(name="orders.fulfil")
def _fulfil(order_id: int) -> None:
    _ask(order_id)
    for pause in PAUSES:
        if _settle(order_id):
            return
        DBOS.sleep(pause)


# These raise only while the database is away, and the day is then read anew.
@DBOS.step(name="call_logs.read_day", retries_allowed=True, max_attempts=5)
def _read_day(connection_id: int, run: str) -> bool:
    return call_reading.read_day(connection_id, run)


@DBOS.step(name="call_logs.due", retries_allowed=True, max_attempts=5)
def _due() -> list[int]:
    return call_logs.due()


@DBOS.step(name="call_logs.begin", retries_allowed=True, max_attempts=5)
def _begin_by_clock(connection_id: int) -> str | None:
    return call_logs.begin_by_clock(connection_id)


@DBOS.workflow(name="call_logs.read")
def _read(connection_id: int, run: str) -> None:
    while _read_day(connection_id, run):
        pass


@DBOS.workflow(name="call_logs.new_days")
def _read_new_days(_at: datetime, _context: object) -> None:
    """Read on wherever there is a new day, one log after the other, so that nobody else waits for it."""
    for connection_id in _due():
        run = _begin_by_clock(connection_id)
        if run is not None:
            with SetWorkflowID(f"call-log-{run}"):
                _read(connection_id, run)


def launch(settings: Settings) -> None:
    """Start the engine on our own database; what was under way here goes on, and what never began begins."""
    DBOS(
        config=DBOSConfig(
            name="numberdesk",
            system_database_url=settings.url,
            executor_id=settings.executor_id,
            application_version="1",  # an upgrade goes on with what an older version began
            log_level="WARNING",
            console_log_level="WARNING",
        )
    )
    DBOS.launch()
    # Each time has one workflow, whichever of the replicas looks at the clock first.
    DBOS.apply_schedules(
        [{"schedule_name": "call-logs", "workflow_fn": _read_new_days, "schedule": NEW_DAYS_AT, "context": None}]
    )
    with db.engine.open_session() as session:
        waiting = db.orders.open_ids(session)
        runs = db.health_pulls.under_way(session)
    under_way = _under_way("orders.fulfil")
    for order_id in waiting:
        if (order_id,) not in under_way and begin(order_id).get_status().status not in UNDER_WAY:
            DBOS.start_workflow(_fulfil, order_id)  # the first one has looked often enough; this is a new chance
    for connection_id, run in set(runs) - _under_way("call_logs.read"):
        read_call_log(connection_id, run)


def stop() -> None:
    """Stop the engine. What is under way goes on at the next start."""
    DBOS.destroy()


def begin(order_id: int) -> WorkflowHandle[None]:
    """Have an order fulfilled. Beginning it again is the same as once."""
    with SetWorkflowID(f"order-{order_id}"):
        return DBOS.start_workflow(_fulfil, order_id)


def read_call_log(connection_id: int, run: str) -> None:
    """Have a run through a call log read what there is. Doing so again is the same as once."""
    with SetWorkflowID(f"call-log-{run}"):
        DBOS.start_workflow(_read, connection_id, run)


def look_now(order_id: int) -> None:
    """Look at the provider now, without waiting for the workflow's next look."""
    with vendors.in_words():
        fulfilment.settle(order_id)


def look_at_all(session: Session, actor: Actor) -> str:
    """Look at the provider for every open order that the actor sees; return in words what came of it."""
    require(actor, Permission.NUMBERS_WRITE)
    waiting = [order.id for order in db.orders.still_open(session, actor.scope)]
    session.rollback()
    settled = 0
    with vendors.in_words():
        for order_id in waiting:
            settled += fulfilment.settle(order_id)
    return f"{words.amount(settled, 'order')} settled, {len(waiting) - settled:,} still open."


def await_outcome(order_id: int, seconds: float) -> None:
    """Return when the order was answered, or cannot be for now, or *seconds* have passed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with db.engine.open_session() as session:
            progress = db.orders.find_progress(session, order_id)
        if progress is None or progress[0] is not OrderState.PLACED or progress[1]:
            return
        time.sleep(0.05)


def _under_way(name: str) -> set[tuple[Any, ...]]:
    """Return the arguments of the workflows of one kind that are under way, at any replica."""
    workflows = DBOS.list_workflows(name=name, status=UNDER_WAY, load_output=False)
    return {tuple(workflow.input["args"]) for workflow in workflows if workflow.input}
