"""What a telephony vendor is to us: its name, what it can do, and the fields that it needs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from providers.errors import NotSupported, RequestRejected

if TYPE_CHECKING:
    from providers.verbs import Provider

DEFAULT_TIMEOUT = 20.0
"""Seconds that a vendor has to accept a connection, and again between two pieces of its answer."""


class Capability(StrEnum):
    """Something that a vendor's API can do for us."""

    ACCOUNT = "account"
    ADDRESSES = "addresses"
    BUY = "buy"
    CALL_LOG = "call_log"
    COUNTRIES = "countries"
    FIND_OWNED = "find_owned"
    LIST_OWNED = "list_owned"
    PRICES = "prices"
    READ_WEBHOOKS = "read_webhooks"
    RELEASE = "release"
    SEARCH = "search"
    SET_WEBHOOKS = "set_webhooks"


@dataclass(frozen=True)
class Field:
    """One value that a vendor needs, of a connection or of a number.

    An `either` is one of several ways to sign in, of which the vendor's `problem_with` wants exactly one.
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
        """Return whether *value*, already stripped, is one that the vendor takes."""
        if not value:
            return not self.required
        return re.fullmatch(self.pattern, value) is not None


class Opener(Protocol):
    """Makes the provider of one account, without asking the vendor anything yet."""

    def __call__(self, credentials: Mapping[str, str], *, base_url: str | None, timeout: float) -> "Provider": ...


@dataclass(frozen=True)
class CredentialProblem:
    """Why credentials do not go together: a sentence for the reader, and the field to mend."""

    told: str
    field: str


def _no_problem(_credentials: Mapping[str, str]) -> CredentialProblem | None:
    return None


@dataclass(frozen=True)
class Vendor:
    """A telephony vendor, as the rest of the console sees it.

    `limits` says why the vendor lacks the capabilities that it lacks. A status callback may be kept
    elsewhere than with the number. One that `routes_calls` has methods, a fallback, trunks and applications beside the
    URLs. `open` is None for a vendor without an API. `problem_with` looks at credentials
    as a whole, each of which its field accepts.
    """

    key: str
    name: str
    capabilities: frozenset[Capability] = frozenset()
    credential_fields: tuple[Field, ...] = ()
    number_fields: tuple[Field, ...] = ()
    default_country: str | None = None
    national_numbers: bool = False
    keeps_status_callback: bool = True
    routes_calls: bool = False
    limits: str = ""
    open: Opener | None = None
    problem_with: Callable[[Mapping[str, str]], CredentialProblem | None] = _no_problem

    def can(self, capability: Capability) -> bool:
        """Return whether the vendor's API offers *capability*."""
        return capability in self.capabilities

    def connect(
        self, credentials: Mapping[str, str], *, base_url: str | None = None, timeout: float = DEFAULT_TIMEOUT
    ) -> "Provider":
        """Open the account that *credentials* name; nothing is sent before the first verb.

        *base_url* is the address of a sandbox that stands for the vendor. Raises NotSupported for a
        vendor without an API, RequestRejected for credentials of the wrong form, and
        ProviderMisconfigured for a *base_url* that is no address.
        """
        if self.open is None:
            raise NotSupported(self.limits)
        for field in self.credential_fields:
            if not field.accepts(credentials.get(field.name, "")):
                raise RequestRejected(f"{self.name} was not asked, because of the {field.label}. {field.problem}")
        if problem := self.problem_with(credentials):
            raise RequestRejected(f"{self.name} was not asked. {problem.told}")
        return self.open(credentials, base_url=base_url, timeout=timeout)
