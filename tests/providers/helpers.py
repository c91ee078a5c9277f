"""What the tests of the providers do again and again."""

from collections.abc import Iterator

import requests

from providers import PROVIDERS
from providers.base import Provider
from providers.records import NumberSearch, NumberType, OwnedNumber, pages
from providers.sandbox.accounts import SandboxAccount
from providers.sandbox.server import Sandbox

_used: set[str] = set()


def connect(sandbox: Sandbox | str, account: SandboxAccount, *, timeout: float = 5.0) -> Provider:
    """Open *account* at the sandbox, or at the address of whatever stands for it."""
    base_url = sandbox if isinstance(sandbox, str) else sandbox.url
    credentials = {"account_sid": account.sid, "auth_token": account.token}
    return PROVIDERS["twilio"].connect(credentials, base_url=base_url, timeout=timeout)


def on_shelf(provider: Provider, country: str = "US", type: NumberType = NumberType.LOCAL) -> str:
    """Return a number that is for sale and that no test had before."""
    rows = provider.search(NumberSearch(country, type))
    number = next(row.e164 for row in rows if row.e164 not in _used)
    _used.add(number)
    return number


def owned(provider: Provider) -> Iterator[OwnedNumber]:
    """Yield all the account's numbers, newest first."""
    for rows in pages(lambda token: provider.owned_page(token=token)):
        yield from rows


def ledger(sandbox: Sandbox, e164: str) -> list[str]:
    """Return what happened to *e164*, as the provider charges it."""
    answer = requests.get(f"{sandbox.url}/ledger", params={"number": e164}, timeout=5)
    # Buying what one owns already is written down as a repeat, which charges nothing.
    return [entry["action"] for entry in answer.json()["entries"] if entry["action"] != "repeat"]
