"""Changes of many numbers at once: what is chosen is judged for a preview, and changed by a job."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

import db.base.named
import db.numbers.queries
import db.numbers.rows
import db.orders.queries
from db.base.scope import Scope
from db.models import Agent, Connection, Job, JobItem, Outcome
from db.numbers.matching import NumberQuery
from db.numbers.rows import NumberRow
from services.audit import audit
from services.audit.audit import Subject
from services.core.access import Actor, Permission, require
from services.core.errors import Conflict, NotFound, ServiceError
from services.jobs import drafts
from services.jobs.drafts import Item
from services.jobs.kinds import JobKind, refuse
from services.numbers import edits, numbers
from services.numbers.edits import Edit
from services.text import numbering

CHANGED_SINCE = "Someone else changed this number since. It was left as it is."
_IDS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Chosen:
    """Numbers that are chosen: by their ids, or all that match a *query* without some."""

    ids: tuple[int, ...] = ()
    query: NumberQuery | None = None
    but: frozenset[int] = frozenset()


def chosen_rows(session: Session, actor: Actor, chosen: Chosen) -> Iterator[NumberRow]:
    """Yield the numbers that are chosen, in the order of ids. Raises InvalidInput when there are too many."""
    require(actor, Permission.NUMBERS_READ)
    for found, row in enumerate(_walk(session, actor, chosen), 1):
        if found > drafts.MOST_ITEMS:
            raise drafts.too_many()
        yield row


def _walk(session: Session, actor: Actor, chosen: Chosen) -> Iterator[NumberRow]:
    if chosen.query is not None:
        rows = db.numbers.queries.walk(session, actor.scope, numbers.with_thresholds(session, actor, chosen.query))
        yield from (row for row in rows if row.id not in chosen.but)
        return
    ids = sorted(set(chosen.ids))
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = NumberQuery(ids=tuple(ids[start : start + _IDS_AT_ONCE]))
        yield from db.numbers.queries.walk(session, actor.scope, some)


@dataclass(frozen=True)
class Editing(JobKind):
    """Jobs that make one declared change to each number. *described* says what a change does."""

    name: str
    title: str
    edit: type[Edit]
    described: Callable[[Session, Scope, Any], str]
    confirmed: bool = False
    can_be_undone: bool = True
    verb: str = "Change"
    note: str = ""

    @property
    def permission(self) -> Permission:  # type: ignore[override]  # it follows from the change
        """What is needed to make the change."""
        return self.edit.permission

    @property
    def undo(self) -> JobKind | None:  # type: ignore[override]  # the one kind takes back all of these
        """The kind of jobs that gives numbers their values back."""
        return UNDOING if self.can_be_undone else None

    def of(self, job: Job, _item: JobItem) -> Edit:
        """Return the change that a job makes to an item."""
        return self.edit(**job.settings)

    def check(self, item: JobItem, row: NumberRow) -> None:
        """Raise a ServiceError for an item that is not to be changed, whatever the change makes of it."""

    def do(self, session: Session, actor: Actor, job: Job, items: Sequence[JobItem]) -> None:
        """Change the numbers that are as the preview showed them; say of the others why not."""
        require(actor, self.permission)
        scope = Scope(job.tenant_id)
        if self.edit.claims:  # as orders do, before the rows are locked
            db.orders.queries.claim_all(session, [item.subject for item in items])
        locked = db.numbers.queries.lock_all(session, scope, [item.number_id for item in items if item.number_id])
        rows = db.numbers.rows.of_ids(session, scope, list(locked))
        events: list[tuple[Subject, Mapping[str, Any], Mapping[str, Any]]] = []
        apply, begun = None, None
        for item in items:
            edit = self.of(job, item)
            try:
                if apply is None or edit != begun:
                    apply, begun = edit.begin(session, scope), edit
                number = locked.get(item.number_id or 0)
                if number is None:
                    raise NotFound
                if number.version != item.version:
                    raise Conflict(CHANGED_SINCE)
                before = rows[number.id]
                self.check(item, before)
                after = _applied(edit, apply, before)
            except ServiceError as exc:
                refuse(item, exc)
                continue
            item.before, item.after = edits.difference(before, after)
            if not item.after:
                item.outcome = Outcome.UNCHANGED
                continue
            edits.write(session, actor, number, before, after)
            number.version += 1
            number.updated_at = datetime.now(UTC)
            item.outcome, item.new_version = Outcome.CHANGED, number.version
            item.old = edits.old_values(before, after)
            about = Subject("number", number.id, number.e164, job.tenant_id, number.version)
            details = {name: text for name, text in edit.details.items() if text}
            events.append((about, item.before, {**item.after, **details, "job": job.id}))
        session.flush()
        audit.record_all(session, actor, self.edit.action, events)


@dataclass(frozen=True)
class Undoing(Editing):
    """Jobs that give the numbers of another job back what they had; each item has its own values."""

    def of(self, _job: Job, item: JobItem) -> Edit:
        """Return the change that gives an item its values back."""
        return edits.Restore(item.settings)


def draft(name: str, session: Session, actor: Actor, chosen: Chosen, **values: Any) -> int:
    """Preview a change of the kind *name* to all that is *chosen*; return the id of its job. Nothing is changed yet.

    Raises Forbidden, NotFound, and InvalidInput for *values* that fit no number, or no or too many numbers.
    """
    require(actor, Permission.NUMBERS_WRITE)
    return draft_kind(EDITING[name], session, actor, chosen, **values)


def draft_kind(kind: Editing, session: Session, actor: Actor, chosen: Chosen, **values: Any) -> int:
    """Preview a change of a *kind*, as `draft` does."""
    require(actor, Permission.NUMBERS_WRITE)
    require(actor, kind.permission)
    scope, edit = actor.scope, kind.edit(**values)
    apply = edit.begin(session, scope)
    _ = edit.details  # it is checked as well

    def judge(row: NumberRow) -> Item:
        item = Item(row.e164, row.id, row.version)
        item.before, item.after = edits.difference(row, _applied(edit, apply, row))
        item.outcome = Outcome.WAITING if item.after else Outcome.UNCHANGED
        item.monthly = row.monthly if "status" in item.after else None
        return item

    items = judged(chosen, chosen_rows(session, actor, chosen), judge)
    return drafts.put(session, actor, kind, kind.described(session, scope, edit), asdict(edit), items)  # type: ignore[call-overload]


def judged(chosen: Chosen, rows: Iterable[NumberRow], judge: Callable[[NumberRow], Item]) -> list[Item]:
    """Return the item of each number that is *chosen*: as *judge* says, or refused; ids without a row are as well."""
    items, seen = [], set()
    for row in rows:
        seen.add(row.id)
        try:
            items.append(judge(row))
        except ServiceError as exc:
            items.append(Item(row.e164, row.id, row.version, Outcome.REFUSED, str(exc)))
    return items + [missing(number_id) for number_id in sorted(set(chosen.ids) - seen)]


def missing(number_id: int) -> Item:
    """Return the item of an id that is no number of the tenant."""
    return Item(f"No. {number_id}", number_id, outcome=Outcome.REFUSED, reason=str(NotFound()))


def _applied(edit: Edit, apply: edits.Apply, row: NumberRow) -> NumberRow:
    if row.is_gone and not edit.brings_back:
        raise numbers.gone()
    return apply(row)


def _named(session: Session, scope: Scope, model: type[Agent] | type[Connection], row_id: int | None) -> str:
    found = db.base.named.find(session, model, scope, row_id) if row_id is not None else None
    return found.name if found else ""


def _agent(session: Session, scope: Scope, edit: edits.AssignAgent) -> str:
    name = _named(session, scope, Agent, edit.agent_id)
    return f"Assign agent {name}" if name else "Unassign the agent"


def _countries(way: str) -> Callable[[Session, Scope, Any], str]:
    def described(_session: Session, _scope: Scope, edit: Any) -> str:
        names = ", ".join(map(numbering.country_name, edit.countries))
        return f"Allow {way} countries: {names}" if names else f"Lift the restriction of {way} countries"

    return described


def _always(text: str) -> Callable[[Session, Scope, Any], str]:
    return lambda _session, _scope, _edit: text


EDITING: dict[str, Editing] = {
    kind.name: kind
    for kind in (
        Editing("activate", "Activate", edits.Activate, _always("Activate")),
        Editing("deactivate", "Deactivate", edits.Deactivate, _always("Deactivate")),
        Editing("assign_agent", "Assign agent", edits.AssignAgent, _agent),
        Editing("restrict_inbound", "Set inbound countries", edits.RestrictInbound, _countries("inbound")),
        Editing("restrict_outbound", "Set outbound countries", edits.RestrictOutbound, _countries("outbound")),
        Editing("add_tags", "Add tags", edits.AddTags, lambda _s, _c, edit: f"Add tags: {', '.join(edit.tags)}"),
        Editing(
            "remove_tags", "Remove tags", edits.RemoveTags, lambda _s, _c, edit: f"Remove tags: {', '.join(edit.tags)}"
        ),
        Editing(
            "set_connection",
            "Change connection",
            edits.SetConnection,
            lambda session, scope, edit: (
                f"Change connection to {_named(session, scope, Connection, edit.connection_id)}"
            ),
        ),
        Editing(
            "remove",
            "Remove from workspace",
            edits.Remove,
            _always("Remove from workspace"),
            confirmed=True,
            verb="Remove",
            note="They leave their campaigns. Their records and history stay, and the removal can be undone.",
        ),
    )
}
"""The changes that can be made to many numbers, by name."""

UNDOING = Undoing("undo", "Undo", edits.Restore, _always("Undo"), can_be_undone=False)
"""The kind of jobs that take back another one."""
