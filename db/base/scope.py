"""The tenant whose rows a query may see. Every query takes one, so none can forget it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, true


@dataclass(frozen=True)
class Scope:
    """One tenant, or (None) every tenant."""

    tenant_id: int | None

    def of(self, column: Any) -> ColumnElement[bool]:
        """Return the condition that *column*, a tenant id, lies in the scope."""
        condition: ColumnElement[bool] = true() if self.tenant_id is None else column == self.tenant_id
        return condition


@dataclass(frozen=True)
class Slice:
    """A part of a list: which page (from 1) of how many rows."""

    page: int = 1
    size: int = 25

    @property
    def offset(self) -> int:
        """How many rows come before."""
        return (self.page - 1) * self.size
