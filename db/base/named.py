"""Queries over what has a name in a tenant: agents, campaigns, connections; and over tenants themselves."""

from collections.abc import Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from db.base.scope import Scope
from db.base.tables import table_of

Row = TypeVar("Row", bound=SQLModel)


def find(session: Session, model: type[Row], scope: Scope, row_id: int) -> Row | None:
    """Return a row in *scope*."""
    found: Row | None = session.scalar(_row(model, scope, row_id))
    return found


def lock(session: Session, model: type[Row], scope: Scope, row_id: int) -> Row | None:
    """Return a row in *scope* as it is now, locked for a change where the database can."""
    locked = _row(model, scope, row_id).with_for_update().execution_options(populate_existing=True)
    found: Row | None = session.scalar(locked)
    return found


def is_named(session: Session, model: type[Row], scope: Scope, name: str, *, but: int | None = None) -> bool:
    """Return whether a row in *scope*, other than *but*, has the name, whatever its case."""
    columns = table_of(model).c
    found = session.scalars(
        sa.select(columns.id).where(scope.of(_tenant(model)), sa.func.lower(columns.name) == name.lower())
    )
    return any(row_id != but for row_id in found)


def count(session: Session, model: type[Row], conditions: Sequence[Any]) -> int:
    """Return how many rows meet the *conditions*, of which one is their scope."""
    return session.scalar(sa.select(sa.func.count(table_of(model).c.id)).where(*conditions)) or 0


def _row(model: type[Row], scope: Scope, row_id: int) -> Any:
    return sa.select(model).where(table_of(model).c.id == row_id, scope.of(_tenant(model)))


def _tenant(model: type[Row]) -> Any:
    columns = table_of(model).c
    return columns.get("tenant_id", columns.id)
