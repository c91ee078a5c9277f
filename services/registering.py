"""Registering a number by hand (BYOT): what was typed is understood, checked, and put on record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

import db.engine
import db.numbers
import db.orders
from db.models import NumberType, PhoneNumber
from db.scope import Scope
from services import audit, checks, numbering, numbers
from services.access import Actor, Permission, require, require_tenant
from services.audit import Action
from services.connections import vendor
from services.errors import InvalidInput
from services.numbering import ReadNumber

__all__ = ["Configuration", "Preview", "preview", "register"]


@dataclass(frozen=True)
class Configuration:
    """What an operator chose for a new number."""

    label: str = ""
    agent_id: int | None = None
    allowed_inbound: Sequence[str] = ()
    allowed_outbound: Sequence[str] = ()
    provider_fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """A number as it would be registered."""

    e164: str
    country: str
    number_type: NumberType
    provider: str
    connection: str


def preview(session: Session, actor: Actor, text: str, connection_id: int | None, *, insist: bool = False) -> Preview:
    """Understand a typed number on a connection, without writing anything.

    Raises InvalidInput when it is impossible, exists already, or is possible but on no numbering
    plan; only the last is `overridable`, with *insist*.
    """
    require(actor, Permission.NUMBERS_ADD)
    scope = Scope(require_tenant(actor))
    connection = checks.connection(session, scope, connection_id)
    read = _understood(session, scope, text, connection.provider, connection.default_country, insist)
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
    """Put a number of any provider on record and return its id.

    Raises Forbidden, InvalidInput (as `preview`, and for each field of the configuration).
    """
    require(actor, Permission.NUMBERS_ADD)
    tenant_id = require_tenant(actor)
    scope = Scope(tenant_id)
    db.engine.start_write(session)
    connection = checks.connection(session, scope, connection_id)
    read = _understood(session, scope, text, connection.provider, connection.default_country, insist)
    agent = checks.agent(session, scope, configuration.agent_id)
    number = PhoneNumber(
        tenant_id=tenant_id,
        e164=read.e164,
        provider=connection.provider,
        connection_id=connection.id,
        country=read.country,
        number_type=read.number_type,
        label=checks.label(configuration.label),
        agent_id=agent.id if agent else None,
        allowed_inbound=checks.country_codes(configuration.allowed_inbound),
        allowed_outbound=checks.country_codes(configuration.allowed_outbound),
        provider_fields=checks.provider_fields(vendor(connection.provider), configuration.provider_fields),
    )
    db.orders.claim(session, read.e164)
    if db.orders.has_open(session, read.e164):
        raise checks.taken(read.e164)
    session.add(number)
    try:
        session.flush()
    except IntegrityError as exc:
        session.rollback()
        raise checks.taken(read.e164) from exc
    audit.record(session, actor, Action.NUMBERS_ADD, numbers.subject(number), after=numbers.words(session, number))
    session.commit()
    return number.id or 0


def _understood(
    session: Session, scope: Scope, text: str, provider: str, default_country: str | None, insist: bool
) -> ReadNumber:
    found = vendor(provider)
    read = numbering.read(
        text, default_country=default_country or found.default_country, national=found.national_numbers
    )
    if db.numbers.is_live(session, read.e164):
        raise checks.taken(read.e164)
    if not read.is_valid and not insist:
        raise InvalidInput(
            f"{numbering.display(read.e164)} is possible, but no numbering plan that we know lists it. "
            "Plans change faster than libraries: use it anyway if you are sure.",
            field="number",
            overridable=True,
        )
    return read
