"""Phone numbers: search, details, changes, removal."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
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
from db.models import NumberStatus, PhoneNumber
from db.numbers.attention import Attention
from db.numbers.matching import NumberQuery
from db.numbers.queries import Facets
from db.numbers.rows import CampaignUse, ListedNumber, NumberRow
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core import changes, validation
from services.core.access import Actor, Permission, require
from services.core.errors import Conflict, found
from services.core.transactions import writing
from services.health import summaries, thresholds
from services.numbers import edits
from services.numbers.edits import Edit

__all__ = [
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
    """Return how many numbers match; at most one more than what `counted_up_to` says."""
    require(actor, Permission.NUMBERS_READ)
    return db.numbers.queries.count(session, actor.scope, with_thresholds(session, actor, query))


def counted_up_to(actor: Actor, query: NumberQuery) -> int | None:
    """Return up to where matches are counted, so that beyond the total reads `1,000+`; None where all are."""
    require(actor, Permission.NUMBERS_READ)
    return db.numbers.queries.counted_up_to(actor.scope, query)


def search(
    session: Session, actor: Actor, query: NumberQuery, part: Slice, *, total: int | None = None
) -> list[ListedNumber]:
    """Return the *part* of the numbers that match *query*: faster with the *total* that `count` has returned."""
    require(actor, Permission.NUMBERS_READ)
    return db.numbers.queries.search(session, actor.scope, with_thresholds(session, actor, query), part, total=total)


def after(session: Session, actor: Actor, query: NumberQuery, last: int, most: int) -> list[NumberRow]:
    """Return the first *most* numbers that match with an id above *last*, in the order of ids, for a program."""
    require(actor, Permission.NUMBERS_READ)
    return db.numbers.queries.after(session, actor.scope, with_thresholds(session, actor, query), last, most)


def export(session: Session, actor: Actor, query: NumberQuery) -> Iterator[NumberRow]:
    """Return every matching number, for a file; logs the download."""
    require(actor, Permission.NUMBERS_EXPORT)
    wanted = with_thresholds(session, actor, query)
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


def edit(
    session: Session,
    actor: Actor,
    number_id: int,
    kind: Callable[..., Edit],
    *values: object,
    version: int,
) -> int:
    """Make a change of a *kind* that `edits` declares, with its *values*, and return the number's new version.

    Raises NotFound, Forbidden, InvalidInput, or Conflict when *version* is stale.
    """
    require(actor, Permission.NUMBERS_WRITE)
    wanted = kind(*values)
    require(actor, wanted.permission)

    def apply(number: PhoneNumber) -> None:
        scope = Scope(number.tenant_id)
        before = found(db.numbers.rows.find(session, scope, number.id))
        edits.write(session, actor, number, before, wanted.begin(session, scope)(before))

    noun = _EVEN_GONE if wanted.brings_back else NOUN
    return changes.change(
        session, actor, noun, number_id, wanted.action, apply, version=version, details=wanted.details
    )


def rename(session: Session, actor: Actor, number_id: int, label: str, *, version: int) -> int:
    """Set the number's label. Like all changes below, it returns and raises as `edit`."""
    return edit(session, actor, number_id, edits.Rename, label, version=version)


def assign_agent(session: Session, actor: Actor, number_id: int, agent_id: int | None, *, version: int) -> int:
    """Set or clear the number's inbound call agent."""
    return edit(session, actor, number_id, edits.AssignAgent, agent_id, version=version)


def restrict_inbound(session: Session, actor: Actor, number_id: int, countries: Sequence[str], *, version: int) -> int:
    """Set the allowed inbound countries; empty means no restriction."""
    return edit(session, actor, number_id, edits.RestrictInbound, countries, version=version)


def restrict_outbound(session: Session, actor: Actor, number_id: int, countries: Sequence[str], *, version: int) -> int:
    """Set the allowed outbound countries; empty means no restriction."""
    return edit(session, actor, number_id, edits.RestrictOutbound, countries, version=version)


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
    return edit(session, actor, number_id, edits.SetConnection, connection_id, provider_fields, version=version)


def set_provider_fields(
    session: Session, actor: Actor, number_id: int, values: Mapping[str, str], *, version: int
) -> int:
    """Set the fields that the number's provider needs, such as mCube's executive number."""
    return edit(session, actor, number_id, edits.SetProviderFields, values, version=version)


def set_tags_and_notes(
    session: Session, actor: Actor, number_id: int, tags: Sequence[str], notes: str, *, version: int
) -> int:
    """Set the number's tags and notes."""
    return edit(session, actor, number_id, edits.SetTagsAndNotes, tags, notes, version=version)


def activate(session: Session, actor: Actor, number_id: int, *, version: int) -> int:
    """Activate the number."""
    return edit(session, actor, number_id, edits.Activate, version=version)


def deactivate(session: Session, actor: Actor, number_id: int, reason: str = "", *, version: int) -> int:
    """Deactivate the number, which stays in the workspace. The *reason* is logged."""
    return edit(session, actor, number_id, edits.Deactivate, reason, version=version)


def mark_released(session: Session, actor: Actor, number_id: int, reason: str, *, version: int) -> int:
    """Mark a number as released that the provider's account no longer has; it leaves its campaigns."""
    return edit(session, actor, number_id, edits.MarkReleased, reason, version=version)


def remove(session: Session, actor: Actor, number_id: int, *, version: int) -> int:
    """Remove a BYOT number from the workspace and its campaigns. Its record and history stay."""
    return edit(session, actor, number_id, edits.Remove, version=version)


def put_back(session: Session, actor: Actor, number_id: int, *, version: int) -> int:
    """Undo a removal, unless the number has been added again. It comes back inactive."""
    return edit(session, actor, number_id, edits.PutBack, version=version)


def sid_of(number: HasSid) -> str | None:
    """Return a number's SID at its provider: stored for managed numbers, typed in for ExoPhones."""
    return number.provider_sid or number.provider_fields.get("exophone_sid")


def words(session: Session, number: PhoneNumber) -> dict[str, Any]:
    """Return a number's values for the audit log."""
    return edits.words(found(db.numbers.rows.find(session, Scope(number.tenant_id), number.id)))


def _claim(session: Session, number_id: int) -> None:
    """Claim a number that may come back before its row is locked, as orders do."""
    db.orders.queries.claim(session, db.numbers.queries.e164_of(session, number_id))


def refuse_gone(number: PhoneNumber) -> None:
    """Raise Conflict for a number that was released or removed."""
    if number.released_at is not None:
        raise gone()


def gone() -> Conflict:
    """Return the refusal of a number that was released or removed."""
    return Conflict("This number is no longer in the workspace, so it cannot be changed.")


NOUN = changes.Noun("number", Permission.NUMBERS_WRITE, PhoneNumber, words, refuse_gone)
_EVEN_GONE = changes.Noun("number", Permission.NUMBERS_WRITE, PhoneNumber, words, claim=_claim)


def with_thresholds(session: Session, actor: Actor, query: NumberQuery) -> NumberQuery:
    """Return *query* with the attention rules, where it filters by them."""
    require(actor, Permission.NUMBERS_READ)
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
        details["connections"] = tuple("None" if one is None else names.get(one, one) for one in query.connections)
    if query.agents:
        called = {row.id: row.name for row in db.agents.choices(session, scope, active_only=False)}
        details["agents"] = tuple("Unassigned" if one is None else called.get(one, one) for one in query.agents)
    return {
        name: [str(v) for v in value] if isinstance(value, tuple) else str(value) for name, value in details.items()
    }
