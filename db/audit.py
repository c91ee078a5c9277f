"""Queries over the audit log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db.models import AuditEvent
from db.scope import Scope, Slice


@dataclass(frozen=True)
class AuditRow:
    """One change: who, when, what, and the values before and after by field."""

    id: int
    at: datetime
    actor: str
    action: str
    subject_type: str
    subject_id: int | None
    subject: str
    version: int | None
    before: dict[str, Any]
    after: dict[str, Any]


def of_subject(session: Session, scope: Scope, subject_type: str, subject_id: int, part: Slice) -> list[AuditRow]:
    """Return the *part* of a thing's history, newest first."""
    return _read(
        session,
        _about(scope, subject_type, subject_id).order_by(AuditEvent.id.desc()).limit(part.size).offset(part.offset),
    )


def since_version(session: Session, scope: Scope, subject_type: str, subject_id: int, version: int) -> list[AuditRow]:
    """Return what happened to a thing after it had *version*, oldest first."""
    return _read(
        session,
        _about(scope, subject_type, subject_id)
        .where(AuditEvent.subject_version > version)
        .order_by(AuditEvent.id)
        .limit(20),
    )


def newest(session: Session, scope: Scope, since: datetime, until: datetime, limit: int) -> list[AuditRow]:
    """Return the last *limit* events from *since* until before *until*, newest first."""
    inside = (scope.of(AuditEvent.tenant_id), AuditEvent.at >= since, AuditEvent.at < until)
    return _read(
        session, sa.select(AuditEvent).where(*inside).order_by(AuditEvent.at.desc(), AuditEvent.id.desc()).limit(limit)
    )


def _about(scope: Scope, subject_type: str, subject_id: int) -> Any:
    return sa.select(AuditEvent).where(
        scope.of(AuditEvent.tenant_id),
        AuditEvent.subject_type == subject_type,
        AuditEvent.subject_id == subject_id,
    )


def _read(session: Session, statement: Any) -> list[AuditRow]:
    return [
        AuditRow(
            id=event.id,
            at=event.at,
            actor=event.actor_name,
            action=event.action,
            subject_type=event.subject_type,
            subject_id=event.subject_id,
            subject=event.subject_label,
            version=event.subject_version,
            before=event.before,
            after=event.after,
        )
        for event in session.scalars(statement)
    ]
