"""Campaign health: daily facts, what was added up from them, and how far call logs were read."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db.base.columns import Json
from db.base.tables import instant, of_tenant


class CampaignHealth(SQLModel, table=True):
    """One day of calls of one number in one campaign. Idempotent by its key.

    Of `detected` calls that were picked up the source can tell by whom; `machines` of them were machines, and are
    attempts but not answered.
    """

    __tablename__ = "campaign_health"
    __table_args__ = (
        of_tenant("campaign_id", "campaign"),
        of_tenant("number_id", "phone_number"),
        sa.CheckConstraint("attempts >= 0 AND answered >= 0 AND answered <= attempts", name="answered_of_attempts"),
        sa.CheckConstraint("completed >= 0 AND short_calls >= 0 AND failed >= 0 AND spam_reports >= 0", name="counts"),
        sa.Index(None, "tenant_id", "number_id", "day"),
        sa.Index("ix_campaign_health_day", "tenant_id", "day", "number_id", "attempts"),
        sa.Index(
            "ix_campaign_health_window",
            *("tenant_id", "campaign_id", "number_id", "day", "attempts", "answered", "completed", "spam_reports"),
            *("detected", "machines"),
        ),
    )

    campaign_id: int = Field(primary_key=True)
    number_id: int = Field(primary_key=True)
    day: date = Field(primary_key=True)
    tenant_id: int
    attempts: int = 0
    answered: int = 0
    completed: int = 0
    short_calls: int = 0
    failed: int = 0
    spam_reports: int = 0
    detected: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    machines: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class HealthVersion(SQLModel, table=True):
    """How often a tenant's campaign health was written, so that a summary knows when it is old."""

    __tablename__ = "health_version"

    tenant_id: int = Field(primary_key=True, foreign_key="tenant.id")
    n: int = 0


class HealthSummary(SQLModel, table=True):
    """When a tenant's lines over a window of so many days were added up, and from what; see `health_line`."""

    __tablename__ = "health_summary"

    tenant_id: int = Field(primary_key=True, foreign_key="tenant.id")
    days: int = Field(primary_key=True)
    until: date
    version: int
    limits: str = Field(max_length=100)
    made_at: datetime = instant()
    seconds: float


class HealthLine(SQLModel, table=True):
    """A number in one campaign over a window of so many days and the one before, added up from `campaign_health`.

    Rates are shares in 0..1. `verdict` is what the calls alone say, `expected` what the others of the pool had on the
    same days, `bound` the upper end of chance and scatter. The change test has run since the day `since`.
    """

    __tablename__ = "health_line"
    __table_args__ = (sa.Index(None, "tenant_id", "days", "number_id", "completed"),)

    days: int = Field(primary_key=True)
    campaign_id: int = Field(primary_key=True)
    number_id: int = Field(primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    attempts: int
    answered: int
    completed: int
    spam_reports: int
    attempts_before: int
    answered_before: int
    low: float | None = None
    high: float | None = None
    median: float | None = None
    verdict: str = Field(max_length=16)
    expected: float | None = None
    bound: float | None = None
    since: date | None = None
    since_attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    since_answered: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    since_expected: float | None = None
    detected: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    machines: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class HealthFall(SQLModel, table=True):
    """A campaign with a falling answer rate across its pool, by the newest days of a window; kept with its lines.

    `expected` is the rate that was usual on such days.
    """

    __tablename__ = "health_fall"
    __table_args__ = (sa.Index(None, "tenant_id", "days"),)

    days: int = Field(primary_key=True)
    campaign_id: int = Field(primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    since: date
    until: date
    attempts: int
    answered: int
    expected: float


class HealthPull(SQLModel, table=True):
    """How far a connection's call log was read, and what the last job of it has read.

    Every day from `first_day` to `done_until` was read to its end; before the first of them is, `done_until`
    is the day before it. `started_by` is who last had it read: the clock reads on in their name.
    """

    __tablename__ = "health_pull"
    __table_args__ = (of_tenant("connection_id", "telephony_connection"),)

    connection_id: int = Field(primary_key=True)
    tenant_id: int
    first_day: date
    done_until: date
    started_by: int | None = Field(default=None, foreign_key="app_user.id")
    counts: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    job_id: int | None = None
