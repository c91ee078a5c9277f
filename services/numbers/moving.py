"""Moving numbers to another tenant, which superadmins do.

A record never changes its tenant, since its history, its health and its campaigns are one tenant's. So a number leaves
one tenant, where its record stays as a removed one, and is added to the other in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session

import db.base.named
import db.numbers.rows
import db.orders.queries
from db.base.scope import Scope
from db.models import Connection, Job, JobItem, NumberStatus, Outcome, Tenant
from db.numbers.rows import NumberRow
from services.audit.audit import Action
from services.core import validation
from services.core.access import Actor, Permission, require
from services.core.errors import Conflict, Forbidden, InvalidInput
from services.jobs.kinds import refuse
from services.numbers import bulk, registration
from services.numbers.bulk import Chosen, Editing
from services.numbers.edits import Apply, Edit
from services.numbers.registration import Configuration, Prepared
from services.text import labels
from services.text.numbering import ReadNumber


@dataclass(frozen=True)
class Leave(Edit):
    """Have a BYOT number leave its tenant for the one of a connection. It leaves its campaigns."""

    action = Action.NUMBERS_MOVE
    claims = True
    permission = Permission.TENANTS_WRITE
    connection_id: int

    def begin(self, session: Session, scope: Scope) -> Apply:
        connection = _connection(session, self.connection_id)
        if connection.tenant_id == scope.tenant_id:
            raise InvalidInput("Choose a connection of another tenant.", field="connection")

        def apply(row: NumberRow) -> NumberRow:
            if row.is_managed:
                raise Forbidden(f"A {labels.MANAGED[True]} number is in its tenant's account, so it cannot be moved.")
            if db.orders.queries.has_open(session, row.e164):
                raise Conflict(validation.being_ordered(row.e164))
            _arriving(row, connection)
            return row._replace(status=NumberStatus.REMOVED)

        return apply


@dataclass(frozen=True)
class Moving(Editing):
    """Jobs that move numbers to the tenant of a connection."""

    def do(self, session: Session, actor: Actor, job: Job, items: Sequence[JobItem]) -> None:
        """Have *items* leave, and add those that left to the other tenant in the same transaction."""
        require(actor, self.permission)
        connection = _connection(session, job.settings["connection_id"])
        tenant = session.get_one(Tenant, connection.tenant_id)
        if tenant.suspended_at is not None or not connection.is_active:
            for item in items:
                refuse(item, f"{tenant.name} is suspended, or its connection inactive.")
            return
        rows = db.numbers.rows.of_ids(session, Scope(job.tenant_id), [item.number_id or 0 for item in items])
        super().do(session, actor, job, items)
        moved = [item for item in items if item.outcome is Outcome.CHANGED]
        arriving = [_arriving(rows[item.number_id or 0], connection) for item in moved]
        registration.put(session, replace(actor, tenant_id=tenant.id, all_tenants=False), arriving)
        for item in moved:
            item.after = {**item.after, "tenant": tenant.name}


MOVING = Moving(
    "move",
    "Move to another tenant",
    Leave,
    lambda session, _scope, edit: f"Move to {_target(session, edit.connection_id)}",
    confirmed=True,
    can_be_undone=False,
    verb="Move",
    note=(
        "Label, countries, tags and notes go along. Agent, campaigns, health and history stay: here the number is kept "
        "as a removed one, which leaves its campaigns."
    ),
)


def draft(session: Session, actor: Actor, chosen: Chosen, *, connection_id: int) -> int:
    """Preview that all that is *chosen* moves to the tenant of a connection; return the id of the job."""
    require(actor, Permission.TENANTS_WRITE)
    return bulk.draft_kind(MOVING, session, actor, chosen, connection_id=connection_id)


def _arriving(row: NumberRow, connection: Connection) -> Prepared:
    """Return a number as the other tenant gets it. Raises InvalidInput when it lacks what the provider needs."""
    read = ReadNumber(row.e164, row.country, row.number_type, is_valid=True)
    configuration = Configuration(
        label=row.label,
        allowed_inbound=row.allowed_inbound,
        allowed_outbound=row.allowed_outbound,
        provider_fields=row.provider_fields,
        tags=row.tags,
        notes=row.notes,
    )
    return registration.prepare(read, connection, None, configuration)


def _connection(session: Session, connection_id: int) -> Connection:
    return validation.connection(session, Scope(None), connection_id)


def _target(session: Session, connection_id: int) -> str:
    connection = db.base.named.find(session, Connection, Scope(None), connection_id)
    return session.get_one(Tenant, connection.tenant_id).name if connection else ""
