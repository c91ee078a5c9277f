"""How many numbers an agent or a connection has."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

from db.base.tables import table_of
from db.models import LIVE, PhoneNumber

COUNT_LIMIT = 1000
"""Numbers of a connection or an agent are counted up to here in lists; beyond, the count reads `1,000+`."""


def held(model: type[SQLModel], column: Any, limit: int | None = COUNT_LIMIT) -> Any:
    """Return how many numbers refer to a row by their *column*, up to *limit* + 1, as a column of a select."""
    table = table_of(model)
    some = (
        sa.select(PhoneNumber.id)
        .where(PhoneNumber.tenant_id == table.c.tenant_id, column == table.c.id, LIVE)
        .limit(None if limit is None else limit + 1)
        .correlate(table)
        .subquery()
    )
    return sa.select(sa.func.count()).select_from(some).scalar_subquery()
