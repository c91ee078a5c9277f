"""Numbers of any provider come in by the file: rows are checked one by one, each with an outcome, and written together.

They follow the rules of `registration`. What is on record in the tenant already is left as it is, and
told where the file says otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

import db.base.engine
import db.numbers.records
import db.numbers.registration
import db.orders.queries
from db.base.scope import Scope
from db.models import GONE
from db.numbers.records import NumberRecord
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, InvalidInput
from services.numbers import import_differences, registration
from services.numbers.import_columns import TITLES
from services.numbers.import_differences import Difference
from services.numbers.import_rows import Given, Known, ReadRow, RowReader, status
from services.numbers.registration import Prepared
from services.text.numbering import Bare

__all__ = ["MOST_ROWS", "Difference", "Given", "Outcome", "Refused", "Report", "Result", "check", "expect_few", "save"]

MOST_ROWS = 100_000
"""Rows of one import; it holds the database's write lock while it is written."""

BATCH = 2_000
_LONGEST_REASON = 300
_UNCHANGED = "Not changed: an import only adds numbers. Edit it on the number's page."

Progress = Callable[[float], object]


class Outcome(StrEnum):
    """What comes of a row, the worst first."""

    REFUSED = "refused"
    DOUBTFUL = "doubtful"
    DIFFERS = "differs"
    ADDED = "added"
    HERE = "here"


WOULD = {
    Outcome.REFUSED: "Refused",
    Outcome.DOUBTFUL: "Needs review",
    Outcome.DIFFERS: "Differs",
    Outcome.ADDED: "Will be added",
    Outcome.HERE: "Already here",
}
"""Outcomes in words, before anything is written."""

DONE = {**WOULD, Outcome.ADDED: "Added"}
"""Outcomes in words, once the rows are written."""


class Result(NamedTuple):
    """The outcome of one row; rows count as in the file, or from 1.

    `number` is as understood, or as given where it was not. `field` is the one that was refused, and `differences` are
    those that a number on record has otherwise.
    """

    row: int
    outcome: Outcome
    number: str
    field: str = ""
    reason: str = ""
    differences: Sequence[Difference] = ()


@dataclass(frozen=True)
class Report:
    """The outcome of every row, in the order of the rows."""

    results: Sequence[Result]

    def count(self, *outcomes: Outcome) -> int:
        """Return how many rows have one of *outcomes*."""
        return sum(result.outcome in outcomes for result in self.results)

    @property
    def wrong(self) -> int:
        """How many rows can not be imported as they are."""
        return self.count(Outcome.REFUSED, Outcome.DOUBTFUL)


class Refused(InvalidInput):
    """Some rows cannot be imported, and the good ones were not to be added alone: nothing was written."""

    def __init__(self, report: Report) -> None:
        first = next(r for r in report.results if r.outcome in (Outcome.REFUSED, Outcome.DOUBTFUL))
        super().__init__(
            f"Nothing was written: {report.wrong:,} of {len(report.results):,} rows cannot be imported. "
            f"Row {first.row:,}: {first.reason}"
        )
        self.report = report


def expect_few(rows: int) -> None:
    """Raise InvalidInput for more rows than can be imported at once."""
    if rows > MOST_ROWS:
        raise InvalidInput(f"The file has {rows:,} rows; at most {MOST_ROWS:,} can be imported at once. Split it.")


def check(
    session: Session,
    actor: Actor,
    rows: Sequence[Given],
    *,
    connection_id: int | None = None,
    insist: bool = False,
    bare: Bare | None = None,
    progress: Progress | None = None,
) -> Report:
    """Return what would come of each row; nothing is written.

    *connection_id* is for rows that name no connection; *insist* takes numbers that no numbering plan lists, and
    *bare* settles those without + that can be read in two ways.
    """
    require(actor, Permission.NUMBERS_ADD)
    tenant_id = require_tenant(actor)
    reader = RowReader(Known.load(session, Scope(tenant_id)), connection_id, insist, bare)
    read = _read(reader, rows, progress)
    return Report([result for result, _ in _judge(session, tenant_id, reader, read)])


def save(
    session: Session,
    actor: Actor,
    rows: Sequence[Given],
    *,
    source: str,
    connection_id: int | None = None,
    insist: bool = False,
    bare: Bare | None = None,
    keep_good: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Put the rows on record and return what came of each.

    All that are not here already, or with *keep_good* those that are right, in one transaction with their
    audit events; *source* says there where they came from. *progress* hears of the reading alone: what it does may
    end the caller, and nothing may end a transaction that writes. Raises Refused when a row cannot be imported and
    *keep_good* is not said, Conflict when what the rows refer to changed meanwhile.
    """
    require(actor, Permission.NUMBERS_ADD)
    tenant_id = require_tenant(actor)
    known = Known.load(session, Scope(tenant_id))
    reader = RowReader(known, connection_id, insist, bare)
    read = _read(reader, rows, progress)
    db.base.engine.start_write(session)
    db.orders.queries.claim_all(session, sorted({row.prepared.number.e164 for row in read if row.prepared}))
    if Known.load(session, Scope(tenant_id)) != known:
        session.rollback()
        raise Conflict("A connection or an agent was changed in the meantime. Nothing was written; try again.")
    judged = _judge(session, tenant_id, reader, read)
    report = Report([result for result, _ in judged])
    if report.wrong and not keep_good:
        session.rollback()
        raise Refused(report)
    added = [prepared for _, prepared in judged if prepared]
    if not added:
        session.rollback()
        return report
    try:
        for start in range(0, len(added), BATCH):
            registration.put(session, actor, added[start : start + BATCH])
    except IntegrityError as exc:
        session.rollback()
        raise Conflict("One of the numbers was added in the meantime. Nothing was written; try again.") from exc
    audit.record(
        session,
        actor,
        Action.NUMBERS_IMPORT_FILE,
        Subject("number", None, source, tenant_id),
        after={
            "source": source,
            "added": len(added),
            "already_here": report.count(Outcome.HERE),
            "differing": report.count(Outcome.DIFFERS),
            "refused": report.wrong,
        },
    )
    session.commit()
    return report


def _read(reader: RowReader, rows: Sequence[Given], progress: Progress | None) -> list[ReadRow]:
    expect_few(len(rows))
    read = []
    for at, row in enumerate(rows, start=1):
        read.append(reader.read(row))
        if progress and at % BATCH == 0:
            progress(at / len(rows))
    return read


def _judge(
    session: Session, tenant_id: int, reader: RowReader, read: Sequence[ReadRow]
) -> list[tuple[Result, Prepared | None]]:
    """Return the outcome of each row that was read, with what is to be written for it."""
    held = db.numbers.registration.holders(session, sorted({number for row in read for number in row.may_be}))
    ours = {number for row in read for number in row.may_be if held.get(number) == tenant_id or _is_gone(row)}
    records = db.numbers.records.among(session, tenant_id, sorted(ours))
    ordered = db.orders.queries.open_numbers(session)
    first: dict[str, int] = {}
    judged: list[tuple[Result, Prepared | None]] = []
    for place, row in enumerate(read, start=1):
        at, problem = row.given.row or place, row.problem
        if found := _on_record(row, records, reader):
            judged.append((_compared(at, *found), None))
            continue
        fits = problem is None or problem.overridable
        if fits and row.number in held:
            problem = validation.taken(row.number)
        elif fits and row.number in ordered:
            problem = InvalidInput(validation.being_ordered(row.number), field="number")
        elif fits and row.number in first:
            problem = InvalidInput(f"Duplicate of row {first[row.number]:,}.", field="number")
        if problem is None:
            first[row.number] = at
            judged.append((Result(at, Outcome.ADDED, row.number), row.prepared))
        else:
            outcome = Outcome.DOUBTFUL if problem.overridable else Outcome.REFUSED
            judged.append((Result(at, outcome, row.number, problem.field, str(problem)[:_LONGEST_REASON]), None))
    return judged


def _is_gone(row: ReadRow) -> bool:
    """Return whether a row says of itself that its number was released or removed."""
    return status(row.given.status) in GONE


def _on_record(
    row: ReadRow, records: Mapping[str, Sequence[NumberRecord]], reader: RowReader
) -> tuple[NumberRecord, list[Difference]] | None:
    """Return the record that a row is about, with what differs: the number as it is held, or one that is gone as said.

    Of several, as a number has that was removed and came back, the one that the row agrees with most.
    """
    said = status(row.given.status)
    for number in row.may_be:
        found = [record for record in records.get(number, ()) if not record.is_gone or record.status is said]
        if found:
            compared = [(record, import_differences.between(row.given, record, reader)) for record in found]
            return min(compared, key=lambda one: len(one[1]))
    return None


def _compared(at: int, record: NumberRecord, differences: Sequence[Difference]) -> Result:
    if not differences:
        return Result(at, Outcome.HERE, record.e164)
    reason = f"{import_differences.told(differences, TITLES)}. {_UNCHANGED}"
    return Result(at, Outcome.DIFFERS, record.e164, reason=reason, differences=differences)
