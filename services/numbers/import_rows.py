"""Rows of a file of numbers: what can be put on record of each, or why it cannot."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlmodel import Session

import db.agents
import db.connections
from db.agents import AgentRow
from db.base.scope import Scope
from db.connections import ConnectionRow
from db.models import NumberStatus
from services.connections.connections import vendor, vendors
from services.core import validation
from services.core.errors import InvalidInput
from services.numbers import registration
from services.numbers.registration import Configuration, Prepared
from services.text import countries, exports, files, labels, numbering, written_numbers
from services.text.numbering import Bare, ReadNumber

_IN_USE = ("active", "assigned", "enabled", "in service", "in use", "in-use", "live", "ok", "working")
_STATUSES = {word.casefold(): status for status, word in labels.STATUS.items()} | dict.fromkeys(
    _IN_USE, NumberStatus.ACTIVE
)
_VENDOR_FIELDS = {field.name: field for vendor in vendors() for field in vendor.number_fields}
_AS_STORED = re.compile(r"\+?[0-9]{3,19}")


class Given(NamedTuple):
    """One row as it came: whatever a file holds, and None where it has no such column.

    `fields` are the vendor's own, by name. `row` is its number in the file, and `problem` why the file's reader could
    not make sense of it.
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


@dataclass(frozen=True)
class Known:
    """The connections and agents that rows can name."""

    connections: Sequence[ConnectionRow]
    agents: Sequence[AgentRow]

    @classmethod
    def load(cls, session: Session, scope: Scope) -> "Known":
        """Return those of a tenant, inactive ones too."""
        return cls(db.connections.choices(session, scope), db.agents.choices(session, scope))


@dataclass(frozen=True)
class ReadRow:
    """A row as it was read: what can be put on record, or why it cannot.

    `number` is E.164 where it was understood; `may_be` are the numbers on record that the row can be about, the
    likeliest first.
    """

    given: Given
    number: str
    may_be: Sequence[str] = ()
    prepared: Prepared | None = None
    problem: InvalidInput | None = None


@dataclass
class RowReader:
    """Reads rows of one tenant, knowing its connections and agents: nothing is asked of the database."""

    known: Known
    connection_id: int | None
    insist: bool
    bare: Bare | None
    _countries: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._default = next((row for row in self.known.connections if row.id == self.connection_id), None)
        names = [(row.name, row) for row in self.known.connections]
        titles = [(f"{row.name} · {vendor(row.provider).name}", row) for row in self.known.connections]
        self._by_connection, self._by_title = validation.Named(names), validation.Named(titles)
        self._by_agent = validation.Named((row.name, row) for row in self.known.agents)

    def read(self, row: Given) -> ReadRow:
        """Return what can be put on record of *row*, or why it cannot."""
        written = files.text(row.number)
        if row.problem:
            return ReadRow(row, written_numbers.echo(written), problem=InvalidInput(row.problem, field="cells"))
        number: ReadNumber | None = None
        try:
            try:
                connection = self.connection(row.connection)
            except InvalidInput:
                with contextlib.suppress(InvalidInput):
                    number = numbering.read(written)  # it may be here already, whatever its row says
                raise
            number = registration.understand(written, connection, self.bare)
            _expect_active(row.status)
            if not self.insist:
                registration.expect_listed(number)
            agent = self.agent(row.agent)
            prepared = registration.prepare(
                number,
                validation.active(connection, "connection"),
                validation.active(agent, "agent") if agent else None,
                Configuration(
                    label=files.text(row.label),
                    allowed_inbound=self.codes(row.allowed_inbound),
                    allowed_outbound=self.codes(row.allowed_outbound),
                    provider_fields={name: vendor_field(name, value) for name, value in row.fields.items()},
                    tags=exports.parted(files.text(row.tags)),
                    notes=files.text(row.notes),
                ),
            )
        except InvalidInput as exc:
            shown = number.e164 if number else written_numbers.echo(written)
            return ReadRow(row, shown, _may_be(written, number), problem=exc)
        return ReadRow(row, number.e164, _may_be(written, number), prepared)

    def connection(self, given: object) -> ConnectionRow:
        """Return the connection that is named so, or the one for rows that name none. Raises InvalidInput."""
        name = files.text(given)
        found = self._default
        if name:
            found = self._by_connection.find(name, "connection") or self._by_title.find(name, "connection")
        if found is None:
            told = (
                f"Connection “{written_numbers.echo(name)}” not found."
                if name
                else "No connection given. Choose a default connection."
            )
            raise InvalidInput(told, field="connection")
        return found

    def agent(self, given: object) -> AgentRow | None:
        """Return the agent that is named so, or None for none. Raises InvalidInput."""
        name = files.text(given)
        found = self._by_agent.find(name, "agent") if name else None
        if found is None and name and validation.key(name) != validation.key(labels.UNASSIGNED):
            raise InvalidInput(f"Agent “{written_numbers.echo(name)}” not found.", field="agent")
        return found

    def codes(self, given: object) -> list[str]:
        """Return the codes of the countries that are named. Raises InvalidInput."""
        written = files.text(given)
        if written not in self._countries:
            self._countries[written] = countries.read(written)
        return self._countries[written]


def vendor_field(name: str, given: object) -> str:
    """Return the value of a vendor's own field; an apostrophe that keeps its digits as text is none of it."""
    text, field = validation.one_line(files.text(given)), _VENDOR_FIELDS[name]
    bare = text.removeprefix("'")
    return bare if field.accepts(bare) and not field.accepts(text) else text


def status(given: object) -> NumberStatus | None:
    """Return the status that a row says, in our words or those of others; None for nothing, or none that we know."""
    return _STATUSES.get(files.text(given).casefold())


def _may_be(written: str, number: ReadNumber | None) -> Sequence[str]:
    """Return the numbers on record that a row can be about: as it is stored, whatever plans say today, and as read."""
    read = [number.e164] if number else []
    if not _AS_STORED.fullmatch(written) or written in read:
        return read
    if written.startswith("+"):
        return [written, *read]
    return read or [written]  # a national line, whatever its connection is now


def _expect_active(given: object) -> None:
    """Raise InvalidInput for a row that says of itself that it is not in use: what comes in is active."""
    if files.text(given) and status(given) is not NumberStatus.ACTIVE:
        raise InvalidInput(
            f"Its status is {written_numbers.echo(files.text(given))}, but imported numbers are active. Remove the "
            f"row or its status.",
            field="status",
        )
