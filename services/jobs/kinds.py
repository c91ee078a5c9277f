"""What a kind of job says of itself: who may start it, and what is done to an item."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from sqlmodel import Session

from db.models import Job, JobItem, Outcome
from services.core.access import Actor, Permission
from services.core.errors import ServiceError

LONGEST_REASON = 300


class JobKind(ABC):
    """A kind of job, by the `name` that its rows have and the `title` that readers see.

    A step does at most `at_once` items in one transaction, and so many may be ordered at a time. What is `confirmed`
    needs the count typed before it starts; a `note` says what else follows, and `undo` is the kind that takes it back.
    One that `looks` asks a provider about items before it does them; one that also `acts` does them there by that. One
    that `only_reads` what a provider has does not wait for the tenant's other jobs. One that `grows` finds its items by
    itself. One that goes `in_order` ends with the first item that it cannot do, and its `problem` says why; what is
    left is cancelled. One that `ends_costs` says beforehand what they are. Who may read its items `sees` them. An item
    is a `noun`, and `heading` stands over what each is about.
    """

    name: str
    title: str
    permission: Permission
    at_once: ClassVar[int] = 10_000
    confirmed: bool = False
    undo: "JobKind | None" = None
    verb: str = "Change"
    noun: ClassVar[str] = "number"
    heading: ClassVar[str] = "Number"
    note: str = ""
    looks: ClassVar[bool] = False
    acts: ClassVar[bool] = False
    sees: ClassVar[Permission] = Permission.NUMBERS_READ
    grows: ClassVar[bool] = False
    ends_costs: ClassVar[bool] = False
    in_order: ClassVar[bool] = False
    only_reads: ClassVar[bool] = False

    def looking(self, job: Job, items: Sequence[JobItem]) -> "JobKind":
        """Return the kind, knowing what it looked up of *items* at a provider. No transaction is open meanwhile."""
        return self

    @abstractmethod
    def do(self, session: Session, actor: Actor, job: Job, items: Sequence[JobItem]) -> None:
        """Do *items* that wait, in the transaction of *session*, and give each its outcome."""

    def grow(self, session: Session, actor: Actor, job: Job) -> bool:
        """Add the next items of a *job* that finds them by itself; return whether there is more to come."""
        return False

    def follow(self, session: Session, items: Sequence[JobItem]) -> None:  # noqa: B027 - few kinds order anything
        """Look what became of *items* that were ordered, and give an outcome to those that have one."""

    def end(self, session: Session, actor: Actor, job: Job) -> None:  # noqa: B027 - what is done to numbers says it all
        """Note in the log what came of a job that has ended, beside that it has."""


def refuse(item: JobItem, why: ServiceError | str) -> None:
    """Note that an item was not done, and why."""
    item.outcome, item.reason = Outcome.REFUSED, str(why)[:LONGEST_REASON]
