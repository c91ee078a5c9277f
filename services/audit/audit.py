"""The audit log: every write records who did what, with values before and after, in its own transaction."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
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

__all__ = [
    "COUNT_LIMIT",
    "Action",
    "AuditFacets",
    "AuditQuery",
    "AuditRow",
    "Subject",
    "history",
    "record",
    "record_all",
]


AT_PROVIDER = "at_provider"
"""Marks a release found at the provider, with its state there."""


class Action(StrEnum):
    """Every logged action, named like permissions: `noun:verb`."""

    AGENTS_ACTIVATE = "agents:activate"
    AGENTS_ADD = "agents:add"
    AGENTS_DEACTIVATE = "agents:deactivate"
    AGENTS_RENAME = "agents:rename"
    API_KEYS_CREATE = "api_keys:create"
    API_KEYS_REVOKE = "api_keys:revoke"
    AUDIT_EXPORT = "audit:export"
    AUDIT_REPORT = "audit:report"
    CAMPAIGNS_ADD = "campaigns:add"
    CAMPAIGNS_ADD_NUMBERS = "campaigns:add_numbers"
    CAMPAIGNS_EDIT = "campaigns:edit"
    CAMPAIGNS_EDIT_POOL = "campaigns:edit_pool"
    CAMPAIGNS_LOSE_NUMBER = "campaigns:lose_number"
    CAMPAIGNS_REMOVE_NUMBER = "campaigns:remove_number"
    CAMPAIGNS_SET_PRIMARY = "campaigns:set_primary"
    CONNECTIONS_ACTIVATE = "connections:activate"
    CONNECTIONS_ADD = "connections:add"
    CONNECTIONS_DEACTIVATE = "connections:deactivate"
    CONNECTIONS_DELETE = "connections:delete"
    CONNECTIONS_EDIT = "connections:edit"
    CONNECTIONS_ROTATE_KEY = "connections:rotate_key"
    CONNECTIONS_TEST = "connections:test"
    DEMO_FILL = "demo:fill"
    HEALTH_EXPORT = "health:export"
    HEALTH_IMPORT = "health:import"
    HEALTH_PULL = "health:pull"
    NUMBERS_ACTIVATE = "numbers:activate"
    NUMBERS_ADD = "numbers:add"
    NUMBERS_ASSIGN_AGENT = "numbers:assign_agent"
    NUMBERS_BUY = "numbers:buy"
    NUMBERS_BUY_BACK = "numbers:buy_back"
    NUMBERS_DEACTIVATE = "numbers:deactivate"
    NUMBERS_EDIT_PROVIDER_FIELDS = "numbers:edit_provider_fields"
    NUMBERS_EDIT_TAGS_AND_NOTES = "numbers:edit_tags_and_notes"
    NUMBERS_EXPORT = "numbers:export"
    NUMBERS_IMPORT = "numbers:import"
    NUMBERS_IMPORT_FILE = "numbers:import_file"
    NUMBERS_PUT_BACK = "numbers:put_back"
    NUMBERS_RELEASE = "numbers:release"
    NUMBERS_REMOVE = "numbers:remove"
    NUMBERS_RENAME = "numbers:rename"
    NUMBERS_RESTRICT_INBOUND = "numbers:restrict_inbound"
    NUMBERS_RESTRICT_OUTBOUND = "numbers:restrict_outbound"
    NUMBERS_RESYNC = "numbers:resync"
    NUMBERS_SET_CONNECTION = "numbers:set_connection"
    NUMBERS_SET_WEBHOOKS = "numbers:set_webhooks"
    ORDERS_CANCEL = "orders:cancel"
    ORDERS_CONFIRM = "orders:confirm"
    ORDERS_FAIL = "orders:fail"
    ORDERS_PLACE = "orders:place"
    ORDERS_UNCERTAIN = "orders:uncertain"
    SETTINGS_CHANGE = "settings:change"
    TENANTS_CHANGE = "tenants:change"
    TENANTS_CREATE = "tenants:create"
    TENANTS_RESUME = "tenants:resume"
    TENANTS_SUSPEND = "tenants:suspend"
    USERS_ACTIVATE = "users:activate"
    USERS_CHANGE_PASSWORD = "users:change_password"  # noqa: S105
    USERS_CHANGE_ROLE = "users:change_role"
    USERS_CHANGE_SUPERADMIN = "users:change_superadmin"
    USERS_CREATE = "users:create"
    USERS_DEACTIVATE = "users:deactivate"
    USERS_RESET_PASSWORD = "users:reset_password"  # noqa: S105
    USERS_SIGN_IN = "users:sign_in"
    USERS_SIGN_OUT_EVERYWHERE = "users:sign_out_everywhere"


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
    session: Session, actor: Actor | None, action: Action, events: Iterable[tuple[Subject, Mapping[str, Any]]]
) -> None:
    """Add many events of one action to the transaction of *session*: each subject with its new values."""
    now = datetime.now(UTC)
    db.audit.queries.put(
        session,
        [_values(actor, action, subject) | {"at": now, "before": {}, "after": after} for subject, after in events],
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
