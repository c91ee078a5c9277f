"""Imports of rows, as those of a file go: kept as a preview, started, and written by the engine."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

import db.jobs.queries
from db.jobs.queries import JobRow
from services.core.access import Actor
from services.jobs import engine, import_jobs, import_kinds, imports, jobs
from services.jobs.imports import Difference, ImportKind, Outcome, Report, Result, Row
from services.text import files
from services.text.tables.grids import Line, Sheet


def draft(session: Session, actor: Actor, kind: ImportKind[Any], rows: Sequence[Row], source: str = "a.csv") -> int:
    """Keep a preview of *rows* and return the id of its job."""
    needed = imports.required(type(kind))
    fields = [one.name for one in kind.fields if one.name in needed or any(one.name in row.cells for row in rows)]
    lines = [
        Line(row.at or at, [row.cells.get(field) for field in fields], row.problem)
        for at, row in enumerate(rows, start=1)
    ]
    matched: dict[str, str | None] = {field: field for field in fields}
    return import_jobs.draft(session, actor, kind, Sheet(fields, fields, lines), matched, source)


def finished(session: Session, actor: Actor, job: int) -> JobRow:
    """Have the engine do a job that was started."""
    while engine.advance(job) is not engine.Step.END:
        pass
    session.rollback()
    return jobs.get(session, actor, job)


def report(session: Session, job: int) -> Report:
    """Return the outcomes of the rows of a job, those that were left out of it excepted."""
    results = []
    for item in db.jobs.queries.walk(session, job, ()):
        found = import_kinds.found_of(item.outcome, item.settings[import_kinds.FOUND])
        assert found is not None
        fields = item.settings.get("fields", [])
        result = Result(item.place, found, item.subject, reason=import_jobs.reason(item))
        if found in (Outcome.DIFFERS, Outcome.UPDATED):
            result = result._replace(differences=[Difference(field, "", "") for field in fields])
        elif fields:
            result = result._replace(field=fields[0])
        results.append(result)
    return Report(results)


def bring(session: Session, actor: Actor, kind: ImportKind[Any], rows: Sequence[Row], source: str = "a.csv") -> Report:
    """Import *rows* by a job, and return what came of each. Nothing is started when none is good."""
    job = draft(session, actor, kind, rows, source)
    if any(result.outcome in imports.WRITTEN for result in report(session, job).results):
        jobs.start(session, actor, job)
        finished(session, actor, job)
    return report(session, job)


def draft_of(session: Session, actor: Actor, kind: ImportKind[Any], data: bytes, name: str = "a.csv") -> int:
    """Keep a preview of a file, its columns matched by their names, and return the id of its job."""
    names = imports.names(type(kind))
    sheet = files.read(name, data, names)
    return import_jobs.draft(session, actor, kind, sheet, files.guess(sheet, names), name)
