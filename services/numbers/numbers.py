"""Phone numbers: search, details, changes, removal."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlmodel import Session

import db.agents
import db.audit.queries
import db.base.engine
import db.campaigns
import db.connections
import db.numbers.attention
import db.numbers.queries
import db.numbers.rows
import db.orders.queries
from db.base.scope import Scope, Slice
from db.models import NumberStatus, PhoneNumber, PoolStatus
from db.numbers.attention import Attention
from db.numbers.queries import SEARCH_LIMIT, Facets, NumberQuery
from db.numbers.rows import CampaignUse, ListedNumber, NumberRow
from services.audit import audit
from services.audit.audit import Action, Subject
from services.connections.connections import provider_named
from services.core import changes, validation
from services.core.access import Actor, Permission, require
from services.core.errors import Conflict, Forbidden, InvalidInput, found
from services.core.transactions import writing
from services.health import summaries, thresholds
from services.text import labels

__all__ = [
    "SEARCH_LIMIT",
    "Attention",
    "CampaignUse",
    "Facets",
    "ListedNumber",
    "NumberQuery",
    "NumberRow",
    "NumberStatus",
]


class HasSid(Protocol):
    """A number that may have a SID at its provider."""

    @property
    def provider_sid(self) -> str | None: ...
    @property
    def provider_fields(self) -> Mapping[str, str]: ...


def count(session: Session, actor: Actor, query: NumberQuery) -> int:
    """Return how many numbers match; a search counts up to its limit + 1."""
    require(actor, Permission.NUMBERS_READ)
    return db.numbers.queries.count(session, actor.scope, _with_thresholds(session, actor, query))


def search(session: Session, actor: Actor, query: NumberQuery, part: Slice) -> list[ListedNumber]:
    """Return the *part* of the numbers that match *query*."""
    require(actor, Permission.NUMBERS_READ)
    return db.numbers.queries.search(session, actor.scope, _with_thresholds(session, actor, query), part)


def export(session: Session, actor: Actor, query: NumberQuery) -> Iterator[NumberRow]:
    """Return every matching number, for a file; logs the download."""
    require(actor, Permission.NUMBERS_EXPORT)
    wanted = _with_thresholds(session, actor, query)
    subject = Subject("number", None, "Phone numbers", actor.scope.tenant_id)
    filters = _filters_for_log(session, actor.scope, query)
    with writing(session):
        audit.record(session, actor, Action.NUMBERS_EXPORT, subject, after={"filters": filters})
    return db.numbers.queries.walk(session, actor.scope, wanted)


def facets(session: Session, actor: Actor) -> Facets:
    """Return the filter options."""
    require(actor, Permission.NUMBERS_READ)
    return db.numbers.queries.facets(session, actor.scope)


def attention(session: Session, actor: Actor) -> list[Attention]:
    """Return the attention reasons that may have numbers, worst first."""
    require(actor, Permission.NUMBERS_READ)
    return db.numbers.attention.there(session, actor.scope)


def tags(session: Session, actor: Actor) -> list[str]:
    """Return the tags in use."""
    require(actor, Permission.NUMBERS_READ)
    return db.numbers.queries.tags(session, actor.scope)


def get(session: Session, actor: Actor, number_id: object) -> NumberRow:
    """Return one number. Raises NotFound for one outside the actor's scope."""
    require(actor, Permission.NUMBERS_READ)
    return found(db.numbers.rows.find(session, actor.scope, validation.as_id(number_id)))


def attachments(session: Session, actor: Actor, number_id: int) -> list[CampaignUse]:
    """Return the campaigns that the number serves."""
    require(actor, Permission.NUMBERS_READ)
    return db.numbers.rows.uses(session, actor.scope, number_id)


def left_campaigns(session: Session, actor: Actor, number_id: int) -> list[str]:
    """Return the names of campaigns whose pools the number has left."""
    require(actor, Permission.NUMBERS_READ)
    return db.numbers.rows.left_campaigns(session, actor.scope, number_id)


def rename(session: Session, actor: Actor, number_id: int, label: str, *, version: int) -> int:
    """Set the number's label.

    Like every change here, returns the new version and raises NotFound, Forbidden, InvalidInput, or Conflict when
    *version* is stale.
    """

    def apply(number: PhoneNumber) -> None:
        number.label = validation.label(label)

    return change(session, actor, number_id, version, Action.NUMBERS_RENAME, apply)


def assign_agent(session: Session, actor: Actor, number_id: int, agent_id: int | None, *, version: int) -> int:
    """Set or clear the number's inbound call agent."""

    def apply(number: PhoneNumber) -> None:
        if agent_id != number.agent_id:
            agent = validation.agent(session, Scope(number.tenant_id), agent_id)
            number.agent_id = agent.id if agent else None

    return change(session, actor, number_id, version, Action.NUMBERS_ASSIGN_AGENT, apply)


def restrict_inbound(session: Session, actor: Actor, number_id: int, countries: Sequence[str], *, version: int) -> int:
    """Set the allowed inbound countries; empty means no restriction."""

    def apply(number: PhoneNumber) -> None:
        number.allowed_inbound = validation.country_codes(countries)

    return change(session, actor, number_id, version, Action.NUMBERS_RESTRICT_INBOUND, apply)


def restrict_outbound(session: Session, actor: Actor, number_id: int, countries: Sequence[str], *, version: int) -> int:
    """Set the allowed outbound countries; empty means no restriction."""

    def apply(number: PhoneNumber) -> None:
        number.allowed_outbound = validation.country_codes(countries)

    return change(session, actor, number_id, version, Action.NUMBERS_RESTRICT_OUTBOUND, apply)


def set_connection(
    session: Session,
    actor: Actor,
    number_id: int,
    connection_id: int | None,
    provider_fields: Mapping[str, str],
    *,
    version: int,
) -> int:
    """Move a BYOT number to another active connection, with its provider's fields."""

    def apply(number: PhoneNumber) -> None:
        if number.is_managed:
            raise Forbidden("The connection of a purchased number cannot be changed.")
        if connection_id == number.connection_id:
            return
        connection = validation.connection(session, Scope(number.tenant_id), connection_id)
        number.provider_fields = validation.provider_fields(provider_named(connection.provider), provider_fields)
        number.connection_id = connection.id
        number.provider = connection.provider

    return change(session, actor, number_id, version, Action.NUMBERS_SET_CONNECTION, apply)


def set_provider_fields(
    session: Session, actor: Actor, number_id: int, values: Mapping[str, str], *, version: int
) -> int:
    """Set the fields that the number's provider needs, such as mCube's executive number."""

    def apply(number: PhoneNumber) -> None:
        number.provider_fields = validation.provider_fields(provider_named(number.provider), values)

    return change(session, actor, number_id, version, Action.NUMBERS_EDIT_PROVIDER_FIELDS, apply)


def set_tags_and_notes(
    session: Session, actor: Actor, number_id: int, tags: Sequence[str], notes: str, *, version: int
) -> int:
    """Set the number's tags and notes."""

    def apply(number: PhoneNumber) -> None:
        number.notes = validation.notes(notes)
        wanted = validation.tags(tags)
        if wanted != db.numbers.rows.tags(session, [number_id]).get(number_id, []):
            db.numbers.queries.replace_tags(session, number, wanted)

    return change(session, actor, number_id, version, Action.NUMBERS_EDIT_TAGS_AND_NOTES, apply)


def activate(session: Session, actor: Actor, number_id: int, *, version: int) -> int:
    """Activate the number."""

    def apply(number: PhoneNumber) -> None:
        number.status = NumberStatus.ACTIVE

    return change(session, actor, number_id, version, Action.NUMBERS_ACTIVATE, apply)


def deactivate(session: Session, actor: Actor, number_id: int, reason: str = "", *, version: int) -> int:
    """Deactivate the number, which stays in the workspace. The *reason* is logged."""
    require(actor, Permission.NUMBERS_WRITE)
    details = {"reason": validation.reason(reason)}

    def apply(number: PhoneNumber) -> None:
        number.status = NumberStatus.INACTIVE

    return change(session, actor, number_id, version, Action.NUMBERS_DEACTIVATE, apply, details=details)


def mark_released(session: Session, actor: Actor, number_id: int, reason: str, *, version: int) -> int:
    """Mark a number as released that the provider's account no longer has; nothing changes at the provider.

    It leaves its campaigns. The caller has checked at the provider; *reason* is the operator's explanation. Raises
    Conflict while it has an open order, which may be its release.
    """
    require(actor, Permission.NUMBERS_WRITE)
    details = {audit.AT_PROVIDER: "not in the account", "reason": validation.reason(reason, needed=True)}

    def apply(number: PhoneNumber) -> None:
        if db.orders.queries.has_open(session, number.e164):
            raise Conflict(validation.being_ordered(number.e164))
        retire(session, actor, number, NumberStatus.RELEASED)

    return change(session, actor, number_id, version, Action.NUMBERS_RELEASE, apply, details=details)


def remove(session: Session, actor: Actor, number_id: int, *, version: int) -> int:
    """Remove a BYOT number from the workspace and its campaigns. Its record and history stay."""
    require(actor, Permission.NUMBERS_REMOVE)

    def apply(number: PhoneNumber) -> None:
        if number.is_managed:
            raise Forbidden(f"A {labels.MANAGED[True]} number can be released, not removed.")
        retire(session, actor, number, NumberStatus.REMOVED)

    return change(session, actor, number_id, version, Action.NUMBERS_REMOVE, apply)


def put_back(session: Session, actor: Actor, number_id: int, *, version: int) -> int:
    """Undo a removal, unless the number has been added again. It comes back inactive."""
    require(actor, Permission.NUMBERS_ADD)

    def apply(number: PhoneNumber) -> None:
        if number.status is not NumberStatus.REMOVED:
            raise InvalidInput("Only a removed number can be restored.")
        if db.numbers.queries.is_live(session, number.e164) or db.orders.queries.has_open(session, number.e164):
            raise Conflict("This number has been added again since. Look for it in the list.")
        number.status = NumberStatus.INACTIVE
        number.released_at = None

    return change(session, actor, number_id, version, Action.NUMBERS_PUT_BACK, apply, even_gone=True)


def sid_of(number: HasSid) -> str | None:
    """Return a number's SID at its provider: stored for managed numbers, typed in for ExoPhones."""
    return number.provider_sid or number.provider_fields.get("exophone_sid")


def words(session: Session, number: PhoneNumber) -> dict[str, Any]:
    """Return a number's values for the audit log: names instead of ids, so that they are self-contained."""
    detail = found(db.numbers.rows.find(session, Scope(number.tenant_id), number.id))
    return {
        "status": str(detail.status),
        "label": detail.label,
        "agent": detail.agent,
        "connection": detail.connection,
        "provider": detail.provider,
        "provider_sid": detail.provider_sid,
        "allowed_inbound": list(detail.allowed_inbound),
        "allowed_outbound": list(detail.allowed_outbound),
        "provider_fields": detail.provider_fields,
        "tags": list(detail.tags),
        "notes": detail.notes,
    }


def change(
    session: Session,
    actor: Actor,
    number_id: int,
    version: int,
    action: Action,
    apply: Callable[[PhoneNumber], None],
    *,
    even_gone: bool = False,
    details: Mapping[str, str] | None = None,
) -> int:
    """Run *apply* on the number at *version*, log it and return the new version.

    *details* are logged beside the new values.
    """
    require(actor, Permission.NUMBERS_WRITE)
    noun = _EVEN_GONE if even_gone else NOUN
    return changes.change(session, actor, noun, number_id, action, apply, version=version, details=details)


def _claim(session: Session, number_id: int) -> None:
    """Claim a number that may come back before its row is locked, as orders do."""
    db.orders.queries.claim(session, db.numbers.queries.e164_of(session, number_id))


def refuse_gone(number: PhoneNumber) -> None:
    """Raise Conflict for a number that was released or removed."""
    if number.released_at is not None:
        raise Conflict("This number is no longer in the workspace, so it cannot be changed.")


NOUN = changes.Noun("number", Permission.NUMBERS_WRITE, PhoneNumber, words, refuse_gone)
_EVEN_GONE = changes.Noun("number", Permission.NUMBERS_WRITE, PhoneNumber, words, claim=_claim)


def retire(session: Session, actor: Actor, number: PhoneNumber, status: NumberStatus) -> None:
    """Take *number* out of use for good, and out of every campaign, logging each, in the transaction of *session*."""
    number.status, number.released_at = status, datetime.now(UTC)
    for campaign, place in db.campaigns.with_number(session, Scope(number.tenant_id), number.id):
        before: dict[str, Any] = {}
        after: dict[str, Any] = {}
        if campaign.primary_number_id == number.id:
            before["primary_number"], after["primary_number"] = number.e164, None
            campaign.primary_number_id = None
        if place is not None and place.pool_status is not PoolStatus.REMOVED:
            before["pool_status"], after["pool_status"] = str(place.pool_status), str(PoolStatus.REMOVED)
            place.pool_status, place.left_at = PoolStatus.REMOVED, datetime.now(UTC)
        if before:
            campaign.version += 1
            about = Subject("campaign", campaign.id, campaign.name, campaign.tenant_id, campaign.version)
            before["number"] = after["number"] = number.e164
            audit.record(session, actor, Action.CAMPAIGNS_LOSE_NUMBER, about, before=before, after=after)


def _with_thresholds(session: Session, actor: Actor, query: NumberQuery) -> NumberQuery:
    """Return *query* with the attention rules, where it filters by them."""
    if not query.attention:
        return query
    if Attention.IDLE in query.attention:
        summaries.freshen(session, actor, thresholds.IDLE_DAYS)
    return replace(query, rules=thresholds.of(session, actor).rules)


def _filters_for_log(session: Session, scope: Scope, query: NumberQuery) -> dict[str, Any]:
    """Return the filters for the audit log: names instead of ids, so that they are self-contained."""
    details = {name: value for name, value in vars(query).items() if value not in ((), None)}
    if query.search:
        details["search"] = query.search.text
    if query.connections:
        names = {row.id: row.name for row in db.connections.choices(session, scope, active_only=False)}
        details["connections"] = tuple(names.get(one, one) for one in query.connections)
    if query.agents:
        called = {row.id: row.name for row in db.agents.choices(session, scope, active_only=False)}
        details["agents"] = tuple("Unassigned" if one is None else called.get(one, one) for one in query.agents)
    return {
        name: [str(v) for v in value] if isinstance(value, tuple) else str(value) for name, value in details.items()
    }
