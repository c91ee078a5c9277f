"""Re-sync: what differs between a number on record and its provider, shown before anything changes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sqlmodel import Session

import db.connections
from db.models import NumberStatus, PhoneNumber
from db.scope import Scope
from providers.verbs import OwnedNumber
from services import checks, numbering, numbers, stock, vendors
from services.access import Actor, Permission, require
from services.audit import Action
from services.connections import vendor
from services.errors import InvalidInput, NotFound

GONE = "gone"
LABEL = "label"
SID = "sid"


class OnRecord(numbers.HasSid, Protocol):
    """A number as it is on record here, with the webhooks of its connection."""

    @property
    def e164(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def voice_url(self) -> str | None: ...
    @property
    def status_callback_url(self) -> str | None: ...


@dataclass(frozen=True)
class Difference:
    """One value that differs. `field` names what `apply` can take over; empty for what it cannot."""

    name: str
    ours: str
    theirs: str
    field: str = ""


NOT_THERE = Difference("In the account", "Yes", "No: released or moved away", GONE)


def differences(session: Session, actor: Actor, number_id: int) -> list[Difference]:
    """Return what differs at the provider now; nothing for a number that is as we have it."""
    require(actor, Permission.NUMBERS_READ)
    number = numbers.get(session, actor, number_id)
    found = stock.at_provider(session, actor, number_id)
    if found is None:
        connection = db.connections.find(session, Scope(number.tenant_id), number.connection_id or 0)
        if connection is None:
            raise NotFound
        with vendors.in_words():
            provider = vendors.connect(connection)
            found = vendors.patiently(lambda: provider.find_owned(number.e164))
    return [NOT_THERE] if found is None else compared(number, found)


def compared(number: OnRecord, there: OwnedNumber) -> list[Difference]:
    """Return what differs between a number on record and the same number at its provider."""
    pairs = [
        ("SID", numbers.sid_of(number) or "", there.sid, SID),
        ("Label", number.label, label_of(there), LABEL),
        ("Voice URL", number.voice_url or "", there.webhooks.voice_url, ""),
    ]
    if vendor(number.provider).keeps_status_callback:
        pairs.append(("Status callback", number.status_callback_url or "", there.webhooks.status_callback, ""))
    return [
        Difference(name, ours or "—", theirs or "—", field) for name, ours, theirs, field in pairs if ours != theirs
    ]


def label_of(there: OwnedNumber) -> str:
    """Return the label that somebody gave the number at its provider, as we would store it, or nothing.

    Twilio names a number after itself until somebody names it otherwise; a part of its digits is a label like others.
    """
    label = checks.one_line(there.label)
    return "" if numbering.is_written_as(there.e164, label) else label


def apply(session: Session, actor: Actor, number_id: int, taken: Difference, *, version: int) -> int:
    """Take over one value of the provider, as it was shown; return the number's new version."""
    require(actor, Permission.NUMBERS_WRITE)
    if taken.field == GONE and taken not in differences(session, actor, number_id):
        raise InvalidInput("The account holds the number again. Look once more.")

    def change(number: PhoneNumber) -> None:
        if taken.field == LABEL:
            number.label = checks.label(taken.theirs if taken.theirs != "—" else "")
        elif taken.field == SID:
            number.provider_sid = taken.theirs
        elif taken.field == GONE:
            numbers.leave_campaigns(session, actor, number)
            number.status = NumberStatus.RELEASED
            number.released_at = datetime.now(UTC)
        else:
            raise InvalidInput(f"{taken.name} cannot be taken over.")

    return numbers.change(session, actor, number_id, version, Action.NUMBERS_RESYNC, change)
