"""The state of the sandbox: one SQLite file, which several processes may share."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import phonenumbers

from providers.sandbox.catalogue import CURRENCY, MARKETS, Prefix, Range
from providers.sandbox.stock import StockNumber, digest

SETTINGS: Mapping[str, str | None] = {
    "friendly_name": "",
    "voice_url": "",
    "voice_method": "POST",
    "voice_fallback_url": "",
    "voice_fallback_method": "POST",
    "voice_application_sid": "",
    "sms_url": "",
    "sms_method": "POST",
    "sms_fallback_url": "",
    "sms_fallback_method": "POST",
    "sms_application_sid": "",
    "status_callback": "",
    "status_callback_method": "POST",
    "trunk_sid": None,
    "address_sid": None,
    "bundle_sid": None,
    "emergency_address_sid": None,
}
"""The settings of an owned number and their defaults."""

_TABLES = """
CREATE TABLE IF NOT EXISTS stock (
    e164 TEXT PRIMARY KEY, country TEXT NOT NULL, type TEXT NOT NULL, locality TEXT, region TEXT,
    address TEXT NOT NULL, bundle INTEGER NOT NULL, features TEXT NOT NULL, price TEXT NOT NULL,
    place INTEGER  -- its position on the shelf; empty for a number that no search returns
);
CREATE INDEX IF NOT EXISTS stock_shelf ON stock (country, type, place);
CREATE TABLE IF NOT EXISTS owned (
    position INTEGER PRIMARY KEY AUTOINCREMENT, e164 TEXT NOT NULL UNIQUE REFERENCES stock,
    sid TEXT NOT NULL UNIQUE, account_sid TEXT NOT NULL, settings TEXT NOT NULL,
    created TEXT NOT NULL, updated TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS owned_account ON owned (account_sid, position);
CREATE TABLE IF NOT EXISTS ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, action TEXT NOT NULL, account_sid TEXT NOT NULL,
    e164 TEXT NOT NULL, sid TEXT NOT NULL, price TEXT NOT NULL, currency TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS calls (
    sid TEXT PRIMARY KEY, account_sid TEXT NOT NULL, direction TEXT NOT NULL, from_number TEXT NOT NULL,
    to_number TEXT NOT NULL, status TEXT NOT NULL, started TEXT NOT NULL, duration INTEGER NOT NULL, price TEXT,
    answered_by TEXT
);
CREATE INDEX IF NOT EXISTS calls_account ON calls (account_sid, started, sid);
CREATE TABLE IF NOT EXISTS exophones (
    account_sid TEXT NOT NULL, sid TEXT NOT NULL, e164 TEXT NOT NULL, settings TEXT NOT NULL,
    PRIMARY KEY (account_sid, sid)
);
CREATE TABLE IF NOT EXISTS seeded (what TEXT PRIMARY KEY);
"""


@dataclass(frozen=True)
class OwnedSeed:
    """A number that an account owns from the start, without a purchase in the ledger, or has released.

    `others` are more of its SETTINGS.
    """

    e164: str
    account_sid: str
    label: str = ""
    voice_url: str = ""
    status_callback: str = ""
    sid: str = ""
    released: bool = False
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CallSeed:
    """A call in the log of an account; each started minute is charged.

    `answered_by` is None without machine detection.
    """

    sid: str
    account_sid: str
    from_number: str
    to_number: str
    started: datetime
    direction: str = "outbound-api"
    status: str = "completed"
    duration: int = 0
    answered_by: str | None = None

    @property
    def price(self) -> str | None:
        """The price as Twilio writes it."""
        return f"-{0.0085 * (self.duration // 60 + 1):.4f}" if self.duration else None


class Store:
    """The state in the file at *path*."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._connection() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_TABLES)
            if "answered_by" not in {row["name"] for row in db.execute("PRAGMA table_info(calls)")}:
                db.execute("ALTER TABLE calls ADD COLUMN answered_by TEXT")  # the file is of an older version

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection for queries."""
        with self._connection() as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that alone may write; its changes are undone if the block raises."""
        with self._connection() as db:
            # The write lock is taken before the first read, so that of parallel buyers only one succeeds.
            db.execute("BEGIN IMMEDIATE")
            with db:
                yield db

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        db.row_factory = sqlite3.Row
        try:
            db.execute("PRAGMA synchronous = NORMAL")
            yield db
        finally:
            db.close()

    def seed_owned(self, numbers: Iterable[OwnedSeed]) -> None:
        """Add *numbers* to their accounts, each only once: a released one does not come back.

        One that is owned already stays as it is.
        """
        with self.writing() as db:
            for number in numbers:
                is_held = db.execute("SELECT 1 FROM owned WHERE e164 = ?", (number.e164,)).fetchone()
                if not once(db, f"owned {number.e164}") or is_held:
                    continue
                add_stock(db, [_described(number.e164)], on_shelf=False)
                if not number.released:
                    settings = {"voice_url": number.voice_url, "status_callback": number.status_callback}
                    settings |= number.others
                    if number.label:
                        settings["friendly_name"] = number.label
                    sid = number.sid or number_sid(number.account_sid, number.e164)
                    own(db, number.account_sid, number.e164, settings, sid=sid)

    def seed_calls(self, calls: Iterable[CallSeed]) -> None:
        """Add *calls* to the logs of their accounts, each only once."""
        with self.writing() as db:
            add_calls(db, calls)


def number_sid(account_sid: str, e164: str, purchase: int = 0) -> str:
    """Return the SID of a number that an account owned from the start, or bought with the *purchase* of that id."""
    return "PN" + digest("number", account_sid, e164, purchase)


def once(db: sqlite3.Connection, what: str) -> bool:
    """Return True the first time that this is called for *what*, and False from then on."""
    return db.execute("INSERT OR IGNORE INTO seeded VALUES (?)", (what,)).rowcount == 1


def add_stock(db: sqlite3.Connection, numbers: Iterable[StockNumber], *, on_shelf: bool = True) -> None:
    """Add *numbers*; those on the shelf are for sale, in an order that mixes prefixes."""
    db.executemany(
        "INSERT OR IGNORE INTO stock "
        "VALUES (:e164, :country, :type, :locality, :region, :address, :bundle, :features, :price, :place)",
        (
            {**vars(number), **vars(number.prefix), **vars(number.range)}
            | {"features": ",".join(number.range.features), "place": _place(number.e164) if on_shelf else None}
            for number in numbers
        ),
    )


def add_calls(db: sqlite3.Connection, calls: Iterable[CallSeed]) -> None:
    """Add *calls* that are not in the log yet."""
    db.executemany(
        "INSERT OR IGNORE INTO calls VALUES (:sid, :account_sid, :direction, :from_number, :to_number, :status, "
        ":started, :duration, :price, :answered_by)",
        (vars(call) | {"started": timestamp(call.started), "price": call.price} for call in calls),
    )


def own(db: sqlite3.Connection, account_sid: str, e164: str, settings: Mapping[str, str | None], *, sid: str) -> None:
    """Make the account the owner of *e164*, which nobody owns; the caller holds the write lock."""
    values = json.dumps(dict(SETTINGS) | {"friendly_name": national_name(e164)} | dict(settings))
    now = timestamp()
    db.execute(
        "INSERT INTO owned (e164, sid, account_sid, settings, created, updated) VALUES (?, ?, ?, ?, ?, ?)",
        (e164, sid, account_sid, values, now, now),
    )


def enter(db: sqlite3.Connection, action: str, account_sid: str, e164: str, sid: str) -> None:
    """Add a purchase, its repeat or a release to the ledger; a purchase costs a month's price, the others nothing."""
    price = db.execute("SELECT price FROM stock WHERE e164 = ?", (e164,)).fetchone()[0]
    db.execute(
        "INSERT INTO ledger (at, action, account_sid, e164, sid, price, currency) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (timestamp(), action, account_sid, e164, sid, price if action == "purchase" else "0", CURRENCY),
    )


def reshelve(db: sqlite3.Connection, e164: str) -> None:
    """Put *e164* up for sale, even if it was owned from the start."""
    db.execute("UPDATE stock SET place = ? WHERE e164 = ?", (_place(e164), e164))


def timestamp(moment: datetime | None = None) -> str:
    """Return *moment*, or now, as text that sorts by time."""
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def national_name(e164: str) -> str:
    """Return the name that a number has by default: the national form in the US and Canada, else E.164."""
    if not e164.startswith("+1"):
        return e164
    return phonenumbers.format_number(phonenumbers.parse(e164), phonenumbers.PhoneNumberFormat.NATIONAL)


def _place(e164: str) -> int:
    return int(digest("place", e164)[:8], 16)


def _described(e164: str) -> StockNumber:
    """Return any valid number as the catalogue describes it."""
    number = phonenumbers.parse(e164)
    national = phonenumbers.national_significant_number(number)
    country = phonenumbers.region_code_for_number(number) or "US"
    ranges = MARKETS[country].ranges if country in MARKETS else {}
    found = (
        StockNumber(e164, country, type, prefix, range)
        for type, range in ranges.items()
        for prefix in range.prefixes
        if national.startswith(prefix.digits)
    )
    plain = StockNumber(e164, country, "local", Prefix(""), Range("1.15", len(national), (), features=("voice", "sms")))
    return next(found, plain)
