"""Manual registration of numbers (BYOT): input is parsed, checked and saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlmodel import Session

import db.base.engine
import db.numbers.queries
import db.numbers.registration
import db.orders.queries
from db.agents import AgentRow
from db.base.scope import Scope
from db.connections import ConnectionRow
from db.models import Agent, Connection, NumberStatus, NumberType
from db.numbers.registration import NewNumber
from services.audit import audit
from services.audit.audit import Action, Subject
from services.connections.connections import provider_named
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import InvalidInput
from services.core.transactions import overtaken, writing
from services.text import numbering
from services.text.numbering import Bare, ReadNumber


@dataclass(frozen=True)
class Configuration:
    """An operator's choices for a new number."""

    label: str = ""
    agent_id: int | None = None
    allowed_inbound: Sequence[str] = ()
    allowed_outbound: Sequence[str] = ()
    provider_fields: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    notes: str = ""


@dataclass(frozen=True)
class Preview:
    """A number as it would be registered."""

    e164: str
    country: str
    number_type: NumberType
    provider: str
    connection: str


class Plan(NamedTuple):
    """How to read numbers without a calling code: the default country, and whether bare national lines are allowed."""

    default_country: str | None = None
    national: bool = False


class Prepared(NamedTuple):
    """A number ready to be added, with the names of what it refers to."""

    number: NewNumber
    connection: str
    agent: str | None


def preview(session: Session, actor: Actor, text: str, connection_id: int | None, *, insist: bool = False) -> Preview:
    """Parse a typed number for a connection, without writing anything.

    Raises InvalidInput when it is impossible, exists already, or is possible but on no numbering plan; only the last
    is `overridable`, with *insist*. Raises Doubtful when it can be read as more than one number; then it has to be
    given with + and calling code.
    """
    require(actor, Permission.NUMBERS_ADD)
    scope = Scope(require_tenant(actor))
    connection = validation.connection(session, scope, connection_id)
    read = _free(session, text, connection, insist)
    return Preview(read.e164, read.country, read.number_type, connection.provider, connection.name)


def register(
    session: Session,
    actor: Actor,
    text: str,
    connection_id: int | None,
    configuration: Configuration,
    *,
    insist: bool = False,
) -> int:
    """Add a number of any provider and return its id.

    Raises Forbidden, InvalidInput (as `preview`, and for each field of the configuration).
    """
    require(actor, Permission.NUMBERS_ADD)
    tenant_id = require_tenant(actor)
    scope = Scope(tenant_id)
    with writing(session):
        connection = validation.connection(session, scope, connection_id)
        read = _free(session, text, connection, insist)
        agent = validation.agent(session, scope, configuration.agent_id)
        prepared = prepare(read, connection, agent, configuration)
        db.orders.queries.claim(session, read.e164)
        if db.orders.queries.has_open(session, read.e164):
            raise InvalidInput(validation.being_ordered(read.e164), field="number")
        with overtaken(validation.taken(read.e164)):
            (number_id,) = put(session, actor, [prepared])
    return number_id


def plan_of(connection: Connection | ConnectionRow) -> Plan:
    """Return how a connection reads numbers without a calling code."""
    found = provider_named(connection.provider)
    return Plan(connection.default_country or found.default_country, found.national_numbers)


def understand(text: str, connection: Connection | ConnectionRow, bare: Bare | None = None) -> ReadNumber:
    """Parse a number for *connection*. Raises as `numbering.read`, with the same *bare*."""
    plan = plan_of(connection)
    return numbering.read(text, default_country=plan.default_country, national=plan.national, bare=bare)


def expect_listed(read: ReadNumber) -> None:
    """Raise InvalidInput, overridable, for a number that is possible but on no numbering plan."""
    if not read.is_valid:
        raise InvalidInput(
            f"{numbering.display(read.e164)} is not in the numbering plan we know. If you are sure, use it anyway.",
            field="number",
            overridable=True,
        )


def prepare(
    read: ReadNumber,
    connection: Connection | ConnectionRow,
    agent: Agent | AgentRow | None,
    configuration: Configuration,
) -> Prepared:
    """Check a number's *configuration* and return it as stored. Raises InvalidInput by field.

    Connection and agent are already loaded; no database access.
    """
    number = NewNumber(
        e164=read.e164,
        provider=connection.provider,
        connection_id=connection.id,
        country=read.country,
        number_type=read.number_type,
        label=validation.label(configuration.label),
        agent_id=agent.id if agent else None,
        allowed_inbound=validation.country_codes(configuration.allowed_inbound),
        allowed_outbound=validation.country_codes(configuration.allowed_outbound),
        provider_fields=validation.provider_fields(provider_named(connection.provider), configuration.provider_fields),
        notes=validation.notes(configuration.notes),
        tags=validation.tags(configuration.tags),
    )
    return Prepared(number, connection.name, agent.name if agent else None)


def put(session: Session, actor: Actor, prepared: Sequence[Prepared]) -> list[int]:
    """Write numbers and their audit events into the transaction of *session*; return their ids.

    Their numbers are claimed before (`db.orders.queries`). Raises IntegrityError when one already exists.
    """
    require(actor, Permission.NUMBERS_ADD)
    tenant_id = require_tenant(actor)
    ids = db.numbers.registration.put(session, tenant_id, [one.number for one in prepared])
    audit.record_all(
        session,
        actor,
        Action.NUMBERS_ADD,
        ((Subject("number", ids[one.number.e164], one.number.e164, tenant_id, 1), {}, _words(one)) for one in prepared),
    )
    return [ids[one.number.e164] for one in prepared]


def _free(session: Session, text: str, connection: Connection, insist: bool) -> ReadNumber:
    read = understand(text, connection)
    if db.numbers.queries.is_live(session, read.e164):
        raise validation.taken(read.e164)
    if not insist:
        expect_listed(read)
    return read


def _words(one: Prepared) -> dict[str, Any]:
    """Return a new number's values for the audit log, like `numbers.words`."""
    number = one.number
    return {
        "status": str(NumberStatus.ACTIVE),
        "label": number.label,
        "agent": one.agent,
        "connection": one.connection,
        "provider": number.provider,
        "provider_sid": None,
        "allowed_inbound": number.allowed_inbound,
        "allowed_outbound": number.allowed_outbound,
        "provider_fields": number.provider_fields,
        "tags": number.tags,
        "notes": number.notes,
    }
