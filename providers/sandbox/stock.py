"""The numbers of the sandbox: valid ones, the same at every start."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

import phonenumbers

from providers.sandbox.catalogue import MARKETS, Prefix, Range

PER_RANGE = 48
"""How many numbers of a type are for sale, shared by its prefixes; each area code has as many."""


@dataclass(frozen=True)
class StockNumber:
    """A number that can be for sale."""

    e164: str
    country: str
    type: str
    prefix: Prefix
    range: Range


def digest(*parts: object) -> str:
    """Return 32 hexadecimal digits, always the same for the same *parts*."""
    return hashlib.blake2b("\x00".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def shelf() -> Iterator[StockNumber]:
    """Yield the numbers that are for sale in a new sandbox."""
    for country, market in MARKETS.items():
        for type, range in market.ranges.items():
            each = PER_RANGE if range.prefixes[0].region else -(-PER_RANGE // len(range.prefixes))
            for prefix in range.prefixes:
                yield from islice(_valid_numbers(country, type, prefix), each)


def held(country: str, type: str, amount: int) -> Iterator[StockNumber]:
    """Yield *amount* numbers of one type that are not for sale, for an account to own from the start."""
    prefixes = MARKETS[country].ranges[type].prefixes
    each = -(-amount // len(prefixes))
    numbers = (
        number for p in prefixes for number in islice(_valid_numbers(country, type, p), PER_RANGE, PER_RANGE + each)
    )
    return islice(numbers, amount)


def _valid_numbers(country: str, type: str, prefix: Prefix) -> Iterator[StockNumber]:
    market = MARKETS[country]
    range = market.ranges[type]
    free = range.length - len(prefix.digits)
    seen = set()
    for index in count():
        tail = int(digest(country, type, prefix.digits, index), 16) % 10**free
        number = f"+{market.calling_code}{prefix.digits}{tail:0{free}d}"
        if number not in seen and phonenumbers.is_valid_number(phonenumbers.parse(number)):
            seen.add(number)
            yield StockNumber(number, country, type, prefix, range)
