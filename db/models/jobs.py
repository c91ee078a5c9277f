"""Long work: jobs with an outcome for each of their items, and the processes that do them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db.base.columns import Json, words
from db.base.tables import instant, maybe_instant


class JobState(StrEnum):
    """A `draft` is a preview: nothing is done before somebody starts it."""

    DRAFT = "draft"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


GOING = (JobState.WAITING, JobState.RUNNING)
"""States of a job that was started and has not ended."""


class Outcome(StrEnum):
    """What became of an item. A `waiting` one is to be done; of an `ordered` one the provider's answer is awaited.

    A `different` one is nothing that was done: it is what a comparison has found.
    """

    WAITING = "waiting"
    ORDERED = "ordered"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    DIFFERENT = "different"


class Job(SQLModel, table=True):
    """Something that is done to many items, one after the other. `done` are those that have an outcome.

    `monthly` is what the numbers that change cost a month, by currency; `problem` is why it ended early, and `undoes`
    the job that it takes back. A `scheduled` one was started by the clock, as that user once asked for, and one with a
    `comparison_id` sees to what that job has found. A program started it with an API key; `request_key` is how it names
    its request, and `request_hash` what it asked for.
    """

    __table_args__ = (
        sa.Index("ix_job_newest", "tenant_id", sa.text("id DESC")),
        sa.Index(
            "ix_job_unfinished",
            "state",
            sqlite_where=sa.text("state IN ('draft', 'waiting', 'running')"),
            postgresql_where=sa.text("state IN ('draft', 'waiting', 'running')"),
        ),
        sa.Index(None, "undoes"),
        sa.Index("ix_job_request", "tenant_id", "request_key", unique=True),
        {"sqlite_autoincrement": True},  # the link of a preview that was deleted leads to no other job
    )

    id: int = Field(default=None, primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    user_id: int = Field(foreign_key="app_user.id")
    kind: str = Field(max_length=32)
    title: str = Field(max_length=200)
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    state: JobState = Field(default=JobState.DRAFT, sa_type=words(JobState, "state"))
    total: int = 0
    done: int = 0
    changed: int = 0
    refused: int = 0
    monthly: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    problem: str | None = Field(default=None, max_length=500)
    undoes: int | None = Field(default=None, foreign_key="job.id")
    comparison_id: int | None = None
    scheduled: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    api_key_id: int | None = None
    request_key: str | None = Field(default=None, max_length=128)
    request_hash: str | None = Field(default=None, max_length=64)
    created_at: datetime = instant()
    started_at: datetime | None = maybe_instant()
    cancelled_at: datetime | None = maybe_instant()
    ended_at: datetime | None = maybe_instant()


class JobItem(SQLModel, table=True):
    """One item of a job: what it is about as the preview showed it, and what became of it.

    `before` and `after` are in words, as the audit log has them; `old` is what undoing writes back.
    """

    __tablename__ = "job_item"
    __table_args__ = (sa.Index("ix_job_item_outcome", "job_id", "outcome", "place"),)

    job_id: int = Field(primary_key=True, foreign_key="job.id", ondelete="CASCADE")
    place: int = Field(primary_key=True)
    subject: str = Field(max_length=120)
    number_id: int | None = None
    version: int | None = None
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    outcome: Outcome = Field(default=Outcome.WAITING, sa_type=words(Outcome, "outcome"))
    reason: str = Field(default="", max_length=300)
    before: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    after: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    old: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    new_version: int | None = None
    order_id: int | None = None


class Replica(SQLModel, table=True):
    """A process. `beats` goes up while it lives: who no longer sees it rise takes over what the process had begun."""

    id: str = Field(primary_key=True, max_length=64)
    beats: int = 0
    started_at: datetime = instant()
