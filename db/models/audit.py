"""The audit log."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db.base.columns import Json
from db.base.tables import instant

_LAST = (sa.text("at DESC"), sa.text("id DESC"))


class AuditEvent(SQLModel, table=True):
    """Who changed what, from which value to which. Triggers refuse any update or delete."""

    __tablename__ = "audit_event"
    __table_args__ = (
        sa.Index("ix_audit_event_newest", "tenant_id", *_LAST),
        sa.Index("ix_audit_event_newest_of_all", *_LAST),
        sa.Index("ix_audit_event_counted", "tenant_id", "at", "action", "actor_id", "actor_name"),
        sa.Index("ix_audit_event_actor", "tenant_id", "actor_name", *_LAST),
        sa.Index("ix_audit_event_actor_of_all", "actor_name", *_LAST),
        sa.Index("ix_audit_event_action", "tenant_id", "action", *_LAST),
        sa.Index("ix_audit_event_action_of_all", "action", *_LAST),
        sa.Index("ix_audit_event_kind", "tenant_id", "subject_type", *_LAST),
        sa.Index("ix_audit_event_kind_of_all", "subject_type", *_LAST),
        sa.Index("ix_audit_event_label", "subject_label", "tenant_id", *_LAST),
        sa.Index("ix_audit_event_subject", "subject_type", "subject_id", "tenant_id", *_LAST),
    )

    id: int = Field(default=None, primary_key=True)
    tenant_id: int | None = Field(default=None, foreign_key="tenant.id")
    at: datetime = instant()
    actor_id: int | None = Field(default=None, foreign_key="app_user.id")
    actor_name: str = Field(max_length=80)
    action: str = Field(max_length=64)
    subject_type: str = Field(max_length=32)
    subject_id: int | None = None
    subject_label: str = Field(default="", max_length=120)
    subject_version: int | None = None
    before: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    after: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class AuditName(SQLModel, table=True):
    """What things other than numbers were called when something happened to them; kept by triggers on `audit_event`.

    `tenant_id` is 0 for what belongs to no tenant.
    """

    __tablename__ = "audit_name"

    tenant_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True, max_length=120)
