"""Requests to providers and their answers, in our terms."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypedDict, TypeVar

MAX_PAGE_SIZE = 1000
"""The largest page requested from a provider, and so the most rows in memory at once."""

MAX_SEARCH_ROWS = 30
"""Roughly how many numbers for sale a provider returns: there is no second page, so vary the query."""


class NumberType(StrEnum):
    """A type of phone number, which decides its price and regulation."""

    LOCAL = "local"
    TOLL_FREE = "toll_free"
    MOBILE = "mobile"
    NATIONAL = "national"
    VOIP = "voip"
    SHARED_COST = "shared_cost"
    MACHINE_TO_MACHINE = "machine_to_machine"


class Feature(StrEnum):
    """Something that a phone number can carry."""

    VOICE = "voice"
    SMS = "sms"
    MMS = "mms"
    FAX = "fax"


class AddressRequirement(StrEnum):
    """The address that a number requires: none, any, or one inside or outside the country."""

    NONE = "none"
    ANY = "any"
    LOCAL = "local"
    FOREIGN = "foreign"


class AccountStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class BundleStatus(StrEnum):
    DRAFT = "draft"
    PENDING_REVIEW = "pending_review"
    IN_REVIEW = "in_review"
    REJECTED = "rejected"
    APPROVED = "approved"
    PROVISIONALLY_APPROVED = "provisionally_approved"


class Direction(StrEnum):
    """A call's direction, seen from our number."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class CallStatus(StrEnum):
    """A call's status. Providers do not say who answered, only that a call was completed."""

    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no_answer"
    CANCELED = "canceled"
    OTHER = "other"


@dataclass(frozen=True)
class Account:
    """The account behind a set of credentials. A trial account cannot buy freely."""

    sid: str
    name: str
    status: AccountStatus
    trial: bool


@dataclass(frozen=True)
class Country:
    """A country whose numbers the provider sells, by ISO 3166 code, with the types that it has there."""

    code: str
    types: tuple[NumberType, ...]


@dataclass(frozen=True)
class NumberSearch:
    """A search for numbers for sale.

    `area_code` exists in the US and Canada only. `contains` takes 2 to 16 digits or keypad letters, `*`
    for one character and `%` for several, a leading `+` for the start and a trailing `$` for the end.
    """

    country: str
    type: NumberType = NumberType.LOCAL
    area_code: str = ""
    contains: str = ""


@dataclass(frozen=True)
class AvailableNumber:
    """A number for sale. Its price is `Prices.monthly` of its country and type."""

    e164: str
    country: str
    type: NumberType
    locality: str | None
    region: str | None
    features: frozenset[Feature]
    address_requirement: AddressRequirement


@dataclass(frozen=True)
class Prices:
    """What a number of each type costs a month in one country, in an ISO 4217 currency."""

    currency: str
    monthly: Mapping[NumberType, Decimal]


@dataclass(frozen=True)
class Webhooks:
    """Where a number's events go, and how; empty where nothing is set.

    A trunk or a voice application makes the provider ignore `voice_url`; a number has one of the two at most. The
    fallback is asked when `voice_url` fails. A provider without methods is asked as if they were POST.
    """

    voice_url: str = ""
    sms_url: str = ""
    status_callback: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    voice_fallback_method: str = "POST"
    status_callback_method: str = "POST"
    trunk_sid: str = ""
    voice_application_sid: str = ""

    @property
    def routed_by(self) -> str:
        """The SID of the trunk or the application that takes the calls instead of `voice_url`; empty for none."""
        return self.trunk_sid or self.voice_application_sid

    def reach(self, url: str) -> bool:
        """Return whether a call is told to *url*, by POST."""
        return not self.routed_by and self.voice_url == url and self.voice_method == "POST"


class WebhookChanges(TypedDict, total=False):
    """Changes of `Webhooks`: what is left out stays as it is."""

    voice_url: str
    sms_url: str
    status_callback: str
    voice_method: str
    voice_fallback_url: str
    voice_fallback_method: str
    status_callback_method: str
    trunk_sid: str
    voice_application_sid: str


class PurchaseOptions(TypedDict, total=False):
    """What a number is bought with: its settings, and what its regulator requires."""

    label: str
    voice_url: str
    status_callback: str
    address_sid: str | None
    bundle_sid: str | None


@dataclass(frozen=True)
class OwnedNumber:
    """A number that the account holds at the provider.

    Providers name a number after itself until somebody names it: `is_named` is False for such a `label`.
    """

    sid: str
    e164: str
    label: str
    type: NumberType | None
    features: frozenset[Feature]
    webhooks: Webhooks
    is_named: bool = True


@dataclass(frozen=True)
class Address:
    """An address of the account that can be given with a purchase."""

    sid: str
    name: str
    lines: str


@dataclass(frozen=True)
class Bundle:
    """A regulatory bundle of the account. Only a usable one allows a purchase."""

    sid: str
    name: str
    status: BundleStatus

    @property
    def usable(self) -> bool:
        """Return whether the provider accepts the bundle with a purchase."""
        return self.status in (BundleStatus.APPROVED, BundleStatus.PROVISIONALLY_APPROVED)


class EndUser(StrEnum):
    """Who will use a number, which decides the regulatory documents."""

    INDIVIDUAL = "individual"
    BUSINESS = "business"


@dataclass(frozen=True)
class Requirement:
    """A regulatory requirement: the documents that prove it, or the details to give."""

    name: str
    documents: tuple[str, ...] = ()
    to_tell: tuple[str, ...] = ()


@dataclass(frozen=True)
class Regulation:
    """A country's requirements for numbers of one type and one kind of end user."""

    end_user: EndUser
    requirements: tuple[Requirement, ...]


class AnsweredBy(StrEnum):
    """Who picked up a call, as far as the provider could tell."""

    HUMAN = "human"
    MACHINE = "machine"
    FAX = "fax"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class CallRecord:
    """One call of the provider's log. `duration` is in seconds.

    `answered_by` is None where the provider did not look for machines.
    """

    from_number: str
    direction: Direction
    status: CallStatus
    started_at: datetime
    duration: int
    answered_by: AnsweredBy | None = None


Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list. `next_token` asks for the one after it, and is None on the last."""

    rows: tuple[Row, ...]
    next_token: str | None = None


def pages(ask: Callable[[str | None], Page[Row]]) -> Iterator[tuple[Row, ...]]:
    """Yield the rows of a list a page at a time; *ask* returns the page of a token, and the first one for None."""
    token: str | None = None
    while True:
        page = ask(token)
        yield page.rows
        token = page.next_token
        if token is None:
            return
