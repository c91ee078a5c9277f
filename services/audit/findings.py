"""Findings of a tenant audit, worst first, each with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from db.audit.tenant_audit import Figure
from db.numbers.attention import Attention
from services.health.thresholds import IDLE_DAYS
from services.text.labels import amount

KEY_DAYS = 90
"""A key unused for this long is a finding."""

FEW_ADMINS = 2
"""A tenant with fewer active admins than this has a finding."""


class Kind(StrEnum):
    """Every kind of finding, worst first."""

    OPEN_ORDERS = Figure.OPEN_ORDERS
    DRIFT = Figure.DRIFT
    WEBHOOKS_ELSEWHERE = Attention.WEBHOOKS_ELSEWHERE
    NO_CONNECTION = Attention.NO_CONNECTION
    INACTIVE_CONNECTION = Attention.INACTIVE_CONNECTION
    NO_AGENT = Attention.NO_AGENT
    NOT_ON_RECORD = Figure.NOT_ON_RECORD
    NO_PRIMARY = Figure.NO_PRIMARY
    EMPTY_POOL = Figure.EMPTY_POOL
    FALLEN_POOL = Figure.FALLEN_POOL
    FLAGGED_NUMBER = Figure.FLAGGED_NUMBER
    SPAM_FLAGGED = Attention.SPAM_FLAGGED
    IDLE = Attention.IDLE
    FAILED_TESTS = Figure.FAILED_TESTS
    NEVER_TESTED = Figure.NEVER_TESTED
    WAITING_USERS = Figure.WAITING_USERS
    FEW_ADMINS = "few_admins"
    UNUSED_KEYS = Figure.UNUSED_KEYS


@dataclass(frozen=True)
class Finding:
    """A finding: how many, what, and why it matters."""

    kind: Kind
    n: int
    what: str
    why: str


@dataclass(frozen=True)
class Counted:
    """The counts behind a tenant's findings; missing ones are zero."""

    figures: Mapping[Figure, int] = field(default_factory=dict)
    attention: Mapping[Attention, int] = field(default_factory=dict)
    idle_calls: int = 0


_WORDS: dict[Kind, tuple[str, str, str]] = {
    Kind.OPEN_ORDERS: (
        "order with an uncertain outcome",
        "orders with an uncertain outcome",
        "The provider may or may not have acted. We keep checking until it is certain.",
    ),
    Kind.DRIFT: (
        "number that differs from the provider's account",
        "numbers that differ from the provider's account",
        "Found by the last comparison: released, renamed, routed elsewhere or bought again outside Numberdesk.",
    ),
    Kind.NOT_ON_RECORD: (
        "number in the provider's account that is not on record",
        "numbers in the provider's account that are not on record",
        "Found by the last comparison: bought elsewhere or never imported. Their cost is in no figure here.",
    ),
    Kind.WEBHOOKS_ELSEWHERE: (
        "number with unexpected webhooks",
        "numbers with unexpected webhooks",
        "Calls may go to an old URL, a trunk or an application instead of the connection's Voice URL.",
    ),
    Kind.NO_CONNECTION: (
        "number without a connection",
        "numbers without a connection",
        "It is unclear which account they belong to.",
    ),
    Kind.INACTIVE_CONNECTION: (
        "number on an inactive connection",
        "numbers on an inactive connection",
        "They stay on it until you move them to another connection.",
    ),
    Kind.NO_AGENT: (
        "active number without an agent",
        "active numbers without an agent",
        "Their calls may go unanswered.",
    ),
    Kind.NO_PRIMARY: (
        "campaign without a primary number",
        "campaigns without a primary number",
        "Active or paused, but the primary number is gone or was never set.",
    ),
    Kind.EMPTY_POOL: (
        "campaign with an empty pool",
        "campaigns with an empty pool",
        "Active or paused, but there is no number left to call from.",
    ),
    Kind.FALLEN_POOL: (
        "campaign with a falling answer rate across its pool",
        "campaigns with a falling answer rate across the pool",
        "Probably the call list or the day, not the numbers. Check what is dialed before replacing numbers.",
    ),
    Kind.FLAGGED_NUMBER: (
        "active campaign with a spam-flagged number",
        "active campaigns with a spam-flagged number",
        "Flagged numbers are skipped, so the others carry their calls.",
    ),
    Kind.SPAM_FLAGGED: (
        "spam-flagged number",
        "spam-flagged numbers",
        "Callees see a spam warning. Rest, register or replace them.",
    ),
    Kind.IDLE: (
        "idle number",
        "idle numbers",
        "Twilio-managed, with fewer than {idle} in " + f"{IDLE_DAYS} days: Twilio may reclaim them.",
    ),
    Kind.FAILED_TESTS: (
        "connection whose last test failed",
        "connections whose last test failed",
        "The provider did not accept the credentials.",
    ),
    Kind.NEVER_TESTED: (
        "connection that was never tested",
        "connections that were never tested",
        "It is unknown whether the credentials work.",
    ),
    Kind.WAITING_USERS: (
        "user who never signed in or still has a one-time password",
        "users who never signed in or still have a one-time password",
        "Someone else may know a password that still works.",
    ),
    Kind.FEW_ADMINS: (
        "active admin only",
        "active admins",
        "There is no second admin to manage users and connections.",
    ),
    Kind.UNUSED_KEYS: (
        f"API key not used for {KEY_DAYS} days",
        f"API keys not used for {KEY_DAYS} days",
        "An unused key is only a risk. Revoke it.",
    ),
}


def of(counted: Counted) -> list[Finding]:
    """Return the findings that apply, worst first."""
    return [_finding(kind, _count(kind, counted), counted) for kind in Kind if _applies(kind, _count(kind, counted))]


def _applies(kind: Kind, n: int) -> bool:
    return n < FEW_ADMINS if kind is Kind.FEW_ADMINS else n > 0


def _count(kind: Kind, counted: Counted) -> int:
    if kind is Kind.FEW_ADMINS:
        return counted.figures.get(Figure.ADMINS, 0)
    if str(kind) in list(Attention):
        return counted.attention.get(Attention(kind), 0)
    return counted.figures.get(Figure(kind), 0)


def _finding(kind: Kind, n: int, counted: Counted) -> Finding:
    one, many, why = _WORDS[kind]
    return Finding(kind, n, amount(n, one, many), why.format(idle=amount(counted.idle_calls, "completed call")))
