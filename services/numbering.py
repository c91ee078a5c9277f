"""Reading and writing phone numbers, by the numbering plans that `phonenumbers` knows."""

import functools
import re
from dataclasses import dataclass

import phonenumbers
from babel import Locale
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult

from db.models import NumberType
from db.text_search import SearchText
from services.errors import InvalidInput

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

_WRITTEN = re.compile(r"[\d\s()+./\u00b7\u2010-\u2015\u00a0-]+")
_LINE = re.compile(r"[0-9]{4,15}")
_LONGEST = 40
_NATIONAL_IN_FULL = 7


@dataclass(frozen=True)
class ReadNumber:
    """A number as typed, understood. `e164` holds bare national digits where `is_national`."""

    e164: str
    country: str
    number_type: NumberType
    is_valid: bool
    is_national: bool = False


def read(text: str, *, default_country: str | None = None, national: bool = False) -> ReadNumber:
    """Understand a typed number, with *default_country* (ISO 3166) for one without a calling code.

    With *national*, digits that no plan knows are kept as they are. Raises InvalidInput with the
    reason when the number is impossible; a possible one that the plan does not list has
    `is_valid` False.
    """
    text = text.strip()
    if not text:
        raise InvalidInput("Enter a phone number.", field="number")
    if len(text) > _LONGEST or not _WRITTEN.fullmatch(text):
        raise InvalidInput(
            "A phone number has digits, spaces, brackets, dots and dashes only, and a + in front.", field="number"
        )
    try:
        parsed = phonenumbers.parse(text, default_country)
    except phonenumbers.NumberParseException as exc:
        line = _line(text, default_country) if national else None
        if line:
            return line
        if not text.startswith("+") and default_country is None:
            raise InvalidInput(
                "Start with + and the country calling code, like +14155551212: the connection has no default country.",
                field="number",
            ) from exc
        raise InvalidInput(f"{text} is not a phone number.", field="number") from exc
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason != ValidationResult.IS_POSSIBLE:
        line = _line(text, default_country) if national else None
        if line:
            return line
        raise InvalidInput(f"{text} cannot be a phone number: {_WHY.get(reason, 'no plan knows it')}.", field="number")
    kind = phonenumbers.number_type(parsed)
    return ReadNumber(
        e164=phonenumbers.format_number(parsed, PhoneNumberFormat.E164),
        country=_country(parsed),
        number_type=_TYPES.get(kind, NumberType.OTHER),
        is_valid=kind != PhoneNumberType.UNKNOWN,  # as is_valid_number finds it, without looking a second time
    )


def as_held(e164: str) -> ReadNumber:
    """Return what the plans know of a number that a provider holds: a fact, also where they call it impossible."""
    try:
        return read(e164)
    except InvalidInput:
        return ReadNumber(e164, "", NumberType.OTHER, is_valid=False)


def _line(text: str, country: str | None) -> ReadNumber | None:
    digits = re.sub(r"\D", "", text)
    if text.startswith("+") or not _LINE.fullmatch(digits):
        return None
    return ReadNumber(digits, country or "", NumberType.OTHER, is_valid=True, is_national=True)


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
    """Return what was typed into a search box as the query needs it; None for nothing."""
    text = " ".join(text.split())[:100]
    if not text or not text.strip("\x00"):
        return None
    text = text.replace("\x00", "")
    if not _WRITTEN.fullmatch(text):
        return SearchText(text)
    digits = re.sub(r"\D", "", text)
    digits = "".join(str(int(digit)) for digit in digits)
    if not digits:
        return SearchText(text)
    if text.startswith("+"):
        try:
            parsed = phonenumbers.parse(text)
        except phonenumbers.NumberParseException:
            return SearchText(text, digits)
        if phonenumbers.is_possible_number(parsed):
            return SearchText(text, digits, phonenumbers.format_number(parsed, PhoneNumberFormat.E164))
        return SearchText(text, digits)
    # A national number in full carries a trunk 0 that E.164 has not.
    return SearchText(text, digits.lstrip("0") if len(digits) >= _NATIONAL_IN_FULL and digits.strip("0") else digits)


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
