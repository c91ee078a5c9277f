"""What a telephony provider is to us: its name, the fields that it needs, and its verbs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import ClassVar, Self, Unpack

from providers.errors import NotSupported, RequestRejected
from providers.records import (
    MAX_PAGE_SIZE,
    Account,
    Address,
    AvailableNumber,
    Bundle,
    CallRecord,
    Country,
    NumberSearch,
    NumberType,
    OwnedNumber,
    Page,
    Prices,
    PurchaseOptions,
    Regulation,
    WebhookChanges,
    Webhooks,
    pages,
)

DEFAULT_TIMEOUT = 20.0
"""Seconds that a provider has to accept a connection, and again between two pieces of its answer."""


class Capability(Enum):
    """Something that a provider's API can do for us, with the verbs that make it up."""

    ACCOUNT = ("account",)
    ADDRESSES = ("addresses", "bundles", "regulations")
    BUY = ("buy",)
    CALL_LOG = ("calls_page",)
    COUNTRIES = ("countries",)
    FIND_OWNED = ("find_owned_sid",)
    LIST_OWNED = ("owned_page",)
    PRICES = ("prices",)
    READ_WEBHOOKS = ("webhooks",)
    RELEASE = ("release",)
    SEARCH = ("search",)
    SET_LABEL = ("set_label",)
    SET_WEBHOOKS = ("set_webhooks",)


@dataclass(frozen=True)
class Field:
    """One value that a provider needs, of a connection or of a number.

    An `either` is one of several ways to sign in, of which the provider's `problem_with` wants exactly one.
    """

    name: str
    label: str
    help: str = ""
    pattern: str = r".+"
    problem: str = "This value cannot be used."
    placeholder: str = ""
    required: bool = True
    secret: bool = False
    either: bool = False

    def accepts(self, value: str) -> bool:
        """Return whether *value*, already stripped, is one that the provider takes."""
        if not value:
            return not self.required
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True)
class CredentialProblem:
    """Why credentials do not go together: a sentence for the reader, and the field to mend."""

    text: str
    field: str


class Provider:
    """A telephony provider: the class says what it is and can do, an instance is one account there.

    What a provider can do is what its class defines: a verb that it lacks is the one below, which raises NotSupported.
    Every verb may also raise RequestRejected and ProviderUnavailable; those that change something (buy, set_webhooks,
    release) may raise OutcomeUnknown. Nothing is retried here: only the caller knows what a repetition costs.
    """

    key: ClassVar[str]
    name: ClassVar[str]
    limits: ClassVar[str] = ""
    """Why it lacks capabilities, for the reader."""

    credential_fields: ClassVar[tuple[Field, ...]] = ()
    number_fields: ClassVar[tuple[Field, ...]] = ()
    default_country: ClassVar[str | None] = None
    national_numbers: ClassVar[bool] = False
    """Whether some of its lines have no E.164 form."""

    keeps_status_callback: ClassVar[bool] = True
    """Whether the status callback is kept with the number, and not elsewhere."""

    routes_calls: ClassVar[bool] = False
    """Whether a number has methods, a fallback, trunks and applications beside its URLs."""

    buy_back_days: ClassVar[int] = 0
    """How long a released number can be bought back."""

    longest_call: ClassVar[timedelta] = timedelta(hours=24)
    """When every call has ended; what the call log still calls open then was left behind."""

    def __init__(self, credentials: Mapping[str, str], *, base_url: str | None, timeout: float) -> None:
        raise NotSupported(self.limits)

    @classmethod
    def capabilities(cls) -> frozenset[Capability]:
        """Return what the class defines all verbs of."""
        return frozenset(
            capability
            for capability in Capability
            if all(getattr(cls, verb) is not getattr(Provider, verb) for verb in capability.value)
        )

    @classmethod
    def can(cls, capability: Capability) -> bool:
        """Return whether the provider's API offers *capability*."""
        return capability in cls.capabilities()

    @classmethod
    def problem_with(cls, _credentials: Mapping[str, str]) -> CredentialProblem | None:
        """Return why credentials, each of which its field accepts, do not go together."""
        return None

    @classmethod
    def connect(
        cls, credentials: Mapping[str, str], *, base_url: str | None = None, timeout: float = DEFAULT_TIMEOUT
    ) -> Self:
        """Open the account that *credentials* name; nothing is sent before the first verb.

        *base_url* is the address of a sandbox that stands for the provider. Raises NotSupported for a
        provider without an API, RequestRejected for credentials of the wrong form, and
        ProviderMisconfigured for a *base_url* that is no address.
        """
        if not cls.capabilities():
            raise NotSupported(cls.limits)
        for field in cls.credential_fields:
            if not field.accepts(credentials.get(field.name, "")):
                raise RequestRejected(f"{cls.name} was not asked, because of the {field.label}. {field.problem}")
        if problem := cls.problem_with(credentials):
            raise RequestRejected(f"{cls.name} was not asked. {problem.text}")
        return cls(credentials, base_url=base_url, timeout=timeout)

    def account(self) -> Account:
        """Return the account, which proves the credentials. It may be suspended or closed."""
        raise self._cannot(Capability.ACCOUNT)

    def countries(self) -> tuple[Country, ...]:
        """Return the countries with stock, by name, and the number types of each."""
        raise self._cannot(Capability.COUNTRIES)

    def search(self, query: NumberSearch) -> tuple[AvailableNumber, ...]:
        """Return numbers for sale that match *query*, at most about MAX_SEARCH_ROWS.

        A type that the country lacks is RequestRejected, not an empty answer: see `countries` first.
        """
        raise self._cannot(Capability.SEARCH)

    def prices(self, country: str) -> Prices:
        """Return what numbers of *country* cost a month."""
        raise self._cannot(Capability.PRICES)

    def owned_page(
        self, *, matching: str = "", page_size: int = MAX_PAGE_SIZE, token: str | None = None
    ) -> Page[OwnedNumber]:
        """Return one page of the account's numbers, newest first.

        *matching* is a part of a number, `*` standing for one digit. A *token* carries the filter and
        the size of the page before it.
        """
        raise self._cannot(Capability.LIST_OWNED)

    def find_owned(self, e164: str) -> OwnedNumber | None:
        """Return the account's number that is exactly *e164*, or None."""
        found = pages(lambda token: self.owned_page(matching=e164, token=token))
        return next((number for rows in found for number in rows if number.e164 == e164), None)

    def find_owned_sid(self, sid: str) -> OwnedNumber | None:
        """Return the account's number with the provider's *sid*, or None."""
        raise self._cannot(Capability.FIND_OWNED)

    def buy(self, e164: str, **options: Unpack[PurchaseOptions]) -> OwnedNumber:
        """Buy exactly *e164*. Buying what the account already owns charges nothing and updates it."""
        raise self._cannot(Capability.BUY)

    def webhooks(self, sid: str) -> Webhooks:
        """Return the webhooks as they are at the provider now."""
        raise self._cannot(Capability.READ_WEBHOOKS)

    def set_webhooks(self, sid: str, **changes: Unpack[WebhookChanges]) -> OwnedNumber:
        """Change webhooks and return the number; the empty string clears a value.

        To set a trunk clears the application, and the other way round.
        """
        raise self._cannot(Capability.SET_WEBHOOKS)

    def set_label(self, sid: str, label: str) -> OwnedNumber:
        """Name the number, with so much of the *label* as the provider keeps, and return it. It may be repeated."""
        raise self._cannot(Capability.SET_LABEL)

    def release(self, sid: str) -> None:
        """Release the number. It can be bought again only until someone else buys it.

        Any answer but the documented one is OutcomeUnknown: the number is billed until it is gone.
        """
        raise self._cannot(Capability.RELEASE)

    def addresses(self) -> tuple[Address, ...]:
        """Return the account's addresses."""
        raise self._cannot(Capability.ADDRESSES)

    def bundles(self, country: str, type: NumberType) -> tuple[Bundle, ...]:
        """Return the account's regulatory bundles for numbers of *type* in *country*, usable or not."""
        raise self._cannot(Capability.ADDRESSES)

    def regulations(self, country: str, type: NumberType) -> tuple[Regulation, ...]:
        """Return the requirements of *country* for numbers of *type*, by kind of end user."""
        raise self._cannot(Capability.ADDRESSES)

    def calls_page(self, since: datetime, until: datetime, *, token: str | None = None) -> Page[CallRecord]:
        """Return one page of the calls that started at or after *since* and before *until*, newest first.

        A *token* asks for a later page of the same span.
        """
        raise self._cannot(Capability.CALL_LOG)

    def _cannot(self, capability: Capability) -> NotSupported:
        wanted = capability.name.lower().replace("_", " ")
        return NotSupported(f"{self.name} cannot do this ({wanted}). {self.limits}".strip())
