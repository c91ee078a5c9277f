"""Errors raised by services, named by what the caller may do next. Messages are for the reader.

ServiceError
  Forbidden      the role does not allow it
  NotFound       no such thing, or another tenant's: the two are indistinguishable
  InvalidInput   something typed or chosen cannot be used; `field` says which
  Conflict       someone else changed it in the meantime; `changes` says what

DatabaseUnavailable  the database did not answer; nothing was saved
UnstorableText       a text has a character that no database can store; nothing was saved
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from db.base.engine import DatabaseUnavailable, UnstorableText

__all__ = ["DatabaseUnavailable", "UnstorableText"]

_NO_SUCH_THING = "Resource not available"

OUR_FAULT = "Something went wrong on our side. It has been logged; try again, or tell your administrator."
"""What the reader is told of an error that nobody expected."""

Thing = TypeVar("Thing")


class ServiceError(Exception):
    """A refusal whose message is fit for the reader."""


class Forbidden(ServiceError):
    """The actor's role does not allow this."""


class NotFound(ServiceError):
    """There is no such thing for this actor."""

    def __init__(self, message: str = _NO_SUCH_THING) -> None:
        super().__init__(message)


def found(thing: Thing | None, message: str = _NO_SUCH_THING) -> Thing:
    """Return *thing*. Raises NotFound, with *message*, when there is none."""
    if thing is None:
        raise NotFound(message)
    return thing


class InvalidInput(ServiceError):
    """A value cannot be used. `field` names it, `overridable` says that the reader may insist."""

    def __init__(self, message: str, *, field: str = "", overridable: bool = False) -> None:
        super().__init__(message)
        self.field = field
        self.overridable = overridable


class Conflict(ServiceError):
    """It has changed since it was shown. `changes` are the audit events in between, oldest first."""

    def __init__(self, message: str, *, changes: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.changes = list(changes)


class Busy(ServiceError):
    """Too much is being done at once; nothing happened, and the caller may retry."""
