"""The kinds of jobs that write the rows of files; each keeps its file as it was: titles, and the cells of every row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlmodel import Session

import db.jobs.queries
from db.models import Job, JobItem
from db.models import Outcome as Done
from services.core.access import Actor, Permission, require
from services.jobs import imports
from services.jobs.imports import WRITTEN, WRONG, ImportKind, Outcome, Result, Row
from services.jobs.kinds import LONGEST_REASON, JobKind, refuse
from services.text import files, written_numbers

CHANGED_SINCE = "Someone else changed this number since the preview. It was left as it is."

FOUND = "found"
"""The setting of an item that says what was found of its row, an `imports.Outcome`."""


@dataclass(frozen=True)
class Importing(JobKind):
    """Jobs that keep the rows of a file, and write those that are good on what is on record then."""

    name: str
    title: str
    brings: type[ImportKind[Any]]
    verb: str = "Import"
    noun: ClassVar[str] = "row"

    @property
    def permission(self) -> Permission:  # type: ignore[override]  # it follows from what is imported
        """What is needed to import such rows."""
        return self.brings.permission

    def do(self, session: Session, actor: Actor, job: Job, items: Sequence[JobItem]) -> None:
        """Write the rows that are still good; say of the others why not."""
        require(actor, self.permission)
        kind = self.brings.chosen(job.settings["choices"])
        rows = [row_of(job.settings["columns"], item.place, item.settings) for item in items]
        reader = kind.reader(session, actor, rows)
        read = [reader.read(row) for row in rows]
        reader.claim(session, read)
        good: list[tuple[JobItem, Any]] = []
        for item, (result, thing) in zip(items, reader.judge(session, read), strict=True):
            if thing is not None and result.version != item.version:
                refuse(item, CHANGED_SINCE)
                continue
            for name, value in noted(result, item.settings).items():
                if getattr(item, name) != value:
                    setattr(item, name, value)
            if thing is not None:
                good.append((item, thing))
        if not good:
            return
        things = [thing for _, thing in good]
        ids = kind.write(session, actor, things, job.id)
        db.jobs.queries.note_changed(session, job.id, [item for item, _ in good], ids)
        if details := kind.details(things, job.settings.get("details", {})):
            job.settings = {**job.settings, "details": dict(details)}

    def end(self, session: Session, actor: Actor, job: Job) -> None:
        """Note in the log how many rows had which outcome, once something was written."""
        if job.changed:
            details = job.settings.get("details", {})
            imports.log(session, actor, self.brings, job.settings["source"], counts(session, job.id)[0], details)


def row_of(columns: Mapping[str, int], place: int, settings: Mapping[str, Any]) -> Row:
    """Return the row that an item keeps, by field. Cells of a column that was added later are only in some rows."""
    cells = [files.unpacked(cell) for cell in settings["cells"]]
    given = {field: "" if cells[at] is None else cells[at] for field, at in columns.items() if at < len(cells)}
    return Row(given, place, settings.get("problem", ""), settings.get("recall", ()))


def noted(result: Result, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an item notes of the outcome of its row, by column, with its *settings* as they become by it."""
    reason = written_numbers.storable(result.reason)
    kept = {name: settings[name] for name in ("cells", "problem") if settings.get(name)}
    kept[FOUND] = str(result.outcome)
    if result.fields:
        kept["fields"] = result.fields
    if len(reason) > LONGEST_REASON:
        kept["reason"] = reason
    if result.recall:
        kept["recall"] = list(result.recall)
    return {
        "outcome": _PREVIEW[result.outcome],
        "reason": reason[:LONGEST_REASON],
        "number_id": result.number_id,
        "version": result.version,
        "before": dict(result.before),
        "after": dict(result.after),
        "settings": kept,
    }


_PREVIEW = {
    **dict.fromkeys(WRONG, Done.REFUSED),
    **dict.fromkeys(WRITTEN, Done.WAITING),
    **dict.fromkeys((Outcome.DIFFERS, Outcome.HERE), Done.UNCHANGED),
}
"""What an item's outcome is by what was found of its row, before anything is done."""


def found_of(outcome: Done, found: str) -> Outcome | None:
    """Return what became of a row, or would; None for one that the job left when it was cancelled."""
    if outcome is Done.REFUSED:
        return Outcome(found) if found in WRONG else Outcome.REFUSED
    return None if outcome is Done.CANCELLED else Outcome(found)


def counts(session: Session, job_id: int) -> tuple[dict[Outcome, int], int]:
    """Return how many rows had which outcome, and how many of those that are written have a remark."""
    found: Counter[Outcome] = Counter()
    remarks = 0
    for outcome, name, has_reason, n in db.jobs.queries.count_by(session, job_id, FOUND):
        one = found_of(outcome, name)
        if one is not None:
            found[one] += n
            remarks += n if one in WRITTEN and has_reason else 0
    return {one: found[one] for one in Outcome if found[one]}, remarks
