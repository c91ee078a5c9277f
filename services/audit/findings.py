"""Findings of a tenant audit, worst first, each with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from db.audit.tenant_audit import Figure
from db.numbers.attention import Attention
from services.health.thresholds import IDLE_DAYS
from services.text.labels import amount

KEY_DAYS = 90
"""A key unused for this long is a finding."""

FEW_ADMINS = 2
"""A tenant with fewer active admins than this has a finding."""


class Kind(StrEnum):
    """Every kind of finding, worst first: what is counted, its words for one and for several, and why it matters.

    Some are wrong; the others are worth watching.
    """

    one: str
    several: str
    why: str
    is_wrong: bool

    def __new__(cls, value: str, one: str = "", several: str = "", why: str = "", is_wrong: bool = False) -> Self:
        """Return the kind that counts *value*."""
        kind = str.__new__(cls, value)
        kind._value_, kind.one, kind.several, kind.why, kind.is_wrong = str(value), one, several, why, is_wrong
        return kind

    OPEN_ORDERS = (
        Figure.OPEN_ORDERS,
        "order with an uncertain outcome",
        "orders with an uncertain outcome",
        "The provider may or may not have acted. We keep checking until it is certain.",
        True,
    )
    DRIFT = (
        Figure.DRIFT,
        "number that differs from the provider's account",
        "numbers that differ from the provider's account",
        "Found by the last comparison: released, renamed, routed elsewhere or bought again outside Numberdesk.",
        True,
    )
    WEBHOOKS_ELSEWHERE = (
        Attention.WEBHOOKS_ELSEWHERE,
        "number with unexpected webhooks",
        "numbers with unexpected webhooks",
        "Calls may go to an old URL, a trunk or an application instead of the connection's Voice URL.",
        True,
    )
    NO_CONNECTION = (
        Attention.NO_CONNECTION,
        "number without a connection",
        "numbers without a connection",
        "It is unclear which account they belong to.",
        True,
    )
    INACTIVE_CONNECTION = (
        Attention.INACTIVE_CONNECTION,
        "number on an inactive connection",
        "numbers on an inactive connection",
        "They stay on it until you move them to another connection.",
        True,
    )
    NO_AGENT = (
        Attention.NO_AGENT,
        "active number without an agent",
        "active numbers without an agent",
        "Their calls may go unanswered.",
    )
    NOT_ON_RECORD = (
        Figure.NOT_ON_RECORD,
        "number in the provider's account that is not on record",
        "numbers in the provider's account that are not on record",
        "Found by the last comparison: bought elsewhere or never imported. Their cost is in no figure here.",
    )
    NO_PRIMARY = (
        Figure.NO_PRIMARY,
        "campaign without a primary number",
        "campaigns without a primary number",
        "Active or paused, but the primary number is gone or was never set.",
    )
    EMPTY_POOL = (
        Figure.EMPTY_POOL,
        "campaign with an empty pool",
        "campaigns with an empty pool",
        "Active or paused, but there is no number left to call from.",
    )
    FALLEN_POOL = (
        Figure.FALLEN_POOL,
        "campaign with a falling answer rate across its pool",
        "campaigns with a falling answer rate across the pool",
        "Probably the call list or the day, not the numbers. Check what is dialed before replacing numbers.",
    )
    FLAGGED_NUMBER = (
        Figure.FLAGGED_NUMBER,
        "active campaign with a spam-flagged number",
        "active campaigns with a spam-flagged number",
        "Flagged numbers are skipped, so the others carry their calls.",
    )
    SPAM_FLAGGED = (
        Attention.SPAM_FLAGGED,
        "spam-flagged number",
        "spam-flagged numbers",
        "Callees see a spam warning. Rest, register or replace them.",
    )
    IDLE = (
        Attention.IDLE,
        "idle number",
        "idle numbers",
        f"Twilio-managed, with fewer than {{idle}} in {IDLE_DAYS} days: Twilio may reclaim them.",
    )
    FAILED_TESTS = (
        Figure.FAILED_TESTS,
        "connection whose last test failed",
        "connections whose last test failed",
        "The provider did not accept the credentials.",
        True,
    )
    NEVER_TESTED = (
        Figure.NEVER_TESTED,
        "connection that was never tested",
        "connections that were never tested",
        "It is unknown whether the credentials work.",
    )
    WAITING_USERS = (
        Figure.WAITING_USERS,
        "user who never signed in or still has a one-time password",
        "users who never signed in or still have a one-time password",
        "Someone else may know a password that still works.",
    )
    FEW_ADMINS = (
        Figure.ADMINS,
        "active admin only",
        "active admins",
        "There is no second admin to manage users and connections.",
    )
    UNUSED_KEYS = (
        Figure.UNUSED_KEYS,
        f"API key not used for {KEY_DAYS} days",
        f"API keys not used for {KEY_DAYS} days",
        "An unused key is only a risk. Revoke it.",
    )


@dataclass(frozen=True)
class Finding:
    """A finding: how many, what, and why it matters."""

    kind: Kind
    n: int
    what: str
    why: str


def of(counts: Mapping[str, int], idle_calls: int = 0) -> list[Finding]:
    """Return the findings that apply, worst first. Missing *counts* are zero; numbers are idle below *idle_calls*."""
    idle = amount(idle_calls, "completed call")
    found = []
    for kind in Kind:
        n = counts.get(kind, 0)
        if n < FEW_ADMINS if kind is Kind.FEW_ADMINS else n:
            found.append(Finding(kind, n, amount(n, kind.one, kind.several), kind.why.format(idle=idle)))
    return found
