"""Background work that survives crashes: orders by the sweep, jobs as DBOS workflows.

The source of truth is the row of the order (`services/orders/fulfilment.py`) or of the job (`services/jobs/engine.py`).
"""

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from dbos import DBOS, DBOSConfig, SetEnqueueOptions
from sqlmodel import Session

import db.base.engine
import db.jobs.queries
import db.orders.queries
from db.models import OrderState
from services.connections import provider_access
from services.core.access import Actor, Permission, require
from services.core.settings import Settings
from services.core.transactions import reading, write
from services.health import call_logs
from services.jobs import dbos_internals, engine, jobs
from services.jobs.registry import KINDS
from services.jobs.replicas import Replica
from services.orders import comparisons, fulfilment
from services.orders.sweep import IDLE_SECONDS, Sweep
from services.text import labels

UNDER_WAY = ["ENQUEUED", "PENDING", "DELAYED"]
"""DBOS states of workflows that run or will run, in any replica."""

OLDER = ["orders.fulfil", "call_logs.read", "call_logs.new_days"]
"""Workflows of older versions: orders have a sweep by now, and call logs are jobs."""

LONGEST_LOOK = 60.0
"""Seconds that somebody waits while all open orders are looked at."""

JOBS = "jobs"
"""The queue of jobs: of each tenant it does one at a time, the oldest first, and one beside it that only reads."""

ANSWER_SECONDS = 1.0
"""How long a job waits for answers of a provider before it looks again."""

NEW_DAYS_AT = "27 */3 * * *"
"""When to look for call logs with a new day, as cron says it: within three hours of any tenant's midnight."""

NIGHTS_AT = "11 * * * *"
"""When to look for accounts to compare, as cron says it: within the hour after night falls in any zone."""


@DBOS.step(name="call_logs.start_due", retries_allowed=True, max_attempts=5)
def _start_call_logs() -> None:
    call_logs.start_due()


@DBOS.workflow(name="call_logs.by_clock")
def _read_call_logs(_at: datetime, _context: object) -> None:
    """Start jobs wherever there is a new day."""
    _start_call_logs()
    begin()  # they were started within a transaction


@DBOS.step(name="comparisons.start_due", retries_allowed=True, max_attempts=5)
def _start_comparisons() -> None:
    comparisons.start_due()


@DBOS.workflow(name="comparisons.by_clock")
def _compare_by_clock(_at: datetime, _context: object) -> None:
    """Start jobs wherever night has come."""
    _start_comparisons()


@DBOS.step(name="jobs.advance", retries_allowed=True, max_attempts=10)
def _advance(job_id: int) -> str:
    return engine.advance(job_id)


@DBOS.workflow(name="jobs.run")
def _run(job_id: int) -> None:
    while (step := _advance(job_id)) != engine.Step.END:
        if step == engine.Step.WAIT:
            DBOS.sleep(ANSWER_SECONDS)


_sweep: list[Sweep] = []
"""The sweep of this process, while it runs."""


def launch(settings: Settings, idle_seconds: float = IDLE_SECONDS) -> None:
    """Start background work on our own database; interrupted and pending work continues.

    A process that does not work leaves it to others, which see in the rows what is to be done every *idle_seconds*.
    """
    if not settings.works:
        return
    replica = Replica()
    DBOS(
        config=DBOSConfig(
            name="numberdesk",
            system_database_url=settings.url,
            executor_id=replica.id,
            application_version="1",  # an upgrade continues work that an older version began
            log_level="WARNING",
            console_log_level="WARNING",
        )
    )
    DBOS.launch()
    # Each time has one workflow, whichever of the replicas looks at the clock first.
    DBOS.apply_schedules(
        [
            {"schedule_name": "call-logs", "workflow_fn": _read_call_logs, "schedule": NEW_DAYS_AT, "context": None},
            {"schedule_name": "reconcile", "workflow_fn": _compare_by_clock, "schedule": NIGHTS_AT, "context": None},
        ]
    )
    DBOS.register_queue(JOBS, partition_concurrency=1)
    older = DBOS.list_workflows(name=OLDER, status=UNDER_WAY, load_input=False, load_output=False)
    DBOS.cancel_workflows([workflow.workflow_id for workflow in older])
    replica.beat()
    _hasten()
    jobs.on_start(_begin)
    _sweep[:] = [Sweep(lambda: _live(replica), idle_seconds)]


def stop() -> None:
    """Stop background work. It continues in another replica or at the next start."""
    for sweep in _sweep:
        sweep.stop()
        DBOS.destroy()
    _sweep.clear()
    jobs.on_start()


def begin() -> None:
    """Begin at once what rows say is to be done; a process that does not work leaves it to one that does."""
    if _sweep:
        _begin()


def look_now(order_id: int) -> None:
    """Check at the provider now. Raises ProviderProblem with the reason when that fails."""
    look = fulfilment.drive(order_id, even_early=True)
    if look.problem and not look.is_settled:
        raise provider_access.ProviderProblem(look.problem)


def look_at_all(session: Session, actor: Actor) -> str:
    """Check every open order in the actor's scope at the provider; return a summary.

    Raises ProviderProblem, in the same words, when some could not be looked at: with each reason.
    """
    require(actor, Permission.NUMBERS_WRITE)
    with reading(session):
        waiting = [(order.id, order.connection_id) for order in db.orders.queries.still_open(session, actor.scope)]
    until = time.monotonic() + LONGEST_LOOK
    settled = still_open = 0
    away: dict[int, str] = {}
    hindered: Counter[str] = Counter()
    for order_id, connection_id in waiting:
        if time.monotonic() > until:
            hindered["there are too many to wait for. They are checked automatically"] += 1
            continue
        if connection_id in away:  # it was busy or did not answer a moment ago
            hindered[away[connection_id]] += 1
            continue
        look = fulfilment.carry_on(order_id, even_early=True)
        if look.is_settled:
            settled += 1
        elif look.problem:
            hindered[look.problem] += 1
            if look.sent_away:
                away[connection_id] = look.problem
        else:
            still_open += 1
    text = f"{labels.amount(settled, 'order')} settled, {still_open:,} still open"
    if hindered:
        reasons = (f"{n:,} could not be checked: {why.rstrip('.')}" for why, n in hindered.most_common())
        raise provider_access.ProviderProblem("; ".join((text, *reasons)) + ".")
    return f"{text}."


def await_outcome(order_id: int, seconds: float) -> None:
    """Return when the order was answered, or cannot be for now, or *seconds* have passed."""
    until = time.monotonic() + seconds
    db.base.engine.end_reading()
    while time.monotonic() < until:
        with db.base.engine.open_session() as session:
            progress = db.orders.queries.find_progress(session, order_id)
        if progress is None or progress[0] is not OrderState.PLACED or progress[1]:
            return
        time.sleep(0.05)


def _hasten() -> None:
    """Look at every order that was sent now: a start is a new chance, and the clock may be another one."""
    with write() as session:
        db.orders.queries.hasten(session, datetime.now(UTC))


def _begin() -> None:
    """Have a workflow for each job that was started and has not ended, as the rows say."""
    with db.base.engine.open_session() as session:
        waiting = db.jobs.queries.to_be_done(session)
    if waiting:
        begun = _under_way("jobs.run")
        for job_id, tenant_id, kind in waiting:
            if (job_id,) not in begun:
                line = f"{tenant_id} reading" if KINDS[kind].only_reads else str(tenant_id)
                with SetEnqueueOptions(queue_partition_key=line, priority=job_id):
                    DBOS.enqueue_workflow(JOBS, _run, job_id)


def _live(replica: Replica) -> None:
    """Begin what was committed elsewhere, send a heartbeat, and take over the workflows of dead processes."""
    _begin()
    if not replica.beat():
        return
    begun = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    dead = replica.silent({workflow.executor_id for workflow in begun if workflow.executor_id})
    if dead:
        dbos_internals.take_over(dead)
        replica.forget(dead)


def _under_way(name: str) -> set[tuple[Any, ...]]:
    """Return the arguments of the workflows of one kind that are under way, at any replica."""
    workflows = DBOS.list_workflows(name=name, status=UNDER_WAY, load_output=False)
    return {tuple(workflow.input["args"]) for workflow in workflows if workflow.input}
