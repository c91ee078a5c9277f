"""The audit log: every write records who did what, with values before and after, in its own transaction."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlmodel import Session

import db.audit.queries
import db.people.tenants
from db.audit.queries import COUNT_LIMIT, AuditFacets, AuditQuery, AuditRow
from db.base.scope import Slice
from db.models import AuditEvent
from services.core.access import Actor, Permission, require
from services.core.transactions import writing
from services.text import days

__all__ = ["COUNT_LIMIT"]


AT_PROVIDER = "at_provider"
"""Marks a release found at the provider, with its state there."""


class Action(StrEnum):
    """Every logged action, named like permissions: `noun:verb`; its words follow the name of who did it."""

    words: str

    def __new__(cls, value: str, words: str = "") -> Self:
        """Return the action that is logged as *value*."""
        action = str.__new__(cls, value)
        action._value_, action.words = value, words
        return action

    AGENTS_ACTIVATE = "agents:activate", "activated the agent"
    AGENTS_ADD = "agents:add", "added the agent"
    AGENTS_DEACTIVATE = "agents:deactivate", "deactivated the agent"
    AGENTS_RENAME = "agents:rename", "renamed the agent"
    API_KEYS_CREATE = "api_keys:create", "created an API key"
    API_KEYS_REVOKE = "api_keys:revoke", "revoked an API key"
    AUDIT_EXPORT = "audit:export", "downloaded the activity"
    AUDIT_REPORT = "audit:report", "downloaded the tenant audit"
    CAMPAIGNS_ADD = "campaigns:add", "added the campaign"
    CAMPAIGNS_ADD_NUMBERS = "campaigns:add_numbers", "added numbers to the pool"
    CAMPAIGNS_EDIT = "campaigns:edit", "changed the campaign"
    CAMPAIGNS_EDIT_POOL = "campaigns:edit_pool", "changed a number's place in the pool"
    CAMPAIGNS_LOSE_NUMBER = "campaigns:lose_number", "removed an unavailable number from the campaign"
    CAMPAIGNS_REMOVE_NUMBER = "campaigns:remove_number", "removed a number from the pool"
    CAMPAIGNS_REPLACE_NUMBER = "campaigns:replace_number", "replaced numbers in the pool"
    CAMPAIGNS_SET_PRIMARY = "campaigns:set_primary", "changed the primary number"
    CONNECTIONS_ACTIVATE = "connections:activate", "activated the connection"
    CONNECTIONS_ADD = "connections:add", "added the connection"
    CONNECTIONS_DEACTIVATE = "connections:deactivate", "deactivated the connection"
    CONNECTIONS_DELETE = "connections:delete", "deleted the connection"
    CONNECTIONS_EDIT = "connections:edit", "changed the connection"
    CONNECTIONS_ROTATE_KEY = "connections:rotate_key", "changed the encryption key of credentials"
    CONNECTIONS_TEST = "connections:test", "tested the connection"
    DEMO_FILL = "demo:fill", "filled the demo workspace"
    HEALTH_EXPORT = "health:export", "downloaded number health"
    HEALTH_IMPORT = "health:import", "imported campaign health"
    HEALTH_PULL = "health:pull", "read campaign health from the call log"
    JOBS_CANCEL = "jobs:cancel", "cancelled the job"
    JOBS_END = "jobs:end", "job ended"
    JOBS_START = "jobs:start", "started the job"
    NUMBERS_ACTIVATE = "numbers:activate", "activated the number"
    NUMBERS_ADD = "numbers:add", "added the number"
    NUMBERS_ASSIGN_AGENT = "numbers:assign_agent", "changed the inbound call agent"
    NUMBERS_BUY = "numbers:buy", "bought the number"
    NUMBERS_BUY_BACK = "numbers:buy_back", "bought the number back"
    NUMBERS_DEACTIVATE = "numbers:deactivate", "deactivated the number"
    NUMBERS_EDIT_PROVIDER_FIELDS = "numbers:edit_provider_fields", "changed the provider fields"
    NUMBERS_EDIT_TAGS_AND_NOTES = "numbers:edit_tags_and_notes", "changed tags and notes"
    NUMBERS_EXPORT = "numbers:export", "downloaded the list of numbers"
    NUMBERS_IMPORT = "numbers:import", "imported the number"
    NUMBERS_IMPORT_FILE = "numbers:import_file", "imported numbers from a file"
    NUMBERS_MOVE = "numbers:move", "moved the number to another tenant"
    NUMBERS_PUT_BACK = "numbers:put_back", "restored the number to the workspace"
    NUMBERS_RELEASE = "numbers:release", "released the number"
    NUMBERS_REMOVE = "numbers:remove", "removed the number from the workspace"
    NUMBERS_RENAME = "numbers:rename", "changed the label"
    NUMBERS_RESTRICT_INBOUND = "numbers:restrict_inbound", "changed the allowed inbound countries"
    NUMBERS_RESTRICT_OUTBOUND = "numbers:restrict_outbound", "changed the allowed outbound countries"
    NUMBERS_RESYNC = "numbers:resync", "synced from the provider"
    NUMBERS_SEND_LABEL = "numbers:send_label", "sent the label to the provider"
    NUMBERS_SET_CONNECTION = "numbers:set_connection", "changed the telephony connection"
    NUMBERS_SET_WEBHOOKS = "numbers:set_webhooks", "changed the webhooks at the provider"
    NUMBERS_UNDO = "numbers:undo", "undid a change of the number"
    NUMBERS_UPDATE_BY_FILE = "numbers:update_by_file", "updated the number from a file"
    ORDERS_CANCEL = "orders:cancel", "cancelled an order"
    ORDERS_CONFIRM = "orders:confirm", "order confirmed"
    ORDERS_FAIL = "orders:fail", "order failed"
    ORDERS_PLACE = "orders:place", "placed an order"
    ORDERS_UNCERTAIN = "orders:uncertain", "order pending confirmation"
    SETTINGS_CHANGE = "settings:change", "changed the tenant's settings"
    TENANTS_CHANGE = "tenants:change", "changed the tenant"
    TENANTS_CREATE = "tenants:create", "created the tenant"
    TENANTS_RESUME = "tenants:resume", "resumed the tenant"
    TENANTS_SUSPEND = "tenants:suspend", "suspended the tenant"
    USERS_ACTIVATE = "users:activate", "activated the user"
    USERS_CHANGE_PASSWORD = "users:change_password", "changed their password"
    USERS_CHANGE_ROLE = "users:change_role", "changed the user's role"
    USERS_CHANGE_SUPERADMIN = "users:change_superadmin", "granted or removed superadmin"
    USERS_CREATE = "users:create", "created the user"
    USERS_DEACTIVATE = "users:deactivate", "deactivated the user"
    USERS_RESET_PASSWORD = "users:reset_password", "reset the user's password"
    USERS_SIGN_IN = "users:sign_in", "signed in"
    USERS_SIGN_OUT_EVERYWHERE = "users:sign_out_everywhere", "signed the user out everywhere"


@dataclass(frozen=True)
class Subject:
    """What was changed. `label` is its name for readers."""

    type: str
    id: int | None
    label: str
    tenant_id: int | None
    version: int | None = None


def record(
    session: Session,
    actor: Actor | None,
    action: Action,
    subject: Subject,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an event to the transaction of *session*. No *actor* means the system itself."""
    session.add(AuditEvent(**_values(actor, action, subject), before=dict(before or {}), after=dict(after or {})))


def record_all(
    session: Session,
    actor: Actor | None,
    action: Action,
    events: Iterable[tuple[Subject, Mapping[str, Any], Mapping[str, Any]]],
) -> None:
    """Add many events of one action to the transaction of *session*: each subject with its values before and after."""
    now = datetime.now(UTC)
    db.audit.queries.put(
        session,
        [
            _values(actor, action, subject) | {"at": now, "before": before, "after": after}
            for subject, before, after in events
        ],
    )


def _values(actor: Actor | None, action: Action, subject: Subject) -> dict[str, Any]:
    return {
        "tenant_id": subject.tenant_id,
        "actor_id": actor.user_id if actor else None,
        "actor_name": actor.name if actor else "System",
        "action": action,
        "subject_type": subject.type,
        "subject_id": subject.id,
        "subject_label": subject.label[:120],
        "subject_version": subject.version,
    }


def history(session: Session, actor: Actor, subject_type: str, subject_id: int, part: Slice) -> list[AuditRow]:
    """Return the *part* of a thing's changes, newest first."""
    require(actor, Permission.AUDIT_READ)
    return db.audit.queries.of_subject(session, actor.scope, subject_type, subject_id, part)


def history_of_number(session: Session, actor: Actor, number_id: int, part: Slice) -> list[AuditRow]:
    """Return the *part* of a number's changes and orders, newest first."""
    require(actor, Permission.AUDIT_READ)
    return db.audit.queries.of_number(session, actor.scope, number_id, part)


def count(session: Session, actor: Actor, query: AuditQuery) -> int:
    """Return how many events match, counting up to COUNT_LIMIT + 1."""
    require(actor, Permission.AUDIT_READ)
    return db.audit.queries.count(session, actor.scope, query)


def search(session: Session, actor: Actor, query: AuditQuery, part: Slice) -> list[AuditRow]:
    """Return the *part* of the events that match *query*, newest first.

    Within a tenant only its own events; events without a tenant, such as sign-ins, are for superadmins over all
    tenants.
    """
    require(actor, Permission.AUDIT_READ)
    return db.audit.queries.search(session, actor.scope, query, part)


def facets(session: Session, actor: Actor) -> AuditFacets:
    """Return the filter options."""
    require(actor, Permission.AUDIT_READ)
    return db.audit.queries.facets(session, actor.scope)


def export(session: Session, actor: Actor, query: AuditQuery) -> Iterator[AuditRow]:
    """Return every matching event, newest first, for a file; logs the download."""
    require(actor, Permission.AUDIT_READ)
    require(actor, Permission.AUDIT_EXPORT)
    subject = Subject("audit", None, "Activity", actor.scope.tenant_id)
    with writing(session):
        record(session, actor, Action.AUDIT_EXPORT, subject, after={"filters": _filters_for_log(session, query)})
    return db.audit.queries.walk(session, actor.scope, query)


def period(first: date | None, last: date | None, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Return start and end (exclusive) of a period of whole days in *zone*; None where open.

    Raises InvalidInput when it ends before it starts.
    """
    if first and last:
        return days.span(first, last, zone)
    return days.starts(first, zone) if first else None, days.span(last, last, zone)[1] if last else None


def _filters_for_log(session: Session, query: AuditQuery) -> dict[str, Any]:
    tenants = (db.people.tenants.find(session, tenant_id) if tenant_id else None for tenant_id in query.tenants)
    details = {
        "search": query.search.text if query.search else None,
        "actors": list(query.actors),
        "actions": list(query.actions),
        "kinds": list(query.kinds),
        "tenants": [tenant.name if tenant else "none" for tenant in tenants],
        "since": query.since.isoformat() if query.since else None,
        "until": query.until.isoformat() if query.until else None,
    }
    return {name: value for name, value in details.items() if value}
