"""Reading and writing phone numbers, by the numbering plans that `phonenumbers` knows."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

import phonenumbers
from babel import Locale
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult

from db.models import NumberType
from db.numbers.text_search import SearchText
from services.core.errors import InvalidInput
from services.text import written_numbers
from services.text.written_numbers import Written

_TYPES = {
    PhoneNumberType.FIXED_LINE: NumberType.LOCAL,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberType.LOCAL,
    PhoneNumberType.MOBILE: NumberType.MOBILE,
    PhoneNumberType.TOLL_FREE: NumberType.TOLL_FREE,
    PhoneNumberType.SHARED_COST: NumberType.SHARED_COST,
    PhoneNumberType.VOIP: NumberType.VOIP,
    PhoneNumberType.UAN: NumberType.NATIONAL,
}

_WHY = {
    ValidationResult.TOO_SHORT: "it is too short",
    ValidationResult.TOO_LONG: "it is too long",
    ValidationResult.INVALID_COUNTRY_CODE: "its country calling code does not exist",
    ValidationResult.INVALID_LENGTH: "no number there has this length",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "its area code is missing",
}

_LINE = re.compile(r"[0-9]{4,15}")
_TYPED = re.compile(r"[\d ()+./~-]+")
_BRACKETED_TRUNK = re.compile(r"(?<=\d)\s*\(\s*0\s*\)")
_NATIONAL_IN_FULL = 7
_SHORTEST_INTERNATIONAL = 8
_NORTH_AMERICAN = 10
_SUPERSEDED = {"521": "52"}  # the 1 of Mexican mobile numbers was given up in 2019
_EXITS = ("00", "011", "0011", "010", "810")
_RUSSIAN = 11


@dataclass(frozen=True)
class ReadNumber:
    """A parsed number. `e164` has bare national digits if `is_national`."""

    e164: str
    country: str
    number_type: NumberType
    is_valid: bool
    is_national: bool = False


class Bare(StrEnum):
    """How to read ambiguous numbers without a +."""

    NATIONAL = "national"
    INTERNATIONAL = "international"


class Doubtful(InvalidInput):
    """The input can be read as more than one number, or only with an extra digit."""

    def __init__(self, text: str, readings: Sequence[ReadNumber], why: str = "") -> None:
        words = " or ".join(
            f"{display(one.e164)} ({country_name(one.country)})" if one.country else display(one.e164)
            for one in readings
        )
        super().__init__(
            f"{written_numbers.echo(text)} can be {words}{why and ': '}{why}. "
            "Write it with + and its country calling code.",
            field="number",
            overridable=True,
        )
        self.readings = tuple(readings)


def read(
    text: str, *, default_country: str | None = None, national: bool = False, bare: Bare | None = None
) -> ReadNumber:
    """Parse a number, with *default_country* (ISO 3166) for one without a calling code.

    Never returns a number other than the one written. With *national*, digits that no plan knows are kept as they are;
    *bare* settles a number without + that is one of the country as well as one with its calling code. Raises Doubtful
    with the readings that it can have, and InvalidInput with the reason when it has none; a possible one that the plan
    does not list has `is_valid` False.
    """
    written = written_numbers.written(text)
    if written.has_plus:
        return _international(text, written)
    if written.code:
        both = (written.digits, written.without_trunk)
        ways = [*(f"+{way.removeprefix('00')}" for way in both), *(both if default_country else ())]
        return _first(ways, default_country) or _refuse(text, ways[1], None)
    own, others = _read_as_typed(written, default_country)
    listed = {one.e164: one for one in (own, *others) if one and one.is_valid}
    if bare and own and own.is_valid and len(listed) == 2:
        return own if bare is Bare.NATIONAL else others[0]
    if len(listed) == 2 and own and own.is_valid and written.groups[1:] and not _begins_with_code(written, others):
        return own  # its groups say that what it begins with is an area code
    if not listed or not (own and own.is_valid):
        with_zero = _possible(f"0{written.digits}", default_country)
        if with_zero and with_zero.is_valid and with_zero.e164[-len(written.digits) - 1 :] == f"0{written.digits}":
            raise Doubtful(text, [with_zero, *listed.values()], "a leading 0 may have been lost")
    if len(listed) > 1:
        raise Doubtful(text, list(listed.values()))
    for one in listed.values():
        if written.can_be_day:
            raise Doubtful(text, [one], "it could also be a date")
        if one in others and not bare and not _is_parted_as(written, one):
            raise Doubtful(text, [one], "its digit groups show no calling code")
        return one
    unlisted = own or next((one for one in others if written.digits.startswith("00")), None)
    if unlisted is None and national and _LINE.fullmatch(written.digits):
        return ReadNumber(written.digits, default_country or "", NumberType.OTHER, is_valid=True, is_national=True)
    if unlisted is None and default_country is None and not written.digits.startswith("00"):
        raise InvalidInput(
            "Start with + and the country calling code, like +14155551212: the connection has no default country.",
            field="number",
        )
    return unlisted or _refuse(text, written.digits, default_country)


def _read_as_typed(written: Written, country: str | None) -> tuple[ReadNumber | None, list[ReadNumber]]:
    """Return a number without + as one of *country*, and as those with a calling code that it can be as well."""
    digits = written.digits
    own = _possible(digits, country) if country else None
    others: list[ReadNumber | None] = []
    if digits.startswith("00"):
        others = [_possible(f"+{digits[2:]}")]
    elif not digits.startswith("0") and len(digits) >= _SHORTEST_INTERNATIONAL:
        abroad = _possible(f"+{digits}")
        others = [abroad] if abroad and abroad.is_valid else []
        if others and country is None and len(digits) == _NORTH_AMERICAN and len(written.groups) == 1:
            others.append(_possible(digits, "US"))  # where most leave the calling code out
    return own, [one for one in others if one]


def _is_parted_as(written: Written, abroad: ReadNumber) -> bool:
    """Return whether groups, if there are any, leave the calling code or the area code of a number apart."""
    if not written.groups[1:] or written.digits.startswith("0"):
        return True
    parsed = phonenumbers.parse(abroad.e164)
    code = len(str(parsed.country_code))
    ends = {sum(map(len, written.groups[:most])) for most in range(1, len(written.groups))}
    return bool(ends & {code, code + phonenumbers.length_of_national_destination_code(parsed)})


def _begins_with_code(written: Written, others: Sequence[ReadNumber]) -> bool:
    """Return whether the groups of a number leave its calling code apart, as in 47 92345678."""
    codes = {str(phonenumbers.parse(one.e164).country_code) for one in others}
    return any("".join(written.groups[:most]) in codes for most in (1, 2, 3))


def _international(text: str, written: Written) -> ReadNumber:
    """Understand a number with its calling code; a 0 in brackets behind that counts only where plans keep it."""
    ways = [f"+{way}" for way in (written.digits, written.code and written.without_trunk) if way]
    found = _first(ways, None)
    if found and found.is_valid:
        return found
    for old, new in _SUPERSEDED.items():
        today = _possible(f"+{new}{written.digits.removeprefix(old)}") if written.digits.startswith(old) else None
        if today and today.is_valid:
            raise Doubtful(text, [today], f"the {old.removeprefix(new)} behind +{new} is no longer dialed")
    return found or _refuse(text, ways[-1], None)


def _first(ways: Sequence[str], country: str | None) -> ReadNumber | None:
    """Return the first of *ways* to read a number that a plan lists, else the last that is possible."""
    found = [one for one in (_possible(way, country) for way in ways) if one]
    return next((one for one in found if one.is_valid), found[-1] if found else None)


def _refuse(text: str, digits: str, country: str | None) -> NoReturn:
    quoted = written_numbers.echo(text)
    try:
        reason = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(digits, country))
    except phonenumbers.NumberParseException as exc:
        unknown = exc.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        reason = ValidationResult.INVALID_COUNTRY_CODE if unknown else ValidationResult.TOO_SHORT
        if exc.error_type == phonenumbers.NumberParseException.TOO_LONG:
            reason = ValidationResult.TOO_LONG
    raise InvalidInput(
        f"{quoted} cannot be a phone number: {_WHY.get(reason, 'no numbering plan has it')}.", field="number"
    )


def _possible(digits: str, country: str | None = None) -> ReadNumber | None:
    """Return *digits*, with + or as dialled in *country*, as a number; None when it cannot be one."""
    try:
        parsed = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(parsed) != ValidationResult.IS_POSSIBLE:
        return None
    kind = phonenumbers.number_type(parsed)
    return ReadNumber(
        e164=phonenumbers.format_number(parsed, PhoneNumberFormat.E164),
        country=_country(parsed),
        number_type=_TYPES.get(kind, NumberType.OTHER),
        is_valid=kind != PhoneNumberType.UNKNOWN,  # as is_valid_number finds it, without looking a second time
    )


def as_held(e164: str) -> ReadNumber:
    """Return a provider's number by the numbering plans: a fact, even if they call it impossible."""
    try:
        return read(e164)
    except InvalidInput:
        return ReadNumber(e164, "", NumberType.OTHER, is_valid=False)


def _country(parsed: phonenumbers.PhoneNumber) -> str:
    region = phonenumbers.region_code_for_number(parsed)
    if region is None:  # possible but not valid: the main country of its calling code
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return "" if region in (None, "001", "ZZ") else region


@functools.lru_cache(maxsize=20_000)
def display(e164: str) -> str:
    """Return *e164* grouped for reading: `+1 415 555 1212`."""
    if not e164.startswith("+"):
        return e164
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL).replace("-", " ")


def search_text(text: str) -> SearchText | None:
    """Return search input as the query needs it; None if empty."""
    text = " ".join(written_numbers.storable(text).split())[:100]
    if not text:
        return None
    seen = _BRACKETED_TRUNK.sub("", written_numbers.visible(text))
    typed = re.sub(r"\D", "", seen) if _TYPED.fullmatch(seen) else ""
    is_dialled = len(typed) >= _NATIONAL_IN_FULL and not seen.startswith("+")
    exact = _whole_numbers(text) or (_abroad(typed) if is_dialled else ())
    digits = {_without_trunk(typed) if is_dialled else typed, *(one.lstrip("+") for one in exact)} - {""}
    # Whatever holds the longer one holds the shorter one too.
    parts = sorted(part for part in digits if not any(other != part and other in part for other in digits))
    return SearchText(text, tuple(parts), exact)


def _whole_numbers(text: str) -> tuple[str, ...]:
    """Return the numbers that *text* can be in full, without knowing a country."""
    try:
        return (read(text).e164,)
    except Doubtful as exc:
        return tuple(one.e164 for one in exc.readings)
    except InvalidInput:
        return ()


def _abroad(digits: str) -> tuple[str, ...]:
    """Return the numbers in other countries that were dialled with *digits*, whatever the exit code."""
    ways = (_possible(f"+{digits.removeprefix(code)}") for code in _EXITS if digits.startswith(code))
    return tuple(one.e164 for one in ways if one and one.is_valid)


def _without_trunk(digits: str) -> str:
    """Return what E.164 keeps of a number in full as it is dialled in its country: not the 0 or 8 before its area."""
    return digits[1:] if digits.startswith("8") and len(digits) == _RUSSIAN else digits.lstrip("0")


@functools.cache
def countries() -> dict[str, str]:
    """Return the name of every country that has a numbering plan, by ISO code, in the order of names."""
    names = Locale("en").territories
    found = {code: names.get(code, code) for code in phonenumbers.SUPPORTED_REGIONS}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def country_name(code: str) -> str:
    """Return a country's name in English; the code itself when it has none, `—` for no country."""
    return countries().get(code, code) or "—"


def flag(code: str) -> str:
    """Return the flag of a country as two regional indicator letters."""
    return "".join(chr(ord(letter) - ord("A") + 0x1F1E6) for letter in code) if len(code) == 2 else ""


def country(code: str) -> str:
    """Return flag and name of a country, `—` for none."""
    return f"{flag(code)} {country_name(code)}".strip()
