"""Checks of typed values, each with a message in the reader's words."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from sqlmodel import Session
from zxcvbn import zxcvbn

import db.base.named
from db.agents import AgentRow
from db.base.scope import Scope
from db.connections import ConnectionRow
from db.models import Agent, Connection
from providers.base import Provider
from services.core.errors import InvalidInput, NotFound
from services.text import numbering, written_numbers

LABEL_LENGTH = 64
NAME_LENGTH = 80
URL_LENGTH = 500
REASON_LENGTH = 300
NOTES_LENGTH = 2000
TAG_LENGTH = 32
MOST_TAGS = 12
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
LARGEST_ID = 2**31 - 1
_MOST_DIGITS = len(str(LARGEST_ID))
_WHOLE = (
    r"(\d+)(?:[.,]0{1,2}|\.0{4,})?",
    r"([1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d{2})+,\d{3})(?:\.0+)?",
    r"([1-9]\d{0,2}(?:\.\d{3}){2,})(?:,0+)?",
    r"([1-9]\d{0,2}\.\d{3}),0+",
    r"([1-9]\d{0,2}(?:[ \"]\d{3})+)(?:[.,]0+)?",
)
_NEGATIVE = re.compile(r"-\s*\d+")
_POINTED = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_LOOKED_AT = 72  # what is longer is not guessed
_GUESSED_SLOWLY = 2  # zxcvbn's scale from 0 to 4: over a million guesses


Thing = TypeVar("Thing")
Used = TypeVar("Used", Agent, AgentRow, Connection, ConnectionRow)


def as_id(value: object) -> int:
    """Return an id out of an address, a file or a program. Raises NotFound for anything that cannot be one."""
    found = as_whole(value)
    if found is None or not 0 < found <= LARGEST_ID:
        raise NotFound
    return found


def as_whole(value: object) -> int | None:
    """Return the whole number that *value* is or has as digits, up to ten of them; None for anything else."""
    if isinstance(value, int) and not 0 <= value < 10**_MOST_DIGITS:
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def count(value: object, field: str, most: int) -> int | None:
    """Return a count out of a cell, in any usual writing of a whole number; None for an empty one.

    Raises InvalidInput for anything else. `1.234` is refused: for some it is a thousand and more, for others one and
    a bit.
    """
    if value is None or value != value or (isinstance(value, str) and not value.strip()):
        return None
    found = _whole(value)
    if found is None:
        quoted = written_numbers.echo(str(value)) if not isinstance(value, int) else ""
        text = written_numbers.visible(str(value)).strip()
        if _NEGATIVE.fullmatch(text):
            raise InvalidInput(f"{quoted} is negative.", field=field)
        if _POINTED.fullmatch(text):
            plain = text.replace(".", "")
            raise InvalidInput(
                f"{quoted} can be a count in thousands or a decimal. Write {plain} if that is what you mean.",
                field=field,
            )
        raise InvalidInput(f"{quoted or 'This'} is not a whole number.", field=field)
    if found < 0:
        raise InvalidInput(f"{found:,} is negative." if found > -(10**_MOST_DIGITS) else "It is negative.", field=field)
    if found > most:
        raise InvalidInput(f"More than {most:,} calls in a day is impossible.", field=field)
    return found


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
        return int(value)  # as most are written
    text = written_numbers.visible(str(value)).strip(' "')
    found = next(filter(None, (re.fullmatch(way, text) for way in _WHOLE)), None)
    if found is None:
        return None
    digits = re.sub(r"\D", "", found[1]).lstrip("0") or "0"
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


def key(text: str) -> str:
    """Return a name or label as it is compared with others: as it is stored, whatever its case."""
    return one_line(text).casefold()


class Named(Generic[Thing]):
    """Things by their names, as names are stored and whatever their case; one that is written exactly goes first."""

    def __init__(self, things: Iterable[tuple[str, Thing]]) -> None:
        self._exactly: dict[str, Thing] = {}
        self._alike: dict[str, list[Thing]] = {}
        for name, thing in things:
            self._exactly[one_line(name)] = thing
            self._alike.setdefault(key(name), []).append(thing)

    def find(self, name: str, noun: str) -> Thing | None:
        """Return what is named so, or None. Raises InvalidInput when several *noun*s are."""
        if (found := self._exactly.get(one_line(name))) is not None:
            return found
        alike = self._alike.get(key(name), [])
        if len(alike) > 1:
            raise InvalidInput(
                f"Several {noun}s are named {written_numbers.echo(name)} in different capitalization. Write the exact "
                f"name.",
                field=noun,
            )
        return alike[0] if alike else None


def label(text: str) -> str:
    """Return a label, trimmed. Raises InvalidInput when it is too long."""
    cleaned = one_line(text)
    if len(cleaned) > LABEL_LENGTH:
        raise InvalidInput(
            f"A label has at most {LABEL_LENGTH} characters; this one has {len(cleaned)}.", field="label"
        )
    return cleaned


def name(text: str, noun: str) -> str:
    """Return the name of a *noun*, trimmed. Raises InvalidInput when it is empty or too long."""
    cleaned = one_line(text)
    if not cleaned:
        raise InvalidInput(f"Enter a name for the {noun}.", field="name")
    if len(cleaned) > NAME_LENGTH:
        raise InvalidInput(f"A name has at most {NAME_LENGTH} characters; this one has {len(cleaned)}.", field="name")
    return cleaned


def webhook_url(text: str | None, title: str, field: str) -> str | None:
    """Return an address that a provider calls, or None for none.

    Raises InvalidInput unless it is https, names a host, and holds no password: it is shown and written down.
    """
    cleaned = (text or "").strip()
    if not cleaned:
        return None
    if len(cleaned) > URL_LENGTH:
        raise InvalidInput(f"The {title} has at most {URL_LENGTH} characters.", field=field)
    try:
        parts = urlsplit(cleaned)
        host, port_is_one = parts.hostname, parts.port is None or parts.port > 0
    except ValueError:
        host, port_is_one = None, False
    if (
        any(not c.isprintable() or c.isspace() for c in cleaned)
        or not host
        or not port_is_one
        or parts.scheme.lower() != "https"
    ):
        raise InvalidInput(f"The {title} must be an address that starts with https://.", field=field)
    if parts.username or parts.password:
        raise InvalidInput(f"Remove user name and password from the {title}: viewers can see it.", field=field)
    return cleaned


def username(text: str) -> str:
    """Return a user name in lower case. Raises InvalidInput unless it has 2 to 64 plain characters."""
    cleaned = text.strip().casefold()
    if not _USERNAME.fullmatch(cleaned):
        raise InvalidInput(
            "A user name has 2 to 64 letters, digits, dots, dashes, underscores or @, without spaces.", field="username"
        )
    return cleaned


def password(text: str, *about: str) -> None:
    """Raise InvalidInput for a password that is short, or easy to guess for who knows what it is *about*."""
    if not text.isprintable():
        raise InvalidInput("A password can't contain invisible characters such as tabs. Type another one.", field="new")
    if len(text) > LONGEST_PASSWORD:
        raise InvalidInput(f"A password has at most {LONGEST_PASSWORD} characters.", field="new")
    if len(text.strip()) < SHORTEST_PASSWORD:
        raise InvalidInput(f"A password has at least {SHORTEST_PASSWORD} characters.", field="new")
    guessed = zxcvbn(text[:_LOOKED_AT], user_inputs=[*about, "numberdesk"])
    if guessed["score"] < _GUESSED_SLOWLY:
        words = " ".join(["This password is easy to guess.", guessed["feedback"]["warning"]]).strip()
        raise InvalidInput(f"{words} Add another word or two.", field="new")


def time_zone(name: str) -> str:
    """Return the name of a time zone. Raises InvalidInput for anything that is none."""
    if name not in available_timezones():
        raise InvalidInput(f"{name or 'An empty text'} is not a time zone.", field="time_zone")
    return name


def notes(text: str) -> str:
    """Return notes, trimmed, with the line ends of one system. Raises InvalidInput when they are too long."""
    cleaned = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(cleaned) > NOTES_LENGTH:
        raise InvalidInput(
            f"Notes have at most {NOTES_LENGTH:,} characters; these have {len(cleaned):,}.", field="notes"
        )
    return cleaned


def reason(text: str, *, needed: bool = False) -> str:
    """Return why something is done, in one line. Raises InvalidInput when it is too long, or *needed* and empty."""
    cleaned = one_line(text)
    if needed and not cleaned:
        raise InvalidInput("Enter a reason.", field="reason")
    if len(cleaned) > REASON_LENGTH:
        raise InvalidInput(
            f"A reason has at most {REASON_LENGTH} characters; this one has {len(cleaned):,}.", field="reason"
        )
    return cleaned


def tags(values: Iterable[str]) -> list[str]:
    """Return tags, trimmed, each once whatever its case. Raises InvalidInput for one that is too long."""
    found: dict[str, str] = {}
    for value in values:
        tag = one_line(value)
        if len(tag) > TAG_LENGTH:
            raise InvalidInput(f"A tag has at most {TAG_LENGTH} characters: {tag[:TAG_LENGTH]}…", field="tags")
        if tag:
            found.setdefault(tag.casefold(), tag)
    if len(found) > MOST_TAGS:
        raise InvalidInput(f"A number has at most {MOST_TAGS} tags.", field="tags")
    return sorted(found.values(), key=str.casefold)


def country_codes(values: Sequence[str]) -> list[str]:
    """Return ISO country codes, each once, in order. Raises InvalidInput for one that does not exist."""
    unknown = [value for value in values if value not in numbering.countries()]
    if unknown:
        raise InvalidInput(f"{unknown[0]} is not a country that calls can come from or go to.", field="countries")
    return sorted(set(values))


def provider_fields(provider: type[Provider], values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the provider's own fields, trimmed. Raises InvalidInput naming the field."""
    result = {}
    for field in provider.number_fields:
        value = one_line(values.get(field.name) or "")
        if not field.accepts(value):
            raise InvalidInput(f"Enter the {field.label.lower()}." if not value else field.problem, field=field.name)
        if value:
            result[field.name] = value
    return result


def connection(session: Session, scope: Scope, connection_id: int | None) -> Connection:
    """Return an active connection in *scope*. Raises InvalidInput otherwise."""
    found = db.base.named.find(session, Connection, scope, connection_id) if connection_id is not None else None
    if found is None:
        raise InvalidInput("Choose a telephony connection.", field="connection")
    return active(found, "connection")


def agent(session: Session, scope: Scope, agent_id: int | None) -> Agent | None:
    """Return an active agent in *scope*, or None for none. Raises InvalidInput otherwise."""
    if agent_id is None:
        return None
    found = db.base.named.find(session, Agent, scope, agent_id)
    if found is None:
        raise InvalidInput("Choose an agent of this tenant.", field="agent")
    return active(found, "agent")


def active(found: Used, noun: str) -> Used:
    """Return a connection or agent that is to be used. Raises InvalidInput when it is inactive."""
    if not found.is_active:
        raise InvalidInput(f"The {noun} {found.name} is inactive. Choose an active one.", field=noun)
    return found


def taken(e164: str) -> InvalidInput:
    """Return the refusal of a number that is on record already, whoever holds it."""
    return InvalidInput(f"{numbering.display(e164)} already exists. A number can be added only once.", field="number")


def being_ordered(e164: str) -> str:
    """Return why nothing can begin about a number that an order is open for, whoever placed it."""
    return f"{numbering.display(e164)} is already being ordered or changed. Wait for the result, then check again."


def one_line(text: str) -> str:
    """Return *text* without control characters and with single spaces."""
    if text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text).split())
