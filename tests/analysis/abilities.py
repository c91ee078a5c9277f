"""What each provider can do, as the guide's table. `python -m tests.analysis.abilities` prints it."""

import sys

from providers import PROVIDERS
from providers.base import Capability

ABILITIES = {
    Capability.ACCOUNT: "Show the account",
    Capability.COUNTRIES: "List its countries",
    Capability.SEARCH: "Search for numbers to buy",
    Capability.PRICES: "Show prices",
    Capability.ADDRESSES: "List addresses, bundles and regulations",
    Capability.BUY: "Buy a number",
    Capability.RELEASE: "Release a number",
    Capability.LIST_OWNED: "List the numbers of the account (import, reconcile)",
    Capability.FIND_OWNED: "Find a number by its SID (re-sync)",
    Capability.READ_WEBHOOKS: "Read webhooks",
    Capability.SET_WEBHOOKS: "Set webhooks",
    Capability.SET_LABEL: "Set the label",
    Capability.CALL_LOG: "Read the call log",
}


def table() -> str:
    """Return the table in Markdown: a line for each ability and fact, a column for each provider."""
    providers = list(PROVIDERS.values())
    lines = [f"| | {' | '.join(provider.name for provider in providers)} |", "|---|" + ":-:|" * len(providers)]
    for capability, ability in ABILITIES.items():
        lines.append(_line(ability, ["✓" if provider.can(capability) else "" for provider in providers]))
    lines.append(
        _line(
            "Status callback kept with the number",
            ["✓" if p.can(Capability.SET_WEBHOOKS) and p.keeps_status_callback else "" for p in providers],
        )
    )
    lines.append(_line("Bought back for", [f"{p.buy_back_days} days" if p.buy_back_days else "" for p in providers]))
    return "\n".join(lines) + "\n"


def _line(title: str, cells: list[str]) -> str:
    return f"| {title} | {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(table())
