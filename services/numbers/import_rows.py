"""Rows of a file of numbers: what can be imported from each, or why not."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlmodel import Session

import db.agents
import db.connections
import db.numbers.registration
import db.numbers.rows
import db.orders.queries
from db.agents import AgentRow
from db.base.scope import Scope
from db.connections import ConnectionRow
from db.models import GONE, NumberStatus
from db.numbers.rows import NumberRow
from services.connections.connections import provider_named
from services.core import validation
from services.core.errors import Conflict, InvalidInput
from services.jobs import imports
from services.jobs.imports import Judged, Outcome, ReadRow, Result, Row
from services.numbers import import_differences, registration
from services.numbers.import_fields import CONFIGURED, PROVIDERS, status
from services.numbers.registration import Configuration, Prepared
from services.text import countries, files, labels, numbering, written_numbers
from services.text.numbering import Bare, ReadNumber

_AS_STORED = re.compile(r"\+?[0-9]{3,19}")
_UNCHANGED = "Not changed: an import only adds numbers. Edit it on the number's page."


class Known(NamedTuple):
    """The connections and agents that rows can name, including inactive ones."""

    connections: Sequence[ConnectionRow]
    agents: Sequence[AgentRow]


class NumberReader(imports.RowReader[Prepared]):
    """Reads rows of one tenant, knowing its connections and agents."""

    def __init__(
        self, session: Session, tenant_id: int, connection_id: int | None, insist: bool, bare: Bare | None
    ) -> None:
        self._tenant_id, self._insist, self._bare = tenant_id, insist, bare
        self._known = self._load(session)
        self._default = next((row for row in self._known.connections if row.id == connection_id), None)
        names = [(row.name, row) for row in self._known.connections]
        titles = [(f"{row.name} · {provider_named(row.provider).name}", row) for row in self._known.connections]
        self._by_connection, self._by_title = validation.Named(names), validation.Named(titles)
        self._by_agent = validation.Named((row.name, row) for row in self._known.agents)

    def _load(self, session: Session) -> Known:
        scope = Scope(self._tenant_id)
        return Known(db.connections.choices(session, scope), db.agents.choices(session, scope))

    def read(self, row: Row) -> ReadRow[Prepared]:
        """Return what can be imported from *row*, or why not."""
        written = files.text(row.get("number"))
        number: ReadNumber | None = None
        try:
            imports.understood(row)
            try:
                connection = self.connection(row.get("connection"))
            except InvalidInput:
                with contextlib.suppress(InvalidInput):
                    number = numbering.read(written)  # it may already exist, whatever its row says
                raise
            number = registration.understand(written, connection, self._bare)
            _expect_active(row.get("status"))
            if not self._insist:
                registration.expect_listed(number)
            prepared = self._prepared(number, connection, row)
        except InvalidInput as exc:
            label = number.e164 if number else written_numbers.echo(written)
            return ReadRow(row, label, None, exc, () if row.problem else _may_be(written, number))
        return ReadRow(row, number.e164, prepared, None, _may_be(written, number))

    def _prepared(self, number: ReadNumber, connection: ConnectionRow, row: Row) -> Prepared:
        values = imports.values(CONFIGURED, self, row)
        agent = values["agent"]
        return registration.prepare(
            number,
            validation.active(connection, "connection"),
            validation.active(agent, "agent") if agent else None,
            Configuration(
                label=values["label"],
                allowed_inbound=values["allowed_inbound"],
                allowed_outbound=values["allowed_outbound"],
                provider_fields={field.name: values[field.name] for field in PROVIDERS},
                tags=values["tags"],
                notes=values["notes"],
            ),
        )

    def connection(self, cell: object) -> ConnectionRow:
        """Return the connection of that name, or the default one. Raises InvalidInput."""
        name = files.text(cell)
        found = self._default
        if name:
            found = self._by_connection.find(name, "connection") or self._by_title.find(name, "connection")
        if found is None:
            problem = (
                f"Connection “{written_numbers.echo(name)}” not found."
                if name
                else "No connection given. Choose a default connection."
            )
            raise InvalidInput(problem, field="connection")
        return found

    def agent(self, cell: object) -> AgentRow | None:
        """Return the agent of that name, or None for none. Raises InvalidInput."""
        name = files.text(cell)
        found = self._by_agent.find(name, "agent") if name else None
        if found is None and name and validation.key(name) != validation.key(labels.UNASSIGNED):
            raise InvalidInput(f"Agent “{written_numbers.echo(name)}” not found.", field="agent")
        return found

    def codes(self, cell: object) -> list[str]:
        """Return the codes of the named countries. Raises InvalidInput."""
        return countries.read(files.text(cell))

    def claim(self, session: Session, read: Sequence[ReadRow[Prepared]]) -> None:
        """Lock the numbers of the rows. Raises Conflict when a connection or an agent has changed."""
        db.orders.queries.claim_all(session, sorted({row.item.number.e164 for row in read if row.item}))
        if self._load(session) != self._known:
            raise Conflict("A connection or an agent was changed in the meantime. Nothing was written; try again.")

    def judge(self, session: Session, read: Sequence[ReadRow[Prepared]]) -> list[Judged[Prepared]]:
        """Return each row's outcome, with what to write for it.

        Numbers already in the tenant are compared and left as they are.
        """
        holders = db.numbers.registration.holders(session, sorted({number for row in read for number in row.may_be}))
        ours = {
            number
            for row in read
            for number in row.may_be
            if holders.get(number) == self._tenant_id or status(row.row.get("status")) in GONE
        }
        records = db.numbers.rows.among(session, self._tenant_id, sorted(ours))
        ordered = db.orders.queries.open_numbers(session)
        first: dict[str, int] = {}
        judged: list[Judged[Prepared]] = []
        for row in read:
            if on_record := self._compared(row, records):
                judged.append((on_record, None))
                continue
            problem = row.problem
            if problem is None or problem.overridable:
                if row.number in holders:
                    problem = validation.taken(row.number)
                elif row.number in ordered:
                    problem = InvalidInput(validation.being_ordered(row.number), field="number")
                elif row.number in first:
                    problem = InvalidInput(f"Duplicate of row {first[row.number]:,}.", field="number")
            if problem:
                judged.append((row.wrong(problem), None))
            else:
                first[row.number] = row.row.at
                judged.append((Result(row.row.at, Outcome.ADDED, row.number), row.item))
        return judged

    def _compared(self, row: ReadRow[Prepared], records: Mapping[str, Sequence[NumberRow]]) -> Result | None:
        """Return the outcome of a row about an existing number, or about a gone one if the row says so.

        Of several records, as after a removal, the one that matches the row best.
        """
        said = status(row.row.get("status"))
        for number in row.may_be:
            found = [record for record in records.get(number, ()) if not record.is_gone or record.status is said]
            if not found:
                continue
            compared = [(record, import_differences.between(row.row, record, self)) for record in found]
            record, differences = min(compared, key=lambda one: len(one[1]))
            if not differences:
                return Result(row.row.at, Outcome.HERE, record.e164)
            reason = f"{import_differences.in_words(differences)}. {_UNCHANGED}"
            return Result(row.row.at, Outcome.DIFFERS, record.e164, reason=reason, differences=differences)
        return None


def _may_be(written: str, number: ReadNumber | None) -> Sequence[str]:
    """Return the existing numbers that a row can mean: as stored, whatever plans say today, and as read."""
    read = [number.e164] if number else []
    if not _AS_STORED.fullmatch(written) or written in read:
        return read
    if written.startswith("+"):
        return [written, *read]
    return read or [written]  # a national line, whatever its connection is now


def _expect_active(cell: object) -> None:
    """Raise InvalidInput for a row with another status: imported numbers are active."""
    if files.text(cell) and status(cell) is not NumberStatus.ACTIVE:
        raise InvalidInput(
            f"Its status is {written_numbers.echo(files.text(cell))}, but imported numbers are active. Remove "
            "the row or its status.",
            field="status",
        )
