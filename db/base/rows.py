"""Rows of a query, as dataclasses whose fields are named after columns."""

from dataclasses import fields
from typing import Any


def columns_for(row: type, model: Any, **others: Any) -> list[Any]:
    """Return what the fields of *row* are read from, in their order: a column of *model*, or one of the *others*."""
    names = [field.name for field in fields(row)]
    return [others[name] if name in others else getattr(model, name) for name in names]


def values_for(row: type, thing: Any, **others: Any) -> dict[str, Any]:
    """Return the values of the fields of *row*: those of *thing*, a mapped row, or one of the *others*."""
    return dict(zip((field.name for field in fields(row)), columns_for(row, thing, **others), strict=True))
