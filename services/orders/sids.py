"""SIDs: what a number needs to be asked about at its provider, and whether it is the expected one there.

A SID may be mistyped or reassigned: nothing is shown or changed before its E.164 matches.
"""

from db.models import Connection
from providers.base import Capability, Provider
from providers.errors import RequestRejected
from providers.records import OwnedNumber
from services.connections import connections
from services.core.errors import InvalidInput
from services.numbers import numbers
from services.text import numbering


class AnotherNumber(RequestRejected):
    """The provider has another number under the SID."""


class AnotherSid(RequestRejected):
    """The provider has the number under another SID."""


def linked(
    number: numbers.HasSid, connection: Connection | None, needed: Capability | None = None
) -> tuple[str, Connection]:
    """Return a number's SID and the connection that holds it.

    Raises InvalidInput when it lacks either, or its provider cannot do what is *needed*.
    """
    sid = numbers.sid_of(number)
    if connection is None or not sid:
        raise InvalidInput("This number has no SID at its provider.")
    if needed is not None:
        connections.expect_able(connection, needed)
    return sid, connection


def find(provider: Provider, sid: str, e164: str) -> OwnedNumber | None:
    """Return the account's number *e164*, which has *sid*; None when the account has no such SID.

    Raises AnotherNumber when the SID is that of another number.
    """
    found = provider.find_owned_sid(sid)
    if found is not None and found.e164 != e164:
        ours, theirs = numbering.display(e164), numbering.display(found.e164)
        raise AnotherNumber(
            f"{provider.name} has {theirs} under the SID {found.sid}, not {ours}. Nothing was changed; correct "
            f"the SID of {ours}."
        )
    return found


def find_anywhere(provider: Provider, sid: str, e164: str) -> OwnedNumber | None:
    """Return the account's number *e164*, which has *sid* or, where the provider lists numbers, another one.

    Raises AnotherNumber when the SID is that of another number, and the account does not hold this one.
    """
    lists = provider.can(Capability.LIST_OWNED)
    try:
        found = find(provider, sid, e164)
    except AnotherNumber:
        found = provider.find_owned(e164) if lists else None
        if found is None:
            raise
        return found
    return provider.find_owned(e164) if found is None and lists else found
