"""The fields of a file of numbers: their column names and how to read a cell."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import providers.base
from db.agents import AgentRow
from db.connections import ConnectionRow
from db.models import NumberStatus
from services.connections.connections import all_providers
from services.core import validation
from services.jobs.imports import Field
from services.text import exports, files, labels, numbering

_IN_USE = ("active", "assigned", "enabled", "in service", "in use", "in-use", "live", "ok", "working")
_STATUSES = {word.casefold(): status for status, word in labels.STATUS.items()} | dict.fromkeys(
    _IN_USE, NumberStatus.ACTIVE
)


class Names(Protocol):
    """Looks up a tenant's connections, agents and countries by name."""

    def connection(self, cell: object) -> ConnectionRow:
        """Return the connection of that name. Raises InvalidInput."""

    def agent(self, cell: object) -> AgentRow | None:
        """Return the agent of that name, or None for none. Raises InvalidInput."""

    def codes(self, cell: object) -> list[str]:
        """Return the codes of the named countries. Raises InvalidInput."""


def status(cell: object) -> NumberStatus | None:
    """Return a row's status, in our wording or others'; None if empty or unknown."""
    return _STATUSES.get(files.text(cell).casefold())


def country_names(codes: Sequence[str]) -> str:
    """Return the names of countries as one cell."""
    return exports.joined(map(numbering.country_name, sorted(set(codes))))


def _provider_value(field: providers.base.Field, _names: Names, cell: object) -> str:
    """Return the value of a provider field, without the apostrophe that keeps digits as text."""
    text = validation.one_line(files.text(cell))
    bare = text.removeprefix("'")
    return bare if field.accepts(bare) and not field.accepts(text) else text


def _countries_field(way: str, example: str) -> Field:
    return Field(
        f"allowed_{way}",
        f"{way.capitalize()} countries",
        (f"allowed {way} countries", f"allowed {way}"),
        example=example,
        read=lambda names, cell: names.codes(cell),
        words=country_names,
    )


PROVIDERS = tuple(
    Field(field.name, field.label, (f"{provider.name} {field.label}", field.name), read=partial(_provider_value, field))
    for provider in all_providers()
    for field in provider.number_fields
)
"""Fields that one provider's numbers have."""

CONFIGURED = (
    Field(
        "label",
        "Label",
        ("name", "label (name)", "friendly name"),
        example="Front desk",
        read=lambda _names, cell: validation.label(files.text(cell)),
    ),
    Field(
        "agent",
        "Agent",
        ("inbound agent", "inbound call agent"),
        read=lambda names, cell: names.agent(cell),
        words=lambda agent: agent.name if agent else "",
    ),
    _countries_field("inbound", "United States; Canada"),
    _countries_field("outbound", "US"),
    Field(
        "tags",
        "Tags",
        ("tag",),
        example="sales; west",
        read=lambda _names, cell: validation.tags(exports.parted(files.text(cell))),
        words=exports.joined,
    ),
    Field(
        "notes",
        "Notes",
        ("note", "comment", "comments"),
        read=lambda _names, cell: validation.notes(files.text(cell)),
    ),
    *PROVIDERS,
)
"""The fields that an operator fills in."""

CONNECTION = Field(
    "connection",
    "Connection",
    ("telephony connection", "trunk"),
    read=lambda names, cell: names.connection(cell),
    words=lambda connection: connection.name,
)
FIELDS = (
    Field("number", "Number", files.NUMBER_NAMES, required=True, example="+14155551212"),
    CONNECTION,
    *CONFIGURED[: -len(PROVIDERS)],
    Field("status", "Status", ("state",), example="Active", read=lambda _names, cell: status(cell)),
    *PROVIDERS,
)
"""All fields of a row; the connection decides how the number is read."""
TITLES = {field.name: field.title for field in FIELDS}
