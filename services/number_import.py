"""Numbers of any provider come in by the file: rows are checked one by one, each with an outcome, and written together.

They follow the rules of `services/registering.py`. What is on record in the tenant already is left as it is.
"""

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

import db.agents
import db.connections
import db.engine
import db.orders
import db.registering
from db.agents import AgentRow
from db.connections import ConnectionRow
from db.scope import Scope
from services import audit, checks, country_names, files, number_text, numbering, registering
from services.access import Actor, Permission, require, require_tenant
from services.audit import Action, Subject
from services.connections import vendor
from services.errors import Conflict, InvalidInput
from services.numbering import Bare, ReadNumber
from services.registering import Configuration, Prepared

__all__ = ["MOST_ROWS", "Given", "Outcome", "Refused", "Report", "Result", "check", "expect_few", "save"]

MOST_ROWS = 100_000
"""Rows of one import; it holds the database's write lock while it is written."""

BATCH = 2_000
_LONGEST_REASON = 300
_BETWEEN = re.compile("[,;]")
_NO_AGENT = "unassigned"
_IN_USE = frozenset({"", "active", "assigned", "enabled", "in service", "in use", "in-use", "live", "ok", "working"})

Progress = Callable[[float], object]


class Given(NamedTuple):
    """One row as it came: whatever a file holds. `fields` are the vendor's own, by name.

    `row` is its number in the file, and `problem` why the file's reader could not make sense of it.
    """

    number: object
    connection: object = None
    label: object = None
    agent: object = None
    allowed_inbound: object = None
    allowed_outbound: object = None
    tags: object = None
    notes: object = None
    fields: Mapping[str, object] = {}
    status: object = None
    row: int | None = None
    problem: str = ""


class Outcome(StrEnum):
    """What comes of a row, the worst first."""

    REFUSED = "refused"
    DOUBTFUL = "doubtful"
    ADDED = "added"
    HERE = "here"


WOULD = {
    Outcome.REFUSED: "Refused",
    Outcome.DOUBTFUL: "Needs a look",
    Outcome.ADDED: "Will be added",
    Outcome.HERE: "Already here",
}
"""Outcomes in words, before anything is written."""

DONE = {**WOULD, Outcome.ADDED: "Added"}
"""Outcomes in words, once the rows are written."""


class Result(NamedTuple):
    """The outcome of one row; rows count as in the file, or from 1.

    `number` is as understood, or as given where it was not.
    """

    row: int
    outcome: Outcome
    number: str
    field: str = ""
    reason: str = ""


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
    known = _Known.load(session, Scope(tenant_id))
    return Report(
        [
            result
            for result, _ in _judge(
                session, tenant_id, _read(_Reader(known, connection_id, insist, bare), rows, progress)
            )
        ]
    )


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
    known = _Known.load(session, Scope(tenant_id))
    reader = _Reader(known, connection_id, insist, bare)
    read = _read(reader, rows, progress)
    db.engine.start_write(session)
    db.orders.claim_all(session, sorted({row.prepared.number.e164 for row in read if row.prepared}))
    if _Known.load(session, Scope(tenant_id)) != known:
        session.rollback()
        raise Conflict("A connection or an agent was changed meanwhile. Nothing was written; try again.")
    judged = _judge(session, tenant_id, read)
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
            registering.put(session, actor, added[start : start + BATCH])
    except IntegrityError as exc:
        session.rollback()
        raise Conflict("One of the numbers was added meanwhile. Nothing was written; try again.") from exc
    audit.record(
        session,
        actor,
        Action.NUMBERS_IMPORT_FILE,
        Subject("number", None, source, tenant_id),
        after={
            "source": source,
            "added": len(added),
            "already_here": report.count(Outcome.HERE),
            "refused": report.wrong,
        },
    )
    session.commit()
    return report


@dataclass(frozen=True)
class _Known:
    """The connections and agents that rows can name."""

    connections: Sequence[ConnectionRow]
    agents: Sequence[AgentRow]

    @classmethod
    def load(cls, session: Session, scope: Scope) -> "_Known":
        return cls(db.connections.choices(session, scope), db.agents.choices(session, scope))


@dataclass(frozen=True)
class _Row:
    """A row as it was read: what can be put on record, or why it cannot. `number` is E.164 where it was understood."""

    number: str
    understood: bool = False
    prepared: Prepared | None = None
    problem: InvalidInput | None = None
    row: int | None = None


def _read(reader: "_Reader", rows: Sequence[Given], progress: Progress | None) -> list[_Row]:
    expect_few(len(rows))
    read = []
    for at, row in enumerate(rows, start=1):
        read.append(reader.read(row))
        if progress and at % BATCH == 0:
            progress(at / len(rows))
    return read


def _judge(session: Session, tenant_id: int, read: Sequence[_Row]) -> list[tuple[Result, Prepared | None]]:
    """Return the outcome of each row that was read, with what is to be written for it."""
    holders = db.registering.holders(session, sorted({row.number for row in read if row.understood}))
    ordered = db.orders.open_numbers(session)
    first: dict[str, int] = {}
    judged: list[tuple[Result, Prepared | None]] = []
    for place, row in enumerate(read, start=1):
        at, problem = row.row or place, row.problem
        if row.understood and holders.get(row.number) == tenant_id:
            judged.append((Result(at, Outcome.HERE, row.number), None))
            continue
        fits = problem is None or problem.overridable
        if fits and row.number in holders:
            problem = checks.taken(row.number)
        elif fits and row.number in ordered:
            problem = InvalidInput(checks.being_ordered(row.number), field="number")
        elif fits and row.number in first:
            problem = InvalidInput(f"The same number as row {first[row.number]:,}.", field="number")
        if problem is None:
            first[row.number] = at
            judged.append((Result(at, Outcome.ADDED, row.number), row.prepared))
        else:
            outcome = Outcome.DOUBTFUL if problem.overridable else Outcome.REFUSED
            judged.append((Result(at, outcome, row.number, problem.field, str(problem)[:_LONGEST_REASON]), None))
    return judged


@dataclass
class _Reader:
    """Reads rows of one tenant, knowing its connections and agents: nothing is asked of the database."""

    known: _Known
    connection_id: int | None
    insist: bool
    bare: Bare | None
    _countries: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._default = next((row for row in self.known.connections if row.id == self.connection_id), None)
        names = [(row.name, row) for row in self.known.connections]
        titles = [(f"{row.name} · {vendor(row.provider).name}", row) for row in self.known.connections]
        self._by_connection, self._by_title = checks.Named(names), checks.Named(titles)
        self._by_agent = checks.Named((row.name, row) for row in self.known.agents)

    def read(self, row: Given) -> _Row:
        """Return what can be put on record of *row*, or why it cannot."""
        written = files.text(row.number)
        if row.problem:
            return _Row(number_text.echo(written), problem=InvalidInput(row.problem, field="cells"), row=row.row)
        number: ReadNumber | None = None
        try:
            try:
                connection = self._connection(row.connection)
            except InvalidInput:
                with contextlib.suppress(InvalidInput):
                    number = numbering.read(written)  # it may be here already, whatever its row says
                raise
            number = registering.understand(written, connection, self.bare)
            _expect_active(files.text(row.status))
            if not self.insist:
                registering.expect_listed(number)
            prepared = registering.prepare(
                number,
                checks.active(connection, "connection"),
                self._agent(row.agent),
                Configuration(
                    label=files.text(row.label),
                    allowed_inbound=self._codes(row.allowed_inbound),
                    allowed_outbound=self._codes(row.allowed_outbound),
                    provider_fields={name: files.text(value).removeprefix("'") for name, value in row.fields.items()},
                    tags=_BETWEEN.split(files.text(row.tags)),
                    notes=files.text(row.notes),
                ),
            )
        except InvalidInput as exc:
            shown = number.e164 if number else number_text.echo(written)
            return _Row(shown, number is not None, problem=exc, row=row.row)
        return _Row(number.e164, understood=True, prepared=prepared, row=row.row)

    def _connection(self, given: object) -> ConnectionRow:
        name = files.text(given)
        found = self._default
        if name:
            found = self._by_connection.find(name, "connection") or self._by_title.find(name, "connection")
        if found is None:
            told = (
                f"There is no connection {number_text.echo(name)}."
                if name
                else "No connection is named: choose one for such rows."
            )
            raise InvalidInput(told, field="connection")
        return found

    def _agent(self, given: object) -> AgentRow | None:
        name = files.text(given)
        found = self._by_agent.find(name, "agent") if name else None
        if found is not None:
            return checks.active(found, "agent")
        if name and name.casefold() != _NO_AGENT:
            raise InvalidInput(f"There is no agent {number_text.echo(name)}.", field="agent")
        return None

    def _codes(self, given: object) -> list[str]:
        written = files.text(given)
        if written not in self._countries:
            self._countries[written] = country_names.read(written)
        return self._countries[written]


def _expect_active(status: str) -> None:
    """Raise InvalidInput for a row that says of itself that it is not in use: what comes in is active."""
    if status.casefold() not in _IN_USE:
        raise InvalidInput(
            f"Its status is {number_text.echo(status)}, and a number that comes in is active. Leave the row or its "
            "status out.",
            field="status",
        )
