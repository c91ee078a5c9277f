"""Re-sync: the differences between a number's record and its provider, shown before anything changes."""

from dataclasses import dataclass

from sqlmodel import Session

from db.numbers.rows import NumberRow
from db.orders.reconcile import Record
from providers.base import Capability
from providers.records import OwnedNumber
from services.connections import provider_access
from services.connections.connections import provider_named
from services.core import validation
from services.core.access import Actor, Permission, require
from services.core.errors import InvalidInput
from services.numbers import edits, numbers
from services.orders import catalogue, sids, webhook_orders

GONE = "gone"
LABEL = "label"
SID = "sid"


@dataclass(frozen=True)
class Difference:
    """One value that differs. `field` names what `apply` can take over; empty for what it cannot."""

    name: str
    ours: str
    theirs: str
    field: str = ""


NOT_THERE = Difference("In the account", "Yes", "No: released or moved away", GONE)


def differences(session: Session, actor: Actor, number_id: int) -> list[Difference]:
    """Return the differences at the provider; empty if there are none.

    Raises ProviderProblem when the SID is that of another number, and the account does not hold this one.
    """
    require(actor, Permission.NUMBERS_READ)
    number, sid, connection = catalogue.linked(session, actor, number_id)
    provider = provider_access.patient(connection)
    with provider_access.in_words():
        found = sids.find_anywhere(provider, sid, number.e164)
    if found is None and not provider.can(Capability.LIST_OWNED):
        raise InvalidInput(f"{provider.name} has no number with the SID {sid}. Correct the SID of this number.")
    return [NOT_THERE] if found is None else compared(number, found)


def compared(number: NumberRow | Record, there: OwnedNumber) -> list[Difference]:
    """Return what differs between a number on record and the same number at its provider."""
    target = webhook_orders.ours(number)
    pairs = [
        ("SID", numbers.sid_of(number) or "", there.sid, SID),
        ("Label", number.label, _label_beside(number.label, there), LABEL),
        *(
            (webhook_orders.NAMES[name], getattr(target, name), getattr(there.webhooks, name), "")
            for name in webhook_orders.differing(provider_named(number.provider), target, there.webhooks)
        ),
    ]
    return [
        Difference(name, ours or "—", theirs or "—", field) for name, ours, theirs, field in pairs if ours != theirs
    ]


def label_of(there: OwnedNumber) -> str:
    """Return the label that somebody gave the number at its provider, as it would be stored here, or nothing.

    A provider names a number after itself until somebody names it otherwise.
    """
    return validation.one_line(there.label) if there.is_named else ""


def _label_beside(ours: str, there: OwnedNumber) -> str:
    """Return the label there; a number that is named after itself in both agrees."""
    written = validation.one_line(there.label)
    return written if written == ours else label_of(there)


def apply(session: Session, actor: Actor, number_id: int, taken: Difference, *, version: int, reason: str = "") -> int:
    """Apply one of the provider's values as it was shown; return the number's new version.

    To mark a number as released needs a *reason*.
    """
    require(actor, Permission.NUMBERS_WRITE)
    if taken.field == GONE:
        validation.reason(reason, needed=True)
        if taken not in differences(session, actor, number_id):
            raise InvalidInput("The number is in the account again. Re-sync once more.")
        return numbers.mark_released(session, actor, number_id, reason, version=version)
    values = {taken.field: taken.theirs if taken.theirs != "—" else ""}
    return numbers.edit(session, actor, number_id, edits.TakeOver, values, version=version)
