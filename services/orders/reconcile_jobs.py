"""What is done about the differences of a comparison, for many numbers at once.

The provider is asked about each number once more before it is changed, and one that is no longer as it was compared is
left as it is. Imports and webhooks are orders: see `services.orders.bulk`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Self

from sqlmodel import Session

import db.base.engine
import db.base.named
import db.numbers.rows
from db.base.scope import Scope
from db.models import Connection, Job, JobItem, Outcome
from db.numbers.rows import NumberRow
from providers.records import OwnedNumber
from services.connections import provider_access
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, InvalidInput, NotFound, ServiceError
from services.jobs import drafts
from services.jobs.drafts import Item
from services.numbers import edits, numbers
from services.numbers.bulk import Editing
from services.numbers.edits import Edit
from services.orders import resync, sids
from services.orders.reconcile import Different, MissingThere


@dataclass(frozen=True)
class Comparing(Editing):
    """Jobs that look at the provider before they change a number. `there` is what was found, by the item's place."""

    there: Mapping[int, OwnedNumber | ServiceError | None] = field(default_factory=dict)
    looks = True
    at_once = 20

    def looking(self, job: Job, items: Sequence[JobItem]) -> Self:
        """Return the kind with how each of *items* is in the account of its connection now."""
        with db.base.engine.open_session() as session:
            scope = Scope(job.tenant_id)
            rows = db.numbers.rows.of_ids(session, scope, [item.number_id for item in items if item.number_id])
            known = {
                row.connection_id: db.base.named.find(session, Connection, scope, row.connection_id)
                for row in rows.values()
                if row.connection_id is not None
            }
        found = {
            item.place: self._find(row, known.get(row.connection_id or 0))
            for item in items
            if (row := rows.get(item.number_id or 0)) is not None
        }
        return replace(self, there=found)

    def _find(self, row: NumberRow, connection: Connection | None) -> OwnedNumber | ServiceError | None:
        sid = numbers.sid_of(row)
        if connection is None or sid is None:
            return InvalidInput("This number has no SID at its provider.")
        try:
            with provider_access.in_words():
                return sids.find_anywhere(provider_access.patient(connection), sid, row.e164)
        except ServiceError as exc:
            return exc

    def check(self, item: JobItem, row: NumberRow) -> None:
        """Raise a ServiceError when the provider does not have a number as it was compared."""
        there = self.there.get(item.place)
        if isinstance(there, ServiceError):
            raise there
        self.expect(item, row, there)

    def expect(self, item: JobItem, row: NumberRow, there: OwnedNumber | None) -> None:
        """Raise a ServiceError unless a number *there* is as it was compared."""


@dataclass(frozen=True)
class MarkingReleased(Comparing):
    """Marks numbers as released that their account holds no more."""

    def expect(self, _item: JobItem, _row: NumberRow, there: OwnedNumber | None) -> None:
        """Raise InvalidInput for a number that is in the account."""
        if there is not None:
            raise InvalidInput("The number is in the account again. It was left as it is.")


@dataclass(frozen=True)
class TakingOver(Comparing):
    """Takes over what the provider has of each number: its label, its SID."""

    def of(self, _job: Job, item: JobItem) -> Edit:
        """Return the change that takes an item's values over."""
        return edits.TakeOver(item.settings)

    def expect(self, item: JobItem, row: NumberRow, there: OwnedNumber | None) -> None:
        """Raise Conflict when the provider has other values by now."""
        now = {one.field: one.theirs for one in resync.compared(row, there)} if there else {}
        if any(now.get(name) != (value or "—") for name, value in item.settings.items()):
            raise Conflict("It has changed at the provider since the comparison. It was left as it is; compare again.")


MARKING_RELEASED = MarkingReleased(
    "mark_released", "Mark as released", edits.MarkReleased, lambda *_: "Mark as released", can_be_undone=False
)
TAKING_OVER = TakingOver("take_over", "Use the provider's values", edits.TakeOver, lambda *_: "")


def draft_released(session: Session, actor: Actor, rows: Sequence[MissingThere], reason: str) -> int:
    """Preview that numbers which their account holds no more are marked as released, for a *reason*.

    Return the id of the job. Raises InvalidInput without a reason.
    """
    require(actor, Permission.NUMBERS_WRITE)
    why = validation.reason(reason, needed=True)
    found = {row.number_id: row.version for row in rows}
    items = []
    for row in _rows(session, actor, found):
        item = Item(row.e164, row.id, found[row.id])
        item.before, item.after = {"status": str(row.status)}, {"status": "released"}
        items.append(item)
    settings = asdict(edits.MarkReleased(why))
    return drafts.put(session, actor, MARKING_RELEASED, MARKING_RELEASED.title, settings, items)


def draft_take_over(session: Session, actor: Actor, rows: Sequence[Different], provider: str) -> int:
    """Preview that numbers take over what their *provider*'s account has; return the id of the job."""
    require(actor, Permission.NUMBERS_WRITE)
    taken: dict[int, dict[str, str]] = {}
    for row in rows:
        values = {one.field: one.theirs if one.theirs != "—" else "" for one in row.to_take_over}
        taken.setdefault(row.number_id, {}).update(values)
    found = {row.number_id: row.version for row in rows}
    items = []
    for record in _rows(session, actor, found):
        item = Item(record.e164, record.id, found[record.id], settings=dict(taken[record.id]))
        try:
            after = edits.TakeOver(taken[record.id]).begin(session, actor.scope)(record)
        except ServiceError as exc:
            item.outcome, item.reason = Outcome.REFUSED, str(exc)
        else:
            item.before, item.after = edits.difference(record, after)
        items.append(item)
    return drafts.put(session, actor, TAKING_OVER, f"Use values from {provider}", {}, items)


def _rows(session: Session, actor: Actor, versions: Mapping[int, int]) -> list[NumberRow]:
    found = db.numbers.rows.of_ids(session, Scope(require_tenant(actor)), list(versions))
    if len(found) < len(versions):
        raise NotFound
    return [found[number_id] for number_id in sorted(found)]
