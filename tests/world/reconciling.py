"""Reconciling as tests do it: numbers set up in Twilio's console, compared, and imported."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from db.base.scope import Slice
from db.connections import ConnectionRow
from db.models import Connection
from db.orders.comparisons import Section
from providers.base import Provider
from providers.sandbox.accounts import MAIN
from providers.sandbox.server import Sandbox
from providers.sandbox.store import OwnedSeed
from services.core.access import Actor
from services.core.transactions import writing
from services.jobs import jobs
from services.orders import bulk, catalogue, comparisons
from services.orders.comparisons import Comparison
from services.orders.orders import Configuration
from services.orders.reconcile import Drift
from tests.conftest import World
from tests.world import working

OURS = "https://voice.example.com/in"
ELSEWHERE = "https://elsewhere.example.com"

_blocks = iter(range(71_600, 71_700))
"""How numbers begin that `holding` gives to the account: each only once, as the sandbox has them."""


def at_twilio(session: Session, world: World) -> Provider:
    return catalogue._provider(session, world.operator, world.twilio)


def held(sandbox: Sandbox, e164: str, others: Mapping[str, str] | None = None, **seed: Any) -> str:
    """Have the account hold *e164*, as somebody set it up in Twilio's console, with *others* of its settings."""
    sandbox.seed_owned([OwnedSeed(e164, MAIN.sid, others=others or {}, **seed)])
    return e164


@contextmanager
def holding(sandbox: Sandbox, amount: int) -> Iterator[list[str]]:
    """Have the account hold so many numbers that begin alike; give the newest first, and take them back."""
    begin = f"+1{next(_blocks)}"
    e164s = [f"{begin}{n:05}" for n in range(amount)]
    sandbox.seed_owned(OwnedSeed(e164, MAIN.sid) for e164 in e164s)
    try:
        yield e164s[::-1]
    finally:
        with sandbox.store.writing() as store:
            store.execute("DELETE FROM owned WHERE e164 LIKE ?", (f"{begin}%",))


@dataclass(frozen=True)
class Found:
    """A comparison that has ended, with what it lists in each section."""

    comparison: Comparison
    only_here: list[Drift]
    label: list[Drift]
    sid: list[Drift]
    webhooks: list[Drift]
    only_there: list[Drift]

    @property
    def agrees(self) -> bool:
        return self.comparison.agrees

    @property
    def connection(self) -> ConnectionRow:
        return self.comparison.connection


def compared(
    session: Session, world: World, matching: str, actor: Actor | None = None, connection: int | None = None
) -> Found:
    session.rollback()
    who = actor or world.operator
    job = comparisons.start(session, who, connection or world.twilio, matching=matching)
    working.finished(session, who, job)
    return listed(session, who, job)


def listed(session: Session, actor: Actor, job: int) -> Found:
    """Return what a comparison lists."""
    each = {str(section): comparisons.rows(session, actor, job, section) for section in Section}
    return Found(comparisons.get(session, actor, job), **each)


def imported(session: Session, world: World, row: Drift, comparison: Found) -> int:
    """Import a number and return its id."""
    job = bulk.draft_import(session, world.operator, comparison.connection.id, [row.number], Configuration())
    assert working.run(session, world.operator, job).changed == 1
    (item,) = jobs.items(session, world.operator, job, (), Slice())
    return item.number_id or 0


def move_webhooks(session: Session, world: World, url: str = "https://voice.example.com/v2") -> None:
    """Have the connection point elsewhere, as an admin does."""
    with writing(session):  # as others may write meanwhile
        session.get_one(Connection, world.twilio).voice_url = url
