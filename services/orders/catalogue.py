"""The providers' catalogue: numbers for sale, numbers owned by the tenant's accounts, prices, regulations."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlmodel import Session

import db.base.named
import db.numbers.queries
import db.orders.reconcile
from db.base.scope import Scope
from db.connections import ConnectionRow
from db.models import Connection
from providers.base import Capability, Provider
from providers.records import (
    MAX_PAGE_SIZE,
    Address,
    AvailableNumber,
    Bundle,
    Country,
    NumberSearch,
    NumberType,
    OwnedNumber,
    Page,
    Prices,
    Regulation,
    Requirement,
    Webhooks,
)
from services.connections import provider_access
from services.connections.connections import provider_named
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import found
from services.core.transactions import reading
from services.numbers import numbers
from services.orders import sids

__all__ = [
    "AvailableNumber",
    "Country",
    "NumberSearch",
    "OwnedNumber",
    "Prices",
    "Regulation",
    "Requirement",
    "Webhooks",
]

PAGE = 50


@dataclass(frozen=True)
class OwnedRow:
    """A number of the account, with its id in this tenant, if any, and whether any tenant has it."""

    number: OwnedNumber
    number_id: int | None
    is_on_record: bool


@dataclass(frozen=True)
class Papers:
    """Regulatory requirements (None if unknown), and the account's matching addresses and bundles."""

    addresses: tuple[Address, ...]
    bundles: tuple[Bundle, ...]
    regulations: tuple[Regulation, ...] | None


def sellers(connections: Iterable[ConnectionRow]) -> list[ConnectionRow]:
    """Return those of *connections* through which numbers can be bought."""
    return [row for row in connections if provider_named(row.provider).can(Capability.BUY)]


def countries(session: Session, actor: Actor, connection_id: int) -> tuple[Country, ...]:
    """Return the countries with stock and the number types that each really has."""
    require(actor, Permission.NUMBERS_BUY)
    return _provider(session, actor, connection_id).countries()


def search(session: Session, actor: Actor, connection_id: int, query: NumberSearch) -> tuple[AvailableNumber, ...]:
    """Return about 30 numbers for sale; there is no second page."""
    require(actor, Permission.NUMBERS_BUY)
    return _provider(session, actor, connection_id).search(query)


def prices(session: Session, actor: Actor, connection_id: int, country: str) -> Prices:
    """Return what numbers of *country* cost a month."""
    require(actor, Permission.NUMBERS_BUY)
    return _provider(session, actor, connection_id).prices(country)


def papers(session: Session, actor: Actor, connection_id: int, country: str, number_type: NumberType) -> Papers:
    """Return the addresses and bundles usable for *country* and *number_type*, and the regulatory requirements."""
    require(actor, Permission.NUMBERS_BUY)
    provider = _provider(session, actor, connection_id)
    addresses, bundles = provider.addresses(), provider.bundles(country, number_type)
    try:
        return Papers(addresses, bundles, provider.regulations(country, number_type))
    except provider_access.ProviderProblem:  # only information: a purchase does not depend on it
        return Papers(addresses, bundles, None)


def owned_page(
    session: Session,
    actor: Actor,
    connection_id: int,
    *,
    matching: str,
    token: str | None,
    only_new: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Page[OwnedRow]:
    """Return a page of the account's numbers, newest first, marked as on record or not.

    With *only_new* those that are not: it reads on until there are enough for a page, or the account ends, and
    tells *progress* how many it has read. No transaction is open while the provider is asked.
    """
    require(actor, Permission.NUMBERS_BUY)
    scope = Scope(require_tenant(actor))
    provider = _provider(session, actor, connection_id)
    found: dict[str, OwnedRow] = {}
    size, read = MAX_PAGE_SIZE if only_new else PAGE, 0
    while True:
        page = provider.owned_page(matching=matching, page_size=size, token=token)
        e164s = [number.e164 for number in page.rows]
        with reading(session):
            known = db.numbers.queries.live_among(session, scope, e164s)
            taken = db.orders.reconcile.held_by_anybody(session, e164s)
        for number in page.rows:
            if not (only_new and number.e164 in taken):
                found[number.e164] = OwnedRow(number, known.get(number.e164), number.e164 in taken)
        token, read = page.next_token, read + len(page.rows)
        if progress is not None:
            progress(read)
        if token is None or len(found) >= PAGE:
            return Page(tuple(found.values()), token)


def owned_by_sid(session: Session, actor: Actor, connection_id: int, sid: str, e164: str) -> OwnedNumber:
    """Return the account's number *e164*, which has *sid*, as it is now.

    Raises NotFound when it is not there any more, ProviderProblem when the SID is that of another number.
    """
    require(actor, Permission.NUMBERS_BUY)
    provider = _provider(session, actor, connection_id)
    with provider_access.in_words():
        there = sids.find(provider, sid, e164)
    return found(there, "The number is no longer in the account. Refresh the list.")


def linked(session: Session, actor: Actor, number_id: int) -> tuple[numbers.NumberRow, str, Connection]:
    """Return a number, its SID and the connection that holds it. Raises InvalidInput when it lacks either."""
    require(actor, Permission.NUMBERS_READ)
    with reading(session):
        number = numbers.get(session, actor, number_id)
        connection = db.base.named.find(session, Connection, Scope(number.tenant_id), number.connection_id or 0)
    return number, *sids.linked(number, connection)


def webhooks_now(session: Session, actor: Actor, number_id: int) -> Webhooks:
    """Return the webhooks of a number on record as they are at its provider now.

    Raises NotFound when the account has it no more, ProviderProblem when its SID is that of another number.
    """
    require(actor, Permission.NUMBERS_READ)
    number, sid, connection = linked(session, actor, number_id)
    with provider_access.in_words():
        there = sids.find(provider_access.patient(connection), sid, number.e164)
    return found(there, "The number is no longer in the provider's account.").webhooks


def _provider(session: Session, actor: Actor, connection_id: int) -> Provider:
    """Return the provider of a connection. No transaction stays open while it is asked."""
    with reading(session):
        connection = validation.connection(session, Scope(require_tenant(actor)), connection_id)
    return provider_access.patient(connection)
