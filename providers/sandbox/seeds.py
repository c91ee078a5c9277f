"""What a new sandbox contains: numbers for sale, one large account, a few small ones, and a month of calls."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, islice
from random import Random

from providers.sandbox.accounts import ADDRESSES, MAIN, SMALL, TRIAL
from providers.sandbox.catalogue import Prefix, Range
from providers.sandbox.stock import StockNumber, digest, held, shelf
from providers.sandbox.store import CallSeed, Store, add_calls, add_stock, number_sid, once, own

MAGIC_NUMBER = "+15005550006"
"""Twilio's number for tests, which can be bought while nobody owns it."""

_ELSEWHERE = {"voice_url": "https://ivr.example.net/voice", "status_callback": "https://ivr.example.net/calls"}
"""Where every third number of an account sends its calls: a system unknown to us."""

_BY_TRUNK = {"trunk_sid": "TK" + "7" * 32}
_BY_HAND = {
    "voice_url": "https://old.example.net/voice",
    "voice_method": "GET",
    "voice_fallback_url": "https://old.example.net/fallback",
    "voice_fallback_method": "GET",
}

_CALLS_EACH = 6
_MIX = (("US", "local", 1600), ("CA", "local", 300), ("GB", "local", 300), ("IN", "local", 200), ("AU", "local", 100))
_OUTCOMES = ("completed",) * 7 + ("busy", "no-answer", "failed", "canceled")
_DIALED = ("completed",) * 8 + ("no-answer",) * 12 + ("busy",) * 3 + ("failed", "canceled")
_DIALED_DAYS = 30


def fill(store: Store) -> None:
    """Fill a new *store*; a filled one stays as it is."""
    with store.writing() as db:
        if not once(db, "shelves"):
            return
        add_stock(db, shelf())
        magic = StockNumber(MAGIC_NUMBER, "US", "local", Prefix(""), Range("1.15", 10, (), features=("voice", "sms")))
        add_stock(db, [magic], on_shelf=False)

        numbers = list(chain.from_iterable(held(*part) for part in _MIX))
        _hold(db, MAIN.sid, numbers)
        _hold(db, SMALL.sid, list(islice(held("US", "toll_free", 5), 5)))
        _hold(db, TRIAL.sid, list(held("CA", "toll_free", 1)))
        # One number cannot be released before its emergency address is removed.
        db.execute(
            "UPDATE owned SET settings = json_set(settings, '$.emergency_address_sid', ?) WHERE e164 = ?",
            (ADDRESSES[0].sid, numbers[0].e164),
        )
        # The newest number is routed by a trunk, and the one before has old settings made by hand.
        for place, settings in ((-1, _BY_TRUNK), (-2, _BY_HAND)):
            db.execute(
                "UPDATE owned SET settings = json_patch(settings, ?) WHERE e164 = ?",
                (json.dumps(settings), numbers[place].e164),
            )
        # Nine of ten numbers are idle, as in most large accounts.
        for number in numbers[::10]:
            add_calls(db, _call_log(MAIN.sid, number.e164))


def _hold(db: sqlite3.Connection, account_sid: str, numbers: list[StockNumber]) -> None:
    add_stock(db, numbers, on_shelf=False)
    for index, number in enumerate(numbers):
        settings = {"friendly_name": f"Line {index + 1:04d}"} | (_ELSEWHERE if index % 3 == 1 else {})
        own(db, account_sid, number.e164, settings, sid=number_sid(account_sid, number.e164))


def dial(store: Store, account_sid: str, numbers: Iterable[str], today: date) -> None:
    """Have each of *numbers* make calls on each day of the month before *today*, as a campaign does; each day once."""
    with store.writing() as db:
        for e164 in numbers:
            for ago in range(1, _DIALED_DAYS + 1):
                day = today - timedelta(days=ago)
                if once(db, f"calls {e164} {day}"):
                    add_calls(db, _dialed(account_sid, e164, day))


def _dialed(account_sid: str, e164: str, day: date) -> Iterator[CallSeed]:
    """Yield the calls of one day, between 14:00 and 23:00 UTC: outbound ones, and at most one inbound."""
    chance = Random(f"{e164} {day}")  # noqa: S311 - the same calls at every start, not a secret
    amount = chance.randint(1, 4) if day.weekday() >= 5 else chance.randint(6, 16)
    for index in range(amount + chance.randint(0, 1)):
        inbound = index >= amount
        status = "completed" if inbound else chance.choice(_DIALED)
        seconds = int(min(600, 3 + chance.expovariate(1 / 60)))
        started = datetime.combine(day, time(14), UTC) + timedelta(seconds=chance.randint(0, 9 * 3600))
        other = f"+1415{chance.randint(2000000, 9999999)}"
        yield CallSeed(
            sid="CA" + digest("dialed", e164, day, index),
            account_sid=account_sid,
            from_number=other if inbound else e164,
            to_number=e164 if inbound else other,
            started=started,
            direction="inbound" if inbound else "outbound-api",
            status=status,
            duration=seconds if status == "completed" else 0,
            answered_by=_answered_by(e164, index) if status == "completed" and not inbound else None,
        )


def _answered_by(e164: str, index: int) -> str | None:
    """Return who answered; every other number is dialed with machine detection."""
    if int(e164[-1]) % 2:
        return None
    return ("human", "human", "machine_start", "human", "unknown", "machine_end_beep", "human", "fax")[index % 8]


def _call_log(account_sid: str, e164: str) -> Iterator[CallSeed]:
    chance = Random(e164)  # noqa: S311 - the same calls at every start, not a secret
    now = datetime.now(UTC)
    for index in range(_CALLS_EACH):
        status = chance.choice(_OUTCOMES)
        seconds = chance.randint(12, 600) if status == "completed" else 0
        other = f"+1415{chance.randint(2000000, 9999999)}"
        inbound = chance.random() < 0.6
        yield CallSeed(
            sid="CA" + digest("call", e164, index),
            account_sid=account_sid,
            from_number=other if inbound else e164,
            to_number=e164 if inbound else other,
            started=now - timedelta(seconds=chance.randint(60, 30 * 86400)),
            direction="inbound" if inbound else "outbound-api",
            status=status,
            duration=seconds,
        )
