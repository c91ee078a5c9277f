"""What tables share: names of constraints, instants, and references that hold only inside one tenant."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db.base.columns import UtcDateTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING


def table_of(model: type[SQLModel]) -> sa.Table:
    """Return the table behind a model."""
    table: sa.Table = model.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
    return table


def instant(**options: Any) -> Any:
    """Return a field for an instant, which is now unless it is given."""
    return Field(default_factory=lambda: datetime.now(UTC), sa_type=UtcDateTime, **options)


def maybe_instant() -> Any:
    """Return a field for an instant, or none."""
    return Field(default=None, sa_type=UtcDateTime)


def of_tenant(child: str, parent: str) -> sa.ForeignKeyConstraint:
    """Return a reference to *parent* that holds only inside one tenant."""
    return sa.ForeignKeyConstraint(["tenant_id", child], [f"{parent}.tenant_id", f"{parent}.id"])
