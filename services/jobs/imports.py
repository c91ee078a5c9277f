"""Imports: a noun declares its fields, how a row is read and what is written; every row has an outcome.

`check` reads and judges, and writes nothing; `save` writes in one transaction what is good, for programs that wait for
the answer. Files are written by jobs (`services/jobs/import_jobs.py`).
"""

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from sqlmodel import Session

from services.audit import audit
from services.audit.audit import Action, Subject
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import InvalidInput
from services.core.transactions import writing
from services.text import exports, files
from services.text.exports import Table
from services.text.tables.grids import Sheet

BATCH = 2_000
_LONGEST_REASON = 300
_CELLS = "cells"
Item = TypeVar("Item")
Progress = Callable[[float], object]


@dataclass(frozen=True)
class Field:
    """A field that a column can hold: its `title` on screen and what else people call it (`called`).

    Case, spaces, underscores, dashes and dots do not matter. `read` makes a value of a cell, with the help of the
    row's reader, or raises InvalidInput; `words` are how such a value is shown.
    """

    name: str
    title: str
    called: Sequence[str] = ()
    required: bool = False
    example: str = ""
    read: Callable[[Any, object], Any] = lambda _reader, cell: files.text(cell)
    words: Callable[[Any], str] = str


class Row(NamedTuple):
    """One row as it came: whatever a file or a program wrote, by field; a field without a column is left out.

    `at` is its number in the file, and `problem` why the file's reader could not make sense of it. `recall` is what an
    earlier reading of the same cells left for this one.
    """

    cells: Mapping[str, object]
    at: int = 0
    problem: str = ""
    recall: Sequence[Any] = ()

    def get(self, field: str) -> object:
        """Return the cell of a field; None when it has no column."""
        return self.cells.get(field)


class Outcome(StrEnum):
    """What comes of a row, worst first."""

    REFUSED = "refused"
    DOUBTFUL = "doubtful"
    DIFFERS = "differs"
    UPDATED = "updated"
    REPLACED = "replaced"
    ADDED = "added"
    HERE = "here"


WRONG = (Outcome.REFUSED, Outcome.DOUBTFUL)
WRITTEN = (Outcome.ADDED, Outcome.REPLACED, Outcome.UPDATED)

WOULD = {
    Outcome.REFUSED: "Refused",
    Outcome.DOUBTFUL: "Needs review",
    Outcome.DIFFERS: "Differs",
    Outcome.UPDATED: "Will be updated",
    Outcome.REPLACED: "Will be replaced",
    Outcome.ADDED: "Will be added",
    Outcome.HERE: "Already here",
}
"""Outcomes in words, before anything is written."""

DONE = {**WOULD, Outcome.UPDATED: "Updated", Outcome.REPLACED: "Replaced", Outcome.ADDED: "Added"}
"""Outcomes in words, once the rows are written."""


class Difference(NamedTuple):
    """A field that a file and the record do not agree on; both values in words, empty for none."""

    field: str
    here: str
    in_file: str


class Result(NamedTuple):
    """The outcome of one row. `number` is as understood, or as written where it was not.

    `field` is the one that was refused or deserves a look, `reason` why; `differences` are those of a number on record,
    which has an id and a version. `before` and `after` are in words what would change of it. `recall` is left for
    the next reading of the row, as JSON can keep it.
    """

    row: int
    outcome: Outcome
    number: str
    field: str = ""
    reason: str = ""
    differences: Sequence[Difference] = ()
    number_id: int | None = None
    version: int | None = None
    before: Mapping[str, Any] = MappingProxyType({})
    after: Mapping[str, Any] = MappingProxyType({})
    recall: Sequence[Any] = ()

    @property
    def fields(self) -> list[str]:
        """The fields that the outcome is about."""
        return [self.field] if self.field else [one.field for one in self.differences]


@dataclass(frozen=True)
class Report:
    """The outcome of every row, in the order of the rows."""

    results: Sequence[Result]

    def having(self, *outcomes: Outcome) -> list[Result]:
        """Return the rows that have one of *outcomes*."""
        return [result for result in self.results if result.outcome in outcomes]

    def count(self, *outcomes: Outcome) -> int:
        """Return how many rows have one of *outcomes*."""
        return len(self.having(*outcomes))

    @property
    def wrong(self) -> int:
        """How many rows cannot be imported as they are."""
        return self.count(*WRONG)


class Refused(InvalidInput):
    """Some rows cannot be imported, and there are no good ones or they were not to be imported alone."""

    def __init__(self, report: Report) -> None:
        first = report.having(*WRONG)[0]
        super().__init__(
            f"Nothing was written: {report.wrong:,} of {len(report.results):,} rows cannot be imported. "
            f"Row {first.row:,}: {first.reason}"
        )
        self.report = report


class ReadRow(NamedTuple, Generic[Item]):
    """A row as it was read: what can be written of it, or why it cannot. `may_be` are the records that it can be about.

    The likeliest of them comes first. `recall` is left for the next reading.
    """

    row: Row
    number: str
    item: Item | None = None
    problem: InvalidInput | None = None
    may_be: Sequence[str] = ()
    recall: Sequence[Any] = ()

    def wrong(self, problem: InvalidInput) -> Result:
        """Return the outcome of a row that has a *problem*."""
        outcome = Outcome.DOUBTFUL if problem.overridable else Outcome.REFUSED
        return Result(self.row.at, outcome, self.number, problem.field, str(problem)[:_LONGEST_REASON])


Judged = tuple[Result, Item | None]
"""The outcome of a row, and what is to be written for it."""


class RowReader(ABC, Generic[Item]):
    """Reads the rows of one import. What rows can name it knows from the beginning: to read, it asks no database."""

    @cached_property
    def known(self) -> dict[str, dict[str, Any]]:
        """What texts in the columns of fields mean: most stand in many rows, and are read once."""
        return defaultdict(dict)

    @abstractmethod
    def read(self, row: Row) -> ReadRow[Item]:
        """Return what can be written of *row*, or why it cannot."""

    @abstractmethod
    def judge(self, session: Session, read: Sequence[ReadRow[Item]]) -> list[Judged[Item]]:
        """Return the outcome of each row, by what is on record now."""

    def claim(self, session: Session, read: Sequence[ReadRow[Item]]) -> None:
        """Lock what rows are about in a transaction that writes."""


class ImportKind(ABC, Generic[Item]):
    """What a noun says of its imports; an instance holds what was chosen for one of them."""

    fields: ClassVar[Sequence[Field]]
    permission: ClassVar[Permission]
    action: ClassVar[Action]
    subject: ClassVar[str]
    most_rows: ClassVar[int]
    """Rows of one import."""
    lost: ClassVar[str]
    """What was changed by someone else, when the database refuses a row that was judged good."""
    counted: ClassVar[Mapping[str, Sequence[Outcome]]]
    """The counts that the audit log keeps of an import: of how many rows had one of some outcomes."""

    @classmethod
    @abstractmethod
    def chosen(cls, choices: Mapping[str, Any]) -> Self:
        """Return the import for which these *choices* were made, as JSON has kept its fields."""

    @abstractmethod
    def reader(self, session: Session, actor: Actor, rows: Sequence[Row]) -> RowReader[Item]:
        """Return a reader that knows what *rows* can name."""

    @abstractmethod
    def write(
        self, session: Session, actor: Actor, items: Sequence[Item], job: int | None = None
    ) -> Sequence[int | None]:
        """Write a batch into the transaction of *session*, for a *job* if it is one; return the numbers' ids."""

    def details(self, items: Sequence[Item], before: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the audit log keeps of *items* beside their counts, and of those *before*."""
        return {}


def check(
    session: Session,
    actor: Actor,
    kind: ImportKind[Any],
    rows: Sequence[Row],
    *,
    progress: Progress | None = None,
) -> Report:
    """Return what would come of each row; nothing is written."""
    require(actor, kind.permission)
    require_tenant(actor)
    reader = kind.reader(session, actor, rows)
    return _report(reader.judge(session, _read(kind, reader, rows, progress)))


def save(
    session: Session,
    actor: Actor,
    kind: ImportKind[Any],
    rows: Sequence[Row],
    *,
    source: str,
    keep_good: bool = False,
) -> Report:
    """Write all rows, or with *keep_good* those that are right, in one transaction; return what came of each.

    *source* says in the audit log where they came from. Raises Refused when a row cannot be imported and
    *keep_good* is not said or nothing is good, Conflict when what the rows refer to changed in the meantime.
    """
    require(actor, kind.permission)
    require_tenant(actor)
    reader = kind.reader(session, actor, rows)
    read = _read(kind, reader, rows)
    with writing(session, conflict=f"{kind.lost} Nothing was written; try again."):
        reader.claim(session, read)
        judged = reader.judge(session, read)
        report = _report(judged)
        if report.wrong and not (keep_good and report.wrong < len(report.results)):
            raise Refused(report)
        items = [item for _, item in judged if item is not None]
        if not items:
            return report
        for start in range(0, len(items), BATCH):
            kind.write(session, actor, items[start : start + BATCH])
        counts = Counter(result.outcome for result in report.results)
        log(session, actor, kind, source, counts, kind.details(items, {}))
    return report


def log(
    session: Session,
    actor: Actor,
    kind: ImportKind[Any] | type[ImportKind[Any]],
    source: str,
    counts: Mapping[Outcome, int],
    details: Mapping[str, Any],
) -> None:
    """Write an import into the audit log: how many rows had which outcome."""
    counted = {name: sum(counts.get(one, 0) for one in outcomes) for name, outcomes in kind.counted.items()}
    about = Subject(kind.subject, None, source, require_tenant(actor))
    audit.record(session, actor, kind.action, about, after={"source": source, **counted, **details})


def _read(
    kind: ImportKind[Item], reader: RowReader[Item], rows: Sequence[Row], progress: Progress | None = None
) -> list[ReadRow[Item]]:
    _expect_few(kind, len(rows))
    read = []
    for at, row in enumerate(rows, start=1):
        read.append(reader.read(row if row.at else Row(row.cells, at, row.problem)))
        if progress and at % BATCH == 0:
            progress(at / len(rows))
    return read


def _report(judged: Sequence[Judged[Any]]) -> Report:
    return Report([result for result, _ in judged])


def _expect_few(kind: ImportKind[Any] | type[ImportKind[Any]], rows: int) -> None:
    """Raise InvalidInput for more rows than can be imported at once."""
    if rows > kind.most_rows:
        raise InvalidInput(f"The file has {rows:,} rows; at most {kind.most_rows:,} can be imported at once. Split it.")


def understood(row: Row) -> None:
    """Raise InvalidInput for a row that the file's reader could not make sense of."""
    if row.problem:
        raise InvalidInput(row.problem, field=_CELLS)


def values(fields: Sequence[Field], reader: RowReader[Any], row: Row) -> dict[str, Any]:
    """Return what the cells of a row mean, by field. Raises InvalidInput for the first that means nothing."""
    found: dict[str, Any] = {}
    known, cells = reader.known, row.cells
    for field in fields:
        name = field.name
        cell = cells.get(name)
        if type(cell) is str and cell in known[name]:
            found[name] = known[name][cell]
            continue
        try:
            found[name] = field.read(reader, cell)
        except InvalidInput as exc:
            exc.field = name
            raise
        if type(cell) is str:
            known[name][cell] = found[name]
    return found


def names(kind: type[ImportKind[Any]]) -> dict[str, Sequence[str]]:
    """Return what the columns of fields may be called, as `files.read` and `files.guess` want it."""
    return {field.name: (field.title, *field.called) for field in kind.fields}


def required(kind: type[ImportKind[Any]]) -> list[str]:
    """Return the fields that need a column."""
    return [field.name for field in kind.fields if field.required]


def rows(kind: type[ImportKind[Any]], sheet: Sheet, matched: Mapping[str, str | None]) -> list[Row]:
    """Return the rows of *sheet* in our fields, each from the column that is *matched* to it.

    Raises InvalidInput when there are too many, or a field that is needed has no column.
    """
    _expect_few(kind, len(sheet.rows))
    fields, columns = files.columns(sheet, matched, required(kind))
    return [
        Row({field: "" if cell is None else cell for field, cell in zip(fields, cells, strict=True)}, *whence)
        for cells, whence in zip(
            zip(*columns, strict=True), ((row.number, row.problem) for row in sheet.rows), strict=True
        )
    ]


def template(kind: type[ImportKind[Any]], **examples: str) -> bytes:
    """Return a CSV file to fill in: its header, and one row as an example."""
    row = [examples.get(field.name, field.example) for field in kind.fields]
    return exports.text([Table("Template", [field.title for field in kind.fields], [row])])


def titles(kind: type[ImportKind[Any]], fields: Sequence[str]) -> str:
    """Return what the columns of *fields* are called."""
    known = {field.name: field.title for field in kind.fields} | {_CELLS: "Cells"}
    return ", ".join(known.get(field, field) for field in fields)
