"""Rows of a file of numbers: what can be imported from each, or why not."""

import contextlib
import re
from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

from sqlmodel import Session

import db.agents
import db.connections
import db.numbers.registration
import db.numbers.rows
import db.orders.queries
from db.agents import AgentRow
from db.base.scope import Scope
from db.connections import ConnectionRow
from db.models import GONE, NumberStatus, NumberType
from db.numbers.rows import NumberRow
from services.connections.connections import provider_named
from services.core import validation
from services.core.errors import InvalidInput
from services.jobs import imports
from services.jobs.imports import Difference, Judged, Outcome, ReadRow, Result, Row
from services.numbers import edits, import_differences, registration
from services.numbers.import_fields import CONFIGURED, PROVIDERS, status
from services.numbers.registration import Configuration, Plan, Prepared
from services.text import countries, files, labels, numbering, written_numbers
from services.text.numbering import Bare, ReadNumber

_AS_STORED = re.compile(r"\+?[0-9]{3,19}")
_UNCHANGED = "Not changed: an import only adds numbers. Edit it on the number's page."
_NOT_UPDATED = "Not changed: an import updates label, agent, countries and tags."
UPDATED = frozenset(("label", "agent", "allowed_inbound", "allowed_outbound", "tags"))
"""The fields of a number on record that an import can update."""


class Update(NamedTuple):
    """A number on record as it is, and as a row would have it."""

    before: NumberRow
    after: NumberRow


Item = Prepared | Update
"""What can be written for a row."""


class NumberReader(imports.RowReader[Item]):
    """Reads rows of one tenant, knowing its connections and agents, including inactive ones."""

    def __init__(
        self,
        session: Session,
        tenant_id: int,
        connection_id: int | None,
        insist: bool,
        bare: Bare | None,
        update: bool,
    ) -> None:
        self._tenant_id, self._insist, self._bare, self._update = tenant_id, insist, bare, update
        scope = Scope(tenant_id)
        connections = db.connections.choices(session, scope)
        self._default = next((row for row in connections if row.id == connection_id), None)
        titles = [(f"{row.name} · {provider_named(row.provider).name}", row) for row in connections]
        self._by_connection = validation.Named((row.name, row) for row in connections)
        self._by_title = validation.Named(titles)
        self._by_agent = validation.Named((row.name, row) for row in db.agents.choices(session, scope))

    def read(self, row: Row) -> ReadRow[Item]:
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
            plan = registration.plan_of(connection)
            number = _recalled(row.recall, plan) or registration.understand(written, connection, self._bare)
            _expect_active(row.get("status"))
            if not self._insist:
                registration.expect_listed(number)
            prepared = self._prepared(number, connection, row)
        except InvalidInput as exc:
            label = number.e164 if number else written_numbers.echo(written)
            return ReadRow(row, label, None, exc, () if row.problem else _may_be(written, number))
        return ReadRow(row, number.e164, prepared, None, _may_be(written, number), _recall(number, plan))

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

    def claim(self, session: Session, read: Sequence[ReadRow[Item]]) -> None:
        """Lock the numbers of the rows."""
        db.orders.queries.claim_all(session, sorted({row.number for row in read if row.item}))

    def judge(self, session: Session, read: Sequence[ReadRow[Item]]) -> list[Judged[Item]]:
        """Return each row's outcome, with what to write for it.

        Numbers already in the tenant are compared, and left as they are unless they are to be updated.
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
        judged: list[Judged[Item]] = []
        for row in read:
            result, item = self._compared(row, records, first) or self._new(row, holders, ordered, first)
            if item is not None:
                first[result.number] = row.row.at
            judged.append((result, item))
        return judged

    def _new(
        self,
        row: ReadRow[Item],
        holders: Container[str],
        ordered: Container[str],
        first: Mapping[str, int],
    ) -> Judged[Item]:
        """Return the outcome of a row about a number that this tenant does not have."""
        problem = row.problem
        if problem is None or problem.overridable:
            if row.number in holders:
                problem = validation.taken(row.number)
            elif row.number in ordered:
                problem = InvalidInput(validation.being_ordered(row.number), field="number")
            elif row.number in first:
                problem = _duplicate(first[row.number])
        if problem:
            return row.wrong(problem), None
        return Result(row.row.at, Outcome.ADDED, row.number, recall=row.recall), row.item

    def _compared(
        self, row: ReadRow[Item], records: Mapping[str, Sequence[NumberRow]], first: Mapping[str, int]
    ) -> Judged[Item] | None:
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
                return Result(row.row.at, Outcome.HERE, record.e164, number_id=record.id), None
            if self._update and number in first:
                return row.wrong(_duplicate(first[number])), None
            if self._update and not record.is_gone:
                return self._updated(row, record, differences)
            return _differing(row, record, differences, _UNCHANGED), None
        return None

    def _updated(self, row: ReadRow[Item], record: NumberRow, differences: Sequence[Difference]) -> Judged[Item]:
        """Return the outcome of a row that is to update a number, and the number as the row would have it."""
        wanted = {one.field for one in differences}
        try:
            values = imports.values([field for field in CONFIGURED if field.name in wanted & UPDATED], self, row.row)
            if "agent" in values:
                agent = validation.active(values.pop("agent"), "agent") if values["agent"] else None
                values |= {"agent_id": agent.id if agent else None, "agent": agent.name if agent else None}
        except InvalidInput as exc:
            return row.wrong(exc)._replace(number=record.e164, number_id=record.id), None
        others = [one for one in differences if one.field not in UPDATED]
        if not values:
            return _differing(row, record, others, _NOT_UPDATED), None
        after = record._replace(**values)
        old, new = edits.difference(record, after)
        reason = f"{import_differences.in_words(others)}. {_NOT_UPDATED}" if others else ""
        result = Result(row.row.at, Outcome.UPDATED, record.e164, "", reason, differences)
        result = result._replace(number_id=record.id, version=record.version, before=old, after=new)
        return result, Update(record, after)


def _duplicate(of: int) -> InvalidInput:
    return InvalidInput(f"Duplicate of row {of:,}.", field="number")


def _differing(row: ReadRow[Any], record: NumberRow, differences: Sequence[Difference], why: str) -> Result:
    reason = f"{import_differences.in_words(differences)}. {why}"
    return Result(row.row.at, Outcome.DIFFERS, record.e164, "", reason, differences, record.id)


def _recall(number: ReadNumber, plan: Plan) -> Sequence[Any]:
    return (*plan, number.e164, number.country, number.number_type, number.is_valid, number.is_national)


def _recalled(recall: Sequence[Any], plan: Plan) -> ReadNumber | None:
    """Return what the number of a row was understood as, which takes most of the time, if it is still read so."""
    if tuple(recall[:2]) != plan:
        return None
    e164, country, number_type, is_valid, is_national = recall[2:]
    return ReadNumber(e164, country, NumberType(number_type), is_valid, is_national)


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
