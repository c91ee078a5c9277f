"""Labels on screen and in files: one word for one thing everywhere."""

from enum import StrEnum
from typing import Protocol, TypeVar

from babel.numbers import format_currency

from db.base.money import Money
from db.campaigns import Trouble
from db.connections import Tested
from db.health.summaries import Verdict
from db.models import (
    CampaignStatus,
    JobState,
    KeyScope,
    NumberStatus,
    NumberType,
    OrderKind,
    OrderState,
    Outcome,
    PoolStatus,
    Role,
)
from db.numbers.attention import Attention
from db.orders.comparisons import Section
from providers.records import NumberType as ProviderType
from services.health.statistics import Rate

Kind = TypeVar("Kind", bound=StrEnum)


def of_all(kinds: type[Kind], **others: str) -> dict[Kind, str]:
    """Return the label of each member in order: as its value reads, `No agent`, unless *others* has it by name."""
    return {one: others.get(one.name, one.value.replace("_", " ").capitalize()) for one in kinds}


STATUS = of_all(NumberStatus)
TYPE = of_all(NumberType, TOLL_FREE="Toll-free", VOIP="VoIP")
TYPE_AT_PROVIDER = of_all(ProviderType, TOLL_FREE="Toll-free", VOIP="VoIP")
POOL = of_all(PoolStatus, SPAM_FLAGGED="Spam-flagged")
VERDICT = of_all(Verdict, SPAM_FLAGGED="Spam-flagged", THIN="Not enough data", SMALL_POOL="Pool too small to tell")
CAMPAIGN = of_all(CampaignStatus)
ORDER = of_all(OrderKind, WEBHOOKS="Webhook change")
ORDER_STATE = of_all(OrderState, UNKNOWN="Pending confirmation")
JOB_STATE = of_all(JobState, DRAFT="Preview")
OUTCOME = of_all(Outcome, ORDERED="Ordered", CANCELLED="Not done")
SECTION = of_all(
    Section,
    ONLY_HERE="Only in Numberdesk",
    LABEL="Different label",
    SID="Different SID",
    WEBHOOKS="Different webhooks",
    ONLY_THERE="Only in the account",
)
COMPARE_DAYS = {0: "Never", 1: "Every night", 7: "Every week"}
OUTCOME_PREVIEW = {**OUTCOME, Outcome.WAITING: "Would change"}
TROUBLE = of_all(Trouble, NO_PRIMARY="No primary number")
TESTED = of_all(Tested, NEVER="Never tested")
ROLE = of_all(Role)
KEY_SCOPE = {
    KeyScope.HEALTH: "Send campaign health",
    KeyScope.READ: "Read numbers",
    KeyScope.WRITE: "Change numbers",
}
ATTENTION = of_all(
    Attention,
    WEBHOOKS_ELSEWHERE="Unexpected webhooks",
    SPAM_FLAGGED="Spam-flagged",
    RESTRICTED="Country restrictions",
)
WEIGHT = (
    "How often this number is used relative to the pool. Set by the dialer, or else calculated from the calls of 30 "
    "days: (answered + k·m) / (attempts + k), m being the pool's rate, divided by the pool's average."
)
UNASSIGNED = "Unassigned"
"""The label for a missing agent."""
MANAGED = {True: "Twilio-managed", False: "BYOT"}


def amount(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: `1 number`, `1,204 numbers`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def money(found: Money) -> str:
    """Return an amount as it is read: `$1.15`, `₹430.00`, `$0.0085`."""
    return format_currency(found.amount, found.currency, "¤#,##0.00##", locale="en_US", currency_digits=False)


def share(found: Rate) -> str:
    """Return a rate with its interval: `32.1% (30–34%)`; `—` without attempts."""
    if found.value is None or found.low is None or found.high is None:
        return "—"
    return f"{found.value:.1%} ({found.low * 100:.0f}–{found.high:.0%})"


def rate(found: Rate) -> str:
    """Return a rate with its interval and n: `32.1% (30–34%), n = 1,204`; `—` without attempts."""
    return f"{share(found)}, n = {found.n:,}" if found.n else "—"


class Picked(Protocol):
    """Answered calls: how many count as answered, were checked for machines, and were machines."""

    @property
    def answered(self) -> int: ...
    @property
    def detected(self) -> int: ...
    @property
    def machines(self) -> int: ...


def answered_by(*rows: Picked) -> str:
    """Return who counts as answering in some rates: `humans only` where the source knows, else `includes machines`."""
    detected = sum(row.detected for row in rows)
    picked = sum(row.answered + row.machines for row in rows)
    if not detected or not picked:
        return "includes machines"
    return "humans only" if detected >= picked else f"mixed: detection on for {detected / picked:.0%}"


def weight(dialers: float | None, ours: float | None) -> str:
    """Return a number's weight in a pool, and whose it is: `0.80 (dialer)`, `1.04 (ours)`; `—` outside the pool."""
    if dialers is not None:
        return f"{dialers:.2f} (dialer)"
    return "—" if ours is None else f"{ours:.2f} (calculated)"
