"""Processes of the installation that are running."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from db.base.tables import instant


class Replica(SQLModel, table=True):
    """A process. `beats` goes up while it lives: who no longer sees it rise takes over what the process had begun."""

    id: str = Field(primary_key=True, max_length=64)
    beats: int = 0
    started_at: datetime = instant()
