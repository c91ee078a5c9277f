"""Imports by file: a file becomes a preview, kept as a job; its wrong rows are taken away, or mended where they are."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, NamedTuple

from sqlmodel import Session

import db.jobs.queries
from db.base.scope import Slice
from db.jobs.queries import ItemRow, JobRow
from db.models import JobState
from db.models import Outcome as Done
from services.core.access import Actor, Permission, require
from services.core.errors import Conflict, NotFound
from services.jobs import drafts, import_kinds, imports, jobs
from services.jobs.drafts import Item
from services.jobs.import_kinds import FOUND, Importing, row_of
from services.jobs.imports import ImportKind, Outcome, Progress, Row
from services.jobs.registry import IMPORTS
from services.text import exports, files, written_numbers
from services.text.exports import Table
from services.text.tables.grids import Sheet

_BEFORE_COLUMNS = ("Row", "Outcome", "Reason")
"""The columns before those of the file, in the file of outcomes."""

NOT_DONE = "Not done"


class Counts(NamedTuple):
    """How many rows of an import have which outcome, and how many of the written ones a remark."""

    outcomes: dict[Outcome, int]
    remarks: int


class WrongRow(NamedTuple):
    """A row that cannot be imported: its place in the file, why, the fields that it is about, and its cells."""

    place: int
    reason: str
    fields: Sequence[str]
    cells: Sequence[str]


def draft(
    session: Session,
    actor: Actor,
    kind: ImportKind[Any],
    sheet: Sheet,
    matched: Mapping[str, str | None],
    source: str,
    *,
    progress: Progress | None = None,
) -> int:
    """Check the rows of *sheet*, each field from the column that is *matched* to it; return the id of the preview.

    *source* is the name of the file. *progress* hears of the reading alone: what it does may end the caller.
    Raises Forbidden, NotFound outside of a tenant, and InvalidInput for a file that cannot be imported at all.
    """
    require(actor, kind.permission)
    rows = imports.rows(type(kind), sheet, matched)
    width = len(sheet.columns)
    given = []
    for row in sheet.rows:
        cells = [files.packed(cell) for cell in row.cells]
        if not row.problem:
            cells += [""] * (width - len(cells))
        given.append({"cells": cells, "problem": row.problem})
    settings = {
        "source": source,
        "titles": list(sheet.titles),
        "columns": {field: sheet.columns.index(column) for field, column in matched.items() if column},
    }
    return _put(session, actor, kind, settings, rows, given, progress=progress)


def mend(session: Session, actor: Actor, job_id: int, cells: Mapping[int, Mapping[int | str, str]]) -> int:
    """Write *cells* into rows that cannot be imported, and check anew; return the id of the preview.

    They are given by the row's place and that of the column, or the field that has no column yet. A preview is checked
    as a whole; of a job that has ended a new preview is made of the rows that were refused.
    """
    job = jobs.get(session, actor, job_id)
    kind = _kind(job)
    require(actor, kind.permission)
    if job.is_unfinished:
        raise Conflict("This job is still at work. Mend its rows when it has ended.")
    is_draft = job.state is JobState.DRAFT
    width = len(job.settings["titles"])
    columns, titles = dict(job.settings["columns"]), list(job.settings["titles"])
    for field in dict.fromkeys(at for row in cells.values() for at in row if isinstance(at, str)):
        columns[field] = len(titles)
        titles.append(next(one.title for one in kind.brings.fields if one.name == field))
    places, given = [], []
    for item in db.jobs.queries.walk(session, job.id, () if is_draft else (Done.REFUSED,)):
        kept = {"cells": item.settings["cells"], "problem": item.settings.get("problem", "")}
        if item.outcome is Done.REFUSED and item.place in cells:
            kept = _mended(kept, cells[item.place], columns, width)
        places.append(item.place)
        given.append(kept)
    rows = [row_of(columns, place, kept) for place, kept in zip(places, given, strict=True)]
    settings = {"source": job.settings["source"], "titles": titles, "columns": columns}
    chosen = kind.brings.chosen(job.settings["choices"])
    return _put(session, actor, chosen, settings, rows, given, instead_of=job.id if is_draft else None)


def _mended(
    kept: Mapping[str, Any], written: Mapping[int | str, str], columns: Mapping[str, int], width: int
) -> dict[str, Any]:
    """Return a row with what was *written* into its cells. It fits again once nothing is outside of the columns."""
    places = {at if isinstance(at, int) else columns[at]: files.packed(text) for at, text in written.items()}
    cells = list(kept["cells"])
    cells += [""] * (max(width, *(at + 1 for at in places)) - len(cells))
    for at, cell in places.items():
        cells[at] = cell
    ours = max(width, *(at + 1 for at in columns.values()))
    if any(cells[ours:]):
        return {"cells": cells, "problem": kept["problem"]}
    return {"cells": cells[:ours], "problem": ""}


def _put(
    session: Session,
    actor: Actor,
    kind: ImportKind[Any],
    settings: Mapping[str, Any],
    rows: Sequence[Row],
    given: Sequence[Mapping[str, Any]],
    *,
    progress: Progress | None = None,
    instead_of: int | None = None,
) -> int:
    """Check *rows*, and keep what was *given* of each with its outcome."""
    report = imports.check(session, actor, kind, rows, progress=progress)
    items = []
    for row, result, kept in zip(rows, report.results, given, strict=True):
        noted = import_kinds.noted(result, kept)
        items.append(Item(written_numbers.storable(result.number), place=row.at, **noted))
    job_kind = next(one for one in IMPORTS.values() if one.brings is type(kind))
    title = f"{job_kind.title}: {settings['source']}"
    choices = {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(kind).items()}  # type: ignore[call-overload]
    settings = {**settings, "choices": choices}
    return drafts.put(session, actor, job_kind, title, settings, items, most=kind.most_rows, instead_of=instead_of)


def previews(session: Session, actor: Actor, kind: type[ImportKind[Any]]) -> list[JobRow]:
    """Return the previews of one kind of imports that the actor has not started, newest first."""
    require(actor, kind.permission)
    (name,) = (one.name for one in IMPORTS.values() if one.brings is kind)
    return db.jobs.queries.drafts(session, actor.scope, actor.user_id, name)


def is_import(job: JobRow) -> bool:
    """Return whether a job writes the rows of a file."""
    return job.kind in IMPORTS


def may_mend(actor: Actor, job: JobRow) -> bool:
    """Return whether the actor can mend the rows of a job now."""
    return not job.is_unfinished and actor.may(_kind(job).permission)


def brings(job: JobRow) -> type[ImportKind[Any]]:
    """Return what a job brings in."""
    return _kind(job).brings


def count(session: Session, actor: Actor, job_id: int) -> Counts:
    """Return how many rows of an import have which outcome."""
    require(actor, Permission.NUMBERS_READ)
    return Counts(*import_kinds.counts(session, jobs.get(session, actor, job_id).id))


def word(item: ItemRow) -> str:
    """Return what became of a row, or would, as readers know it."""
    found = import_kinds.found_of(item.outcome, item.settings[FOUND])
    if found is None:
        return NOT_DONE
    return imports.DONE[found] if item.outcome is Done.CHANGED else imports.WOULD[found]


def reason(item: ItemRow) -> str:
    """Return all that is said of a row."""
    return str(item.settings.get("reason") or item.reason)


def columns_of(job: JobRow, item: ItemRow) -> str:
    """Return what the columns are called that the outcome of a row is about."""
    return imports.titles(_kind(job).brings, item.settings.get("fields", ()))


def wrong(session: Session, actor: Actor, job_id: int, most: int) -> list[WrongRow]:
    """Return the first *most* rows that cannot be imported."""
    require(actor, Permission.NUMBERS_READ)
    items = jobs.items(session, actor, job_id, [Done.REFUSED], Slice(1, most))
    return [
        WrongRow(item.place, reason(item), item.settings.get("fields", ()), [*map(_text, item.settings["cells"])])
        for item in items
    ]


def results(session: Session, actor: Actor, job_id: object, outcomes: Sequence[Done] = ()) -> Table:
    """Return the rows of a file, all or those with some outcomes, behind these: to be mended and imported again.

    A row that did not fit the header still does not: its cells are those of the file.
    """
    require(actor, Permission.NUMBERS_EXPORT)
    job = jobs.get(session, actor, job_id)
    _kind(job)
    titles = job.settings["titles"]
    first = len(_BEFORE_COLUMNS) if tuple(titles[: len(_BEFORE_COLUMNS)]) == _BEFORE_COLUMNS else 0
    lines = (
        [str(item.place), word(item), reason(item), *map(_text, item.settings["cells"][first:])]
        for item in db.jobs.queries.walk(session, job.id, outcomes)
    )
    return Table("Outcomes", [*_BEFORE_COLUMNS, *map(exports.harmless, titles[first:])], lines)


def _text(kept: object) -> str:
    return files.text(files.unpacked(kept))


def _kind(job: JobRow) -> Importing:
    kind = IMPORTS.get(job.kind)
    if kind is None:
        raise NotFound
    return kind
