"""What a telephony vendor is to us: its name, what it can do, and the fields that it needs."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Capability(StrEnum):
    """Something that a vendor's API can do for us."""

    SEARCH = "search"
    BUY = "buy"
    LIST_OWNED = "list_owned"
    READ_WEBHOOKS = "read_webhooks"
    SET_WEBHOOKS = "set_webhooks"
    RELEASE = "release"
    PRICES = "prices"
    CALL_LOG = "call_log"


@dataclass(frozen=True)
class Field:
    """One value that a vendor needs, of a connection or of a number."""

    name: str
    label: str
    help: str = ""
    pattern: str = r".+"
    problem: str = "This value cannot be used."
    placeholder: str = ""
    required: bool = True
    secret: bool = False

    def accepts(self, value: str) -> bool:
        """Return whether *value*, already stripped, is one that the vendor takes."""
        if not value:
            return not self.required
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True)
class Vendor:
    """A telephony vendor, as the rest of the console sees it.

    `limits` says, per capability that is missing, why the vendor cannot.
    """

    key: str
    name: str
    capabilities: frozenset[Capability] = frozenset()
    credential_fields: tuple[Field, ...] = ()
    number_fields: tuple[Field, ...] = ()
    default_country: str | None = None
    national_numbers: bool = False
    limits: str = ""

    def can(self, capability: Capability) -> bool:
        """Return whether the vendor's API offers *capability*."""
        return capability in self.capabilities
