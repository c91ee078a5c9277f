"""What can be changed about a number. Each change is declared once, and serves one number as well as many."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlmodel import Session

import db.campaigns
import db.numbers.queries
import db.orders.queries
from db.base.scope import Scope
from db.models import NumberStatus, PhoneNumber, PoolStatus
from db.numbers.rows import NumberRow
from services.audit import audit
from services.audit.audit import AT_PROVIDER, Action, Subject
from services.campaigns import campaigns
from services.connections.connections import provider_named
from services.core import validation
from services.core.access import Actor, Permission
from services.core.errors import Conflict, Forbidden, InvalidInput
from services.text import labels

Apply = Callable[[NumberRow], NumberRow]
"""Returns a number as it is after a change. Raises a ServiceError with the reason when it cannot be changed so."""


class Edit(ABC):
    """A change of a number. One that `brings_back` can make a number live that is gone; then it `claims` numbers first.

    So does one that adds them elsewhere: nobody else writes about a number meanwhile, whoever has it.
    """

    action: ClassVar[Action]
    permission: ClassVar[Permission] = Permission.NUMBERS_WRITE
    brings_back: ClassVar[bool] = False
    claims: ClassVar[bool] = False

    @abstractmethod
    def begin(self, session: Session, scope: Scope) -> Apply:
        """Return what the change makes of the numbers in *scope*."""

    @property
    def details(self) -> Mapping[str, str]:
        """What is logged beside the new values."""
        return {}


@dataclass(frozen=True)
class Rename(Edit):
    action = Action.NUMBERS_RENAME
    label: str

    def begin(self, session: Session, scope: Scope) -> Apply:
        label = validation.label(self.label)
        return lambda row: row._replace(label=label)


@dataclass(frozen=True)
class AssignAgent(Edit):
    """Give an inbound call agent, or none. One that is inactive by now stays where it is."""

    action = Action.NUMBERS_ASSIGN_AGENT
    agent_id: int | None

    def begin(self, session: Session, scope: Scope) -> Apply:
        find = functools.cache(lambda: validation.agent(session, scope, self.agent_id))

        def apply(row: NumberRow) -> NumberRow:
            if row.agent_id == self.agent_id:
                return row
            agent = find()
            return row._replace(agent_id=agent.id if agent else None, agent=agent.name if agent else None)

        return apply


@dataclass(frozen=True)
class RestrictInbound(Edit):
    """Set the allowed inbound countries; empty means no restriction."""

    action = Action.NUMBERS_RESTRICT_INBOUND
    field: ClassVar[str] = "allowed_inbound"
    countries: Sequence[str]

    def begin(self, session: Session, scope: Scope) -> Apply:
        changed: dict[str, Any] = {self.field: validation.country_codes(self.countries)}
        return lambda row: row._replace(**changed)


class RestrictOutbound(RestrictInbound):
    """Set the allowed outbound countries; empty means no restriction."""

    action = Action.NUMBERS_RESTRICT_OUTBOUND
    field = "allowed_outbound"


@dataclass(frozen=True)
class SetConnection(Edit):
    """Move a BYOT number to another active connection, with its provider's fields."""

    action = Action.NUMBERS_SET_CONNECTION
    connection_id: int | None
    provider_fields: Mapping[str, str]

    def begin(self, session: Session, scope: Scope) -> Apply:
        find = functools.cache(lambda: validation.connection(session, scope, self.connection_id))

        def apply(row: NumberRow) -> NumberRow:
            if row.is_managed:
                raise Forbidden("The connection of a purchased number cannot be changed.")
            if row.connection_id == self.connection_id:
                return row
            connection = find()
            fields = validation.provider_fields(provider_named(connection.provider), self.provider_fields)
            return row._replace(
                connection_id=connection.id,
                connection=connection.name,
                provider=connection.provider,
                provider_fields=fields,
            )

        return apply


@dataclass(frozen=True)
class SetProviderFields(Edit):
    """Set the fields that the number's provider needs, such as mCube's executive number."""

    action = Action.NUMBERS_EDIT_PROVIDER_FIELDS
    values: Mapping[str, str]

    def begin(self, session: Session, scope: Scope) -> Apply:
        return lambda row: row._replace(
            provider_fields=validation.provider_fields(provider_named(row.provider), self.values)
        )


@dataclass(frozen=True)
class SetTagsAndNotes(Edit):
    action = Action.NUMBERS_EDIT_TAGS_AND_NOTES
    tags: Sequence[str]
    notes: str

    def begin(self, session: Session, scope: Scope) -> Apply:
        tags, notes = validation.tags(self.tags), validation.notes(self.notes)
        return lambda row: row._replace(tags=tags, notes=notes)


@dataclass(frozen=True)
class AddTags(Edit):
    """Add tags to those that a number has."""

    action = Action.NUMBERS_EDIT_TAGS_AND_NOTES
    tags: Sequence[str]

    def begin(self, session: Session, scope: Scope) -> Apply:
        added = _some(validation.tags(self.tags), "tags", "Enter at least one tag.")
        return lambda row: row._replace(tags=validation.tags([*row.tags, *added]))


@dataclass(frozen=True)
class RemoveTags(Edit):
    """Take tags away, whatever their case."""

    action = Action.NUMBERS_EDIT_TAGS_AND_NOTES
    tags: Sequence[str]

    def begin(self, session: Session, scope: Scope) -> Apply:
        gone = {tag.casefold() for tag in _some(validation.tags(self.tags), "tags", "Choose at least one tag.")}
        return lambda row: row._replace(tags=[tag for tag in row.tags if tag.casefold() not in gone])


@dataclass(frozen=True)
class Activate(Edit):
    action = Action.NUMBERS_ACTIVATE

    def begin(self, session: Session, scope: Scope) -> Apply:
        return lambda row: row._replace(status=NumberStatus.ACTIVE)


@dataclass(frozen=True)
class Deactivate(Edit):
    """Deactivate a number, which stays in the workspace. The *reason* is logged."""

    action = Action.NUMBERS_DEACTIVATE
    reason: str = ""

    def begin(self, session: Session, scope: Scope) -> Apply:
        return lambda row: row._replace(status=NumberStatus.INACTIVE)

    @property
    def details(self) -> Mapping[str, str]:
        return {"reason": validation.reason(self.reason)}


@dataclass(frozen=True)
class MarkReleased(Edit):
    """Mark a number as released that the provider's account no longer has; nothing changes at the provider.

    The caller has checked at the provider; *reason* is the operator's explanation.
    """

    action = Action.NUMBERS_RELEASE
    reason: str

    def begin(self, session: Session, scope: Scope) -> Apply:
        def apply(row: NumberRow) -> NumberRow:
            if db.orders.queries.has_open(session, row.e164):  # it may be its release
                raise Conflict(validation.being_ordered(row.e164))
            return row._replace(status=NumberStatus.RELEASED)

        return apply

    @property
    def details(self) -> Mapping[str, str]:
        return {AT_PROVIDER: "not in the account", "reason": validation.reason(self.reason, needed=True)}


@dataclass(frozen=True)
class TakeOver(Edit):
    """Take values over from the provider: a `label`, or a `sid` under which it has the number by now."""

    action = Action.NUMBERS_RESYNC
    values: Mapping[str, str]

    def begin(self, session: Session, scope: Scope) -> Apply:
        unknown = set(self.values) - {"label", "sid"}
        if unknown or not self.values:
            raise InvalidInput("This value cannot be updated from the provider.")
        label, sid = self.values.get("label"), self.values.get("sid")

        def apply(row: NumberRow) -> NumberRow:
            named = row if label is None else row._replace(label=validation.label(label))
            return named if sid is None else named._replace(provider_sid=sid)

        return apply


@dataclass(frozen=True)
class Remove(Edit):
    """Remove a BYOT number from the workspace and its campaigns. Its record and history stay."""

    action = Action.NUMBERS_REMOVE
    permission = Permission.NUMBERS_REMOVE

    def begin(self, session: Session, scope: Scope) -> Apply:
        def apply(row: NumberRow) -> NumberRow:
            if row.is_managed:
                raise Forbidden(f"A {labels.MANAGED[True]} number can be released, not removed.")
            return row._replace(status=NumberStatus.REMOVED)

        return apply


@dataclass(frozen=True)
class PutBack(Edit):
    """Undo a removal, unless the number has been added again. It comes back inactive."""

    action = Action.NUMBERS_PUT_BACK
    permission = Permission.NUMBERS_ADD
    brings_back = claims = True

    def begin(self, session: Session, scope: Scope) -> Apply:
        def apply(row: NumberRow) -> NumberRow:
            if row.status is not NumberStatus.REMOVED:
                raise InvalidInput("Only a removed number can be restored.")
            if db.numbers.queries.is_live(session, row.e164) or db.orders.queries.has_open(session, row.e164):
                raise Conflict("This number has been added again since. Look for it in the list.")
            return row._replace(status=NumberStatus.INACTIVE)

        return apply


@dataclass(frozen=True)
class Restore(Edit):
    """Give a number values back that it had, as `old_values` keeps them. A removed one comes back inactive."""

    action = Action.NUMBERS_UNDO
    brings_back = claims = True
    values: Mapping[str, Any]

    def begin(self, session: Session, scope: Scope) -> Apply:
        put_back = PutBack().begin(session, scope)

        def apply(row: NumberRow) -> NumberRow:
            if row.is_gone:
                return put_back(row)
            values = dict(self.values)
            if "status" in values:
                values["status"] = NumberStatus(values["status"])
            return row._replace(**values)

        return apply


def words(row: NumberRow) -> dict[str, Any]:
    """Return a number's values for the audit log: names instead of ids, so that they are self-contained."""
    return {
        "status": str(row.status),
        "label": row.label,
        "agent": row.agent,
        "connection": row.connection,
        "provider": row.provider,
        "provider_sid": row.provider_sid,
        "allowed_inbound": list(row.allowed_inbound),
        "allowed_outbound": list(row.allowed_outbound),
        "provider_fields": row.provider_fields,
        "tags": list(row.tags),
        "notes": row.notes,
    }


def difference(before: NumberRow, after: NumberRow) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values in words that a change replaces, and those that it writes."""
    old, new = words(before), words(after)
    changed = [name for name in old if old[name] != new[name]]
    return {name: old[name] for name in changed}, {name: new[name] for name in changed}


def old_values(before: NumberRow, after: NumberRow) -> dict[str, Any]:
    """Return the fields that a change replaces, as JSON can keep them, for `Restore`."""
    old, new = before._asdict(), after._asdict()
    return {name: list(old[name]) if name == "tags" else old[name] for name in old if old[name] != new[name]}


def write(session: Session, actor: Actor, number: PhoneNumber, before: NumberRow, after: NumberRow) -> None:
    """Give a locked *number* the values of *after*, in the transaction of *session*. What is gone leaves its pools."""
    if after.is_gone and not before.is_gone:
        retire(session, actor, number, after.status)
    else:
        number.status = after.status
        if not after.is_gone:
            number.released_at = None
    for name in _COLUMNS:
        if getattr(before, name) != getattr(after, name):
            setattr(number, name, getattr(after, name))
    if list(before.tags) != list(after.tags):
        db.numbers.queries.replace_tags(session, number, list(after.tags))


_COLUMNS = (
    "label",
    "agent_id",
    "connection_id",
    "provider",
    "provider_fields",
    "allowed_inbound",
    "allowed_outbound",
    "notes",
    "provider_sid",
)
"""What a change can write beside status and tags."""


def retire(session: Session, actor: Actor, number: PhoneNumber, status: NumberStatus) -> None:
    """Take *number* out of use for good, and out of every campaign, logging each, in the transaction of *session*."""
    number.status, number.released_at = status, datetime.now(UTC)
    for campaign, place in db.campaigns.with_number(session, Scope(number.tenant_id), number.id):
        before: dict[str, Any] = {}
        after: dict[str, Any] = {}
        if campaign.primary_number_id == number.id:
            before["primary_number"], after["primary_number"] = number.e164, None
        if place is not None and place.pool_status is not PoolStatus.REMOVED:
            before["pool_status"], after["pool_status"] = str(place.pool_status), str(PoolStatus.REMOVED)
        if before:
            campaigns.leave(campaign, number.id, place)
            campaign.version += 1
            about = Subject("campaign", campaign.id, campaign.name, campaign.tenant_id, campaign.version)
            before["number"] = after["number"] = number.e164
            audit.record(session, actor, Action.CAMPAIGNS_LOSE_NUMBER, about, before=before, after=after)


def _some(values: list[str], field: str, problem: str) -> list[str]:
    if not values:
        raise InvalidInput(problem, field=field)
    return values
