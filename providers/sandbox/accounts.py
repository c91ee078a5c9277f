"""The accounts of the sandbox with their addresses and regulatory bundles."""

from dataclasses import dataclass

from providers.sandbox.stock import digest


@dataclass(frozen=True)
class SandboxAccount:
    """An account and its token."""

    sid: str
    token: str
    name: str
    status: str = "active"
    type: str = "Full"


@dataclass(frozen=True)
class SandboxKey:
    """A standard API key: it opens its account's numbers and calls, but not the account itself."""

    sid: str
    secret: str
    account_sid: str


@dataclass(frozen=True)
class SandboxAddress:
    sid: str
    account_sid: str
    country: str
    customer_name: str
    street: str
    city: str
    region: str
    postal_code: str


@dataclass(frozen=True)
class SandboxBundle:
    """A bundle for one type of number in one country, neither of which its resource shows."""

    sid: str
    account_sid: str
    country: str
    type: str
    name: str
    status: str

    @property
    def usable(self) -> bool:
        """Return whether a number can be bought with it."""
        return self.status in ("twilio-approved", "provisionally-approved")


MAIN = SandboxAccount("AC" + "0" * 32, "sandbox", "Numberdesk sandbox")
SMALL = SandboxAccount("AC" + "1" * 32, "sandbox-small", "Small account")
SUSPENDED = SandboxAccount("AC" + "2" * 32, "sandbox-suspended", "Suspended account", status="suspended")
CLOSED = SandboxAccount("AC" + "3" * 32, "sandbox-closed", "Closed account", status="closed")
TRIAL = SandboxAccount("AC" + "4" * 32, "sandbox-trial", "Trial account", type="Trial")

ACCOUNTS = {account.sid: account for account in (MAIN, SMALL, SUSPENDED, CLOSED, TRIAL)}

KEYS = {
    key.sid: key
    for key in (
        SandboxKey("SK" + account.sid[2:], f"{account.token}-key", account.sid) for account in ACCOUNTS.values()
    )
}
"""One key of each account: SK and the digits of the account, with the token and `-key` as its secret."""

_ADDRESSES = (
    (MAIN, "US", "Numberdesk Inc.", "100 Market Street", "San Francisco", "CA", "94105"),
    (MAIN, "GB", "Numberdesk Ltd", "1 Old Street", "London", "London", "EC1V 9HL"),
    (MAIN, "DE", "Numberdesk GmbH", "Torstraße 1", "Berlin", "Berlin", "10119"),
    (MAIN, "AU", "Numberdesk Pty", "1 George Street", "Sydney", "NSW", "2000"),
    (MAIN, "BR", "Numberdesk Ltda", "Avenida Paulista 1000", "São Paulo", "SP", "01310-100"),
    (MAIN, "IN", "Numberdesk Pvt Ltd", "1 MG Road", "Bengaluru", "KA", "560001"),
    (SMALL, "US", "Small Shop", "1 Main Street", "Austin", "TX", "78701"),
)

_BUNDLES = (
    (MAIN, "DE", "local", "Berlin office", "twilio-approved"),
    (MAIN, "DE", "local", "Munich office", "draft"),
    (MAIN, "DE", "mobile", "Germany mobile", "pending-review"),
    (MAIN, "GB", "mobile", "UK mobile", "twilio-approved"),
    (MAIN, "AU", "mobile", "Australia mobile", "provisionally-approved"),
    (MAIN, "IN", "local", "Bengaluru office", "twilio-approved"),
    (MAIN, "IN", "toll_free", "India toll free", "in-review"),
    (MAIN, "FR", "national", "France national", "twilio-rejected"),
    (SMALL, "GB", "mobile", "Small Shop UK", "twilio-approved"),
)

ADDRESSES = tuple(
    SandboxAddress("AD" + digest("address", account.sid, *rest), account.sid, *rest) for account, *rest in _ADDRESSES
)
BUNDLES = tuple(
    SandboxBundle("BU" + digest("bundle", account.sid, *rest), account.sid, *rest) for account, *rest in _BUNDLES
)
