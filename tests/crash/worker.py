"""An app in a process of its own, forked from one that has imported everything: it orders, recovers, or just lives."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from math import inf
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, ClassVar

import db.base.engine
import db.jobs.queries
import db.orders.queries
from db.base.scope import Scope
from db.models import OrderKind
from providers.records import Webhooks
from services.core import settings
from services.core.access import Actor
from services.health import call_logs
from services.jobs import engine, workflows
from services.orders import fulfilment, orders
from services.orders.orders import Configuration, Purchase
from services.setup import startup
from tests.crash.dying import Moments
from tests.world.ordering import PRICE
from tests.world.waiting import until

PATIENCE = 60.0
"""Seconds until something that should have happened is a failure."""

NOTHING_SET = Webhooks()


@dataclass(frozen=True)
class Installation:
    """What every process of one installation shares."""

    database: str
    sandbox: str
    data_dir: str
    log: str
    settle_seconds: float = 0.5
    busy_seconds: float = 10.0


@dataclass(frozen=True)
class Wish:
    """What somebody is about to order."""

    kind: OrderKind
    e164: str
    actor: Actor
    connection_id: int
    number_id: int = 0
    version: int = 0
    sid: str = ""
    seen: Webhooks = NOTHING_SET
    wanted: Webhooks = NOTHING_SET

    def place(self) -> int:
        """Place the order and return its id."""
        with db.base.engine.open_session() as session:
            match self.kind:
                case OrderKind.PURCHASE:
                    purchase = Purchase(self.e164, price=PRICE)
                    return orders.place_purchase(session, self.actor, self.connection_id, purchase)
                case OrderKind.IMPORT:
                    return orders.place_import(
                        session, self.actor, self.connection_id, self.e164, self.sid, self.seen, Configuration()
                    )
                case OrderKind.RELEASE:
                    return orders.place_release(session, self.actor, self.number_id, self.e164, version=self.version)
                case OrderKind.WEBHOOKS:
                    return orders.place_webhooks(session, self.actor, self.number_id, self.seen, self.wanted)


class Worker:
    """A process of an installation, and what it says."""

    living: ClassVar[list["Worker"]] = []

    def __init__(self, does: Callable[..., None], *arguments: Any) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["__main__", __name__])
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(does, theirs, *arguments), daemon=True)
        self._process.start()
        self.living.append(self)
        theirs.close()

    def says(self) -> Any:
        """Return what the process says next; None when it died without another word."""
        if not self._pipe.poll(PATIENCE):
            raise TimeoutError("the process does not say what it should")
        try:
            return self._pipe.recv()
        except EOFError:
            return None

    def awaits(self, word: str) -> Any:
        """Return when the process says *word*, with what it says about it."""
        while True:
            said = self.says()
            if said is None:
                raise ChildProcessError(f"the process ended before it said {word!r}")
            if said[0] == word:
                return said[1]

    def kill(self) -> None:
        """Have the process die at once, unless it is dead."""
        if self in self.living:
            self.living.remove(self)
        self._process.kill()
        self._process.join(PATIENCE)
        self._pipe.close()

    @property
    def was_killed(self) -> bool:
        """Whether the process died of a signal rather than of an error."""
        return self._process.exitcode == -signal.SIGKILL


def order(says: Pipe, _installation: Installation, wish: Wish, last_moment: int | None = None) -> None:
    """Order something as a page does, and live on until killed, at a moment of the order's or from outside."""
    _use_database()
    workflows.launch(settings.current())
    moments = Moments(last_moment)
    says.send(("begins", None))
    with moments.of_this_thread():
        order_id = wish.place()
        moments.of_order(order_id)
    says.send(("ordered", order_id))
    until(lambda: order_id not in _open(), inf)  # whoever started this process has less patience
    says.send(("over", moments.passed))
    signal.pause()


def advance(says: Pipe, _installation: Installation, job_id: int, batch: int, last_moment: int | None = None) -> None:
    """Do a job that was started, some items at a time, and die at a moment of it, if one is given."""
    os.environ["NUMBERDESK_JOB_BATCH"] = str(batch)
    settings.current.cache_clear()
    _use_database()
    moments = Moments(last_moment)
    with moments.of_this_thread():
        while (step := engine.advance(job_id)) is not engine.Step.END:
            if step is engine.Step.WAIT:
                for order_id in _open():
                    fulfilment.drive(order_id, even_early=True)
    says.send(("over", len(moments.passed)))


def read_calls(says: Pipe, _installation: Installation, actor: Actor, connection_id: int, first_day: date) -> None:
    """Begin to read a call log as a page does, and live on until killed."""
    _use_database()
    workflows.launch(settings.current())
    with db.base.engine.open_session() as session:
        job_id = call_logs.begin(session, actor, connection_id, first_day=first_day)
    workflows.begin()
    says.send(("reading", job_id))
    signal.pause()


def start(says: Pipe, _installation: Installation) -> None:
    """Start as the app does, and live on until killed; say when no order is open any more."""
    startup.start(settings.current())
    workflows.launch(settings.current())
    says.send(("launched", None))
    until(lambda: not _open(), inf)  # whoever started this process has less patience
    says.send(("settled", None))
    until(lambda: not _working(), inf)
    says.send(("worked", None))
    signal.pause()


def _run(does: Callable[..., None], says: Pipe, installation: Installation, *others: Any) -> None:
    log = os.open(installation.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.environ |= {
        "DATABASE_URL": installation.database,
        "NUMBERDESK_SANDBOX_URL": installation.sandbox,
        "NUMBERDESK_DATA_DIR": installation.data_dir,
        "NUMBERDESK_ENCRYPTION_KEYS": (Path(installation.data_dir) / "encryption.key").read_text(),
        "NUMBERDESK_BUSY_SECONDS": str(installation.busy_seconds),
        "NUMBERDESK_SETTLE_SECONDS": str(installation.settle_seconds),
        "NUMBERDESK_DEMO": "0",
        "NUMBERDESK_LOG_LEVEL": "WARNING",
    }
    settings.current.cache_clear()
    does(says, installation, *others)


def _use_database() -> None:
    config = settings.current()
    db.base.engine.use(db.base.engine.make_engine(config.url, config.busy_seconds))


def _working() -> list[tuple[int, int, str]]:
    with db.base.engine.open_session() as session:
        return db.jobs.queries.to_be_done(session)


def _open() -> list[int]:
    with db.base.engine.open_session() as session:
        return [order.id for order in db.orders.queries.still_open(session, Scope(None))]
