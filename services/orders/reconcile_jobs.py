"""What is done about the differences of a comparison, for many numbers at once.

The provider is asked about each number once more before it is changed, and one that is no longer as it was compared is
left as it is. Imports and webhooks are orders: see `services.orders.bulk`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Self

from sqlmodel import Session

import db.base.engine
import db.base.named
import db.numbers.rows
from db.base.scope import Scope
from db.models import Connection, Job, JobItem, Outcome
from db.numbers.rows import NumberRow
from db.orders.comparisons import Section
from providers.base import Provider
from providers.records import OwnedNumber
from services.audit import audit
from services.audit.audit import AT_PROVIDER, Action, Subject
from services.connections import provider_access
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, InvalidInput, NotFound, ServiceError
from services.jobs import drafts
from services.jobs.drafts import Item
from services.jobs.kinds import refuse
from services.numbers import edits, numbers
from services.numbers.bulk import CHANGED_SINCE, Editing
from services.numbers.edits import Edit
from services.orders import resync, sids
from services.orders.reconcile import Drift
from services.orders.resync import Difference


@dataclass(frozen=True)
class Verifying(Editing):
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
            item.place: self._ask(item, row, known.get(row.connection_id or 0))
            for item in items
            if (row := rows.get(item.number_id or 0)) is not None
        }
        return replace(self, there=found)

    def _ask(self, item: JobItem, row: NumberRow, connection: Connection | None) -> OwnedNumber | ServiceError | None:
        try:
            sid, connection = sids.linked(row, connection)
            if not connection.is_active:
                raise InvalidInput(f"{connection.name} is inactive.")
            with provider_access.in_words():
                provider = provider_access.patient(connection, provider_access.FOR_JOB)
                return self.ask(provider, item, row, sids.find_anywhere(provider, sid, row.e164))
        except ServiceError as exc:
            return exc

    def ask(self, provider: Provider, item: JobItem, row: NumberRow, there: OwnedNumber | None) -> OwnedNumber | None:
        """Return how a number is *there*, once its provider did what an item is about, if anything."""
        return there

    def check(self, item: JobItem, row: NumberRow) -> None:
        """Raise a ServiceError when the provider does not have a number as it was compared."""
        there = self.there.get(item.place)
        if isinstance(there, ServiceError):
            raise there
        self.expect(item, row, there)

    def expect(self, item: JobItem, row: NumberRow, there: OwnedNumber | None) -> None:
        """Raise a ServiceError unless a number *there* is as it was compared."""


@dataclass(frozen=True)
class MarkingReleased(Verifying):
    """Marks numbers as released that their account holds no more."""

    def expect(self, _item: JobItem, _row: NumberRow, there: OwnedNumber | None) -> None:
        """Raise InvalidInput for a number that is in the account."""
        if there is not None:
            raise InvalidInput("The number is in the account again. It was left as it is.")


@dataclass(frozen=True)
class TakingOver(Verifying):
    """Takes over what the provider has of each number: its label, its SID."""

    def of(self, _job: Job, item: JobItem) -> Edit:
        """Return the change that takes an item's values over."""
        return edits.TakeOver(item.settings)

    def expect(self, item: JobItem, row: NumberRow, there: OwnedNumber | None) -> None:
        """Raise Conflict when the provider has other values by now."""
        now = {one.field: one.theirs for one in resync.compared(row, there)} if there else {}
        if any(now.get(name) != (value or "—") for name, value in item.settings.items()):
            raise Conflict(_CHANGED_THERE)


@dataclass(frozen=True)
class SendingLabels(Verifying):
    """Gives each number at its provider the label that it has here. Nothing changes here.

    What is asked for may be asked twice: a number that has the label already is done.
    """

    acts = True

    def ask(self, provider: Provider, item: JobItem, row: NumberRow, there: OwnedNumber | None) -> OwnedNumber | None:
        """Name a number there, unless it has another label by now, here or there, than was compared."""
        if there is None:
            raise NotFound("The number is no longer in the account.")
        if row.version != item.version:
            raise Conflict(CHANGED_SINCE)
        theirs = {one.field: one.theirs for one in resync.compared(row, there)}.get(resync.LABEL)
        if theirs is None:
            return there
        if theirs != item.settings["theirs"]:
            raise Conflict(_CHANGED_THERE)
        return provider.set_label(there.sid, row.label)

    def do(self, session: Session, actor: Actor, job: Job, items: Sequence[JobItem]) -> None:
        """Note which numbers were named, and why others were not."""
        require(actor, self.permission)
        events = []
        for item in items:
            there = self.there.get(item.place, NotFound())
            if isinstance(there, ServiceError):
                refuse(item, there)
                continue
            item.outcome = Outcome.CHANGED
            about = Subject("number", item.number_id, item.subject, job.tenant_id, item.version)
            events.append((about, item.before, {**item.after, "job": job.id}))
        audit.record_all(session, actor, Action.NUMBERS_SEND_LABEL, events)


_CHANGED_THERE = "It has changed at the provider since the comparison. It was left as it is; compare again."
MARKING_RELEASED = MarkingReleased(
    "mark_released", "Mark as released", edits.MarkReleased, lambda *_: "Mark as released", can_be_undone=False
)
TAKING_OVER = TakingOver("take_over", "Use the provider's values", edits.TakeOver, lambda *_: "")
SENDING_LABELS = SendingLabels(
    "send_labels", "Send labels to the provider", edits.TakeOver, lambda *_: "", can_be_undone=False
)


def draft_released(session: Session, actor: Actor, drifts: Sequence[Drift], reason: str) -> int:
    """Preview that numbers which their account holds no more are marked as released, for a *reason*.

    Return the id of the job. Raises InvalidInput without a reason.
    """
    require(actor, Permission.NUMBERS_WRITE)
    why = validation.reason(reason, needed=True)
    items = []
    for record, some in _records(session, actor, drifts):
        item = _item(record, as_compared=all(one.label == record.label for one in some))
        item.before, item.after = {"status": str(record.status)}, {"status": "released"}
        items.append(item)
    settings = asdict(edits.MarkReleased(why))
    return drafts.put(session, actor, MARKING_RELEASED, MARKING_RELEASED.title, settings, items)


def draft_take_over(session: Session, actor: Actor, drifts: Sequence[Drift], provider: str) -> int:
    """Preview that numbers take over the label or the SID that their *provider*'s account has; return the job's id."""
    require(actor, Permission.NUMBERS_WRITE)
    items = []
    for record, some in _records(session, actor, drifts):
        differences = [one for drift in some for one in drift.differences]
        item = _item(record, as_compared=_is_as_compared(record, differences))
        item.settings = {one.field: one.theirs if one.theirs != "—" else "" for one in differences}
        try:
            after = edits.TakeOver(item.settings).begin(session, actor.scope)(record)
        except ServiceError as exc:
            item.outcome, item.reason = Outcome.REFUSED, str(exc)
        else:
            item.before, item.after = edits.difference(record, after)
        items.append(item)
    return drafts.put(session, actor, TAKING_OVER, f"Use values from {provider}", {}, items)


def draft_labels(session: Session, actor: Actor, drifts: Sequence[Drift], provider: str) -> int:
    """Preview that numbers are named at their *provider* as they are here; return the id of the job."""
    require(actor, Permission.NUMBERS_WRITE)
    items = []
    for record, some in _records(session, actor, [one for one in drifts if one.section is Section.LABEL]):
        (difference,) = some[0].differences
        item = _item(record, as_compared=_is_as_compared(record, [difference]))
        item.settings = {"theirs": difference.theirs}
        item.before, item.after = {AT_PROVIDER: difference.theirs}, {AT_PROVIDER: difference.ours}
        items.append(item)
    return drafts.put(session, actor, SENDING_LABELS, f"Send labels to {provider}", {}, items)


def _records(session: Session, actor: Actor, drifts: Sequence[Drift]) -> Iterator[tuple[NumberRow, list[Drift]]]:
    """Yield each number on record with what differs about it. Raises NotFound when one is not the tenant's."""
    by_number: dict[int, list[Drift]] = defaultdict(list)
    for one in drifts:
        by_number[one.number_id or 0].append(one)
    found = db.numbers.rows.of_ids(session, Scope(require_tenant(actor)), list(by_number))
    if len(found) < len(by_number):
        raise NotFound
    for number_id in sorted(found):
        yield found[number_id], by_number[number_id]


def _item(record: NumberRow, *, as_compared: bool) -> Item:
    """Return the item of a number, which is refused when what was compared has changed here since."""
    item = Item(record.e164, record.id, record.version)
    if not as_compared:
        item.outcome, item.reason = Outcome.REFUSED, CHANGED_SINCE
    return item


def _is_as_compared(record: NumberRow, differences: Sequence[Difference]) -> bool:
    now = {resync.LABEL: record.label, resync.SID: numbers.sid_of(record)}
    return all((now.get(one.field) or "—") == one.ours for one in differences)
