"""Reconcile: compares an account with the records of its connection before anything changes.

Comparing writes nothing. What is then done about the differences is a job: `reconcile_jobs`, and orders for imports and
webhooks.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Generic, TypeVar

from sqlmodel import Session

import db.connections
import db.numbers.rows
import db.orders.queries
import db.orders.reconcile
from db.base.scope import Scope
from db.connections import ConnectionRow
from providers.base import Capability
from providers.records import OwnedNumber, pages
from services.connections import provider_access
from services.connections.connections import provider_named
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import InvalidInput
from services.core.transactions import reading
from services.orders import resync
from services.orders.resync import Difference

__all__ = ["ConnectionRow", "Difference"]

MOST_KEPT = 5_000
"""How many numbers of each kind a comparison keeps; the rest is counted, and reached by comparing a part."""


@dataclass(frozen=True)
class MissingHere:
    """A number of the account that is not on record here; `why_not` says what keeps it from being imported."""

    number: OwnedNumber
    label: str
    why_not: str = ""

    @property
    def e164(self) -> str:
        """The number."""
        return self.number.e164


@dataclass(frozen=True)
class MissingThere:
    """A number on record here that the account does not hold."""

    number_id: int
    e164: str
    label: str
    version: int


@dataclass(frozen=True)
class Different:
    """A number that both have, and what differs. `there` is how the account has it."""

    number_id: int
    e164: str
    version: int
    differences: tuple[Difference, ...]
    there: OwnedNumber

    @property
    def to_take_over(self) -> tuple[Difference, ...]:
        """What can be taken over from the provider."""
        return tuple(difference for difference in self.differences if difference.field)

    @property
    def webhooks(self) -> tuple[Difference, ...]:
        """What can be set at the provider."""
        return tuple(difference for difference in self.differences if not difference.field)


Row = TypeVar("Row", MissingHere, MissingThere, Different)


@dataclass
class Found(Generic[Row]):
    """Numbers of one kind, and how many more there are than a comparison keeps."""

    rows: list[Row] = field(default_factory=list)
    more: int = 0

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.rows) + self.more

    def add(self, row: Row) -> None:
        """Keep another number, or only count it."""
        if len(self.rows) < MOST_KEPT:
            self.rows.append(row)
        else:
            self.more += 1

    def without(self, e164s: Collection[str]) -> "Found[Row]":
        """Return them without some."""
        return Found([row for row in self.rows if row.e164 not in e164s], self.more)


@dataclass(frozen=True)
class Comparison:
    """What an account held against what was on record on *connection*, when it was asked at `as_of`.

    Numbers without *matching* in them were left out. `held` are in the account, `on_record` are managed through the
    connection, `same` agree in everything. `elsewhere` are in the account and on record in the tenant, but added
    manually or under another connection: these were not compared.
    """

    connection: ConnectionRow
    matching: str
    as_of: datetime
    held: int
    on_record: int
    same: int
    elsewhere: int
    missing_here: Found[MissingHere]
    missing_there: Found[MissingThere]
    different: Found[Different]

    @property
    def agrees(self) -> bool:
        """Whether there is nothing to reconcile."""
        return not (self.missing_here.total or self.missing_there.total or self.different.total)

    def without(self, e164s: Collection[str]) -> "Comparison":
        """Return the comparison without numbers that have been changed since."""
        return replace(
            self,
            missing_here=self.missing_here.without(e164s),
            missing_there=self.missing_there.without(e164s),
            different=self.different.without(e164s),
        )


def connection_options(session: Session, actor: Actor) -> list[ConnectionRow]:
    """Return the tenant's active connections whose provider can list what an account holds, by name."""
    require(actor, Permission.NUMBERS_RECONCILE)
    rows = db.connections.choices(session, Scope(require_tenant(actor)), active_only=True)
    return [row for row in rows if provider_named(row.provider).can(Capability.LIST_OWNED)]


def compare(
    session: Session,
    actor: Actor,
    connection_id: int,
    progress: Callable[[int], None] | None = None,
    *,
    matching: str = "",
) -> Comparison:
    """Read the whole account of a connection, and return how it differs from what is on record.

    *matching* is a part of the numbers to compare; *progress* is told how many numbers were read so far. Raises
    InvalidInput for a connection that cannot be asked, ProviderProblem when the provider fails, even in the middle.
    """
    require(actor, Permission.NUMBERS_RECONCILE)
    scope = Scope(require_tenant(actor))
    as_of = datetime.now(UTC)
    connection = next((row for row in connection_options(session, actor) if row.id == connection_id), None)
    if connection is None:
        raise InvalidInput("Choose an active connection that can be compared.", field="connection")
    provider = provider_access.patient(validation.connection(session, scope, connection_id))
    matching = "".join(c for c in matching if c in "+0123456789")
    missing_here, missing_there, different = Found[MissingHere](), Found[MissingThere](), Found[Different]()
    theirs: set[str] = set()
    on_record = same = elsewhere = 0
    for rows in pages(lambda token: provider.owned_page(matching=matching, token=token)):
        # A number that was bought meanwhile moves the others, so that one may come twice.
        fresh = [number for number in rows if number.e164 not in theirs]
        theirs.update(number.e164 for number in fresh)
        with reading(session):
            records = db.orders.reconcile.among(session, scope, [number.e164 for number in fresh])
            unknown = [number.e164 for number in fresh if number.e164 not in records]
            taken = db.orders.reconcile.held_by_anybody(session, unknown)
            ordered = db.orders.queries.open_numbers(session)
        for number in fresh:
            record = records.get(number.e164)
            if record is None:
                missing_here.add(MissingHere(number, resync.label_of(number), why_not(number.e164, taken, ordered)))
            elif record.connection_id != connection_id or not record.is_managed:
                elsewhere += 1
            elif differing := resync.compared(record, number):
                different.add(Different(record.id, record.e164, record.version, tuple(differing), number))
            else:
                same += 1
        if progress is not None:
            progress(len(theirs))
    with reading(session):
        for record in db.orders.reconcile.managed(session, scope, connection_id, matching):
            on_record += 1
            if record.e164 not in theirs:
                missing_there.add(MissingThere(record.id, record.e164, record.label, record.version))
    return Comparison(
        connection,
        matching,
        as_of,
        len(theirs),
        on_record,
        same,
        elsewhere,
        missing_here,
        missing_there,
        different,
    )


def attached(session: Session, actor: Actor, rows: Sequence[MissingThere]) -> dict[int, list[str]]:
    """Return the campaigns that each of the numbers would leave, by the id of the number."""
    require(actor, Permission.NUMBERS_READ)
    return db.numbers.rows.campaigns(session, Scope(require_tenant(actor)), [row.number_id for row in rows])


def why_not(e164: str, taken: set[str], ordered: set[str]) -> str:
    """Return what keeps a number from being imported: somebody has it, or it is being ordered; else nothing."""
    if e164 in taken:
        return str(validation.taken(e164))
    return validation.being_ordered(e164) if e164 in ordered else ""
