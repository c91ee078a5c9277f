"""Money: an amount, as a decimal, in a currency."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, Self


@dataclass(frozen=True)
class Money:
    """An amount in an ISO 4217 currency, in that currency's main unit."""

    amount: Decimal
    currency: str

    @classmethod
    def of(cls, amount: Decimal | None, currency: str | None) -> Self | None:
        """Return what two columns hold; None unless both do."""
        return cls(amount, currency) if amount is not None and currency else None

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class Priced(Protocol):
    """What has a price a month, which may not be known."""

    price: Decimal | None
    currency: str | None


def exact(thing: Priced) -> str | None:
    """Return a price exactly, with its currency: `1.15 USD`; None where it is not known."""
    money = Money.of(thing.price, thing.currency)
    return str(money) if money else None
