"""Reading and writing numbers by their plans."""

import re
import unicodedata
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from services.core.errors import InvalidInput
from services.text import numbering, written_numbers
from services.text.numbering import Bare, Doubtful


def test_numbers_are_grouped_for_reading() -> None:
    assert numbering.display("+14155551212") == "+1 415 555 1212"
    assert numbering.display("12345") == "12345"
    assert numbering.display("+") == "+"


def test_a_country_has_a_name_and_a_flag() -> None:
    assert numbering.country("US") == "🇺🇸 United States"
    assert numbering.country("") == "—"
    assert list(numbering.countries().values()) == sorted(numbering.countries().values())


@given(st.text(max_size=60), st.sampled_from([None, "US", "IN", "DE"]), st.booleans())
def test_whatever_is_typed_is_a_number_or_a_refusal_in_words(text: str, country: str | None, national: bool) -> None:
    try:
        read = numbering.read(text, default_country=country, national=national)
    except InvalidInput:
        return
    assert read.e164.removeprefix("+").isdigit()
    assert 3 <= len(read.e164) <= 20


@given(st.text(max_size=60))
def test_whatever_is_typed_into_the_search_box_can_be_searched(text: str) -> None:
    found = numbering.search_text(text)
    if found is not None:
        assert found.text
        assert all(digits.isdigit() for digits in found.digits)


@pytest.mark.parametrize("region", ["US", "GB", "DE", "IN", "BR", "JP", "AU", "ES"])
def test_a_number_reads_the_same_in_every_way_of_writing(region: str) -> None:
    example = phonenumbers.example_number(region)
    assert example
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    for way in (phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.NATIONAL):
        assert numbering.read(phonenumbers.format_number(example, way), default_country=region).e164 == e164
    found = numbering.search_text(numbering.display(e164))
    assert found
    assert found.exact == (e164,)


WAYS = [
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.NATIONAL,
    phonenumbers.PhoneNumberFormat.RFC3966,
]
KINDS = [PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE]
SWAPPED = str.maketrans("0123456789+- ().", "٠١٢٣٤٥٦٧٨٩＋−\u202f（）．")


def examples() -> Iterator[tuple[str, phonenumbers.PhoneNumber]]:
    """Yield example numbers of every region that has a plan."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        found = (phonenumbers.example_number_for_type(region, kind) for kind in KINDS)
        yield from ((region, number) for number in found if number and phonenumbers.is_valid_number(number))


def answers(text: str, country: str | None) -> list[str]:
    """Return the number that *text* is, or those that it can be."""
    try:
        return [numbering.read(text, default_country=country).e164]
    except Doubtful as exc:
        return [one.e164 for one in exc.readings]


def test_numbers_of_every_region_read_back_as_themselves_in_every_format() -> None:
    seen = set()
    for region, number in examples():
        seen.add(region)
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for way in WAYS:
            text = phonenumbers.format_number(number, way)
            if re.fullmatch(r"\d\d(\.\d\d){2}", text):  # as New Caledonia writes 20.12.34, which is a day elsewhere
                continue
            country = region if way == phonenumbers.PhoneNumberFormat.NATIONAL else None
            found = answers(text, country)
            assert found == [e164] or (country and e164 in found), (region, text, found)
            assert answers(text.translate(SWAPPED), country) == found
            assert answers(f'="{text}"', country) == found
    assert seen == set(phonenumbers.SUPPORTED_REGIONS)


def test_numbers_of_every_region_read_as_themselves_when_dialled_from_the_united_states() -> None:
    for region, number in examples():
        international = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for text in (f"011 {international[1:]}", f"00 {international[1:]}"):
            assert answers(text, "US") == [e164], (region, text)
        if len(e164) > 8:  # shorter ones could be anything
            assert e164 in answers(e164[1:], "US"), (region, e164)


SIGNS = st.sampled_from(list("0123456789") * 6 + list(" -.()/+,xX²٣１\u200b\u202f~[]:;'\"=E"))


@given(st.text(SIGNS, max_size=24), st.sampled_from([None, "US", "GB", "DE", "IT", "IN", "BR", "AU", "JP", "RU"]))
@settings(max_examples=600)
def test_an_answer_has_no_other_digits_than_were_written(text: str, country: str | None) -> None:
    try:
        found = [numbering.read(text, default_country=country)]
    except Doubtful as exc:
        found = list(exc.readings)
    except InvalidInput:
        return
    digits = "".join(str(unicodedata.decimal(char)) for char in text if char.isdecimal())
    for one in found:
        code = str(phonenumbers.parse(one.e164).country_code)
        national = one.e164.removeprefix(f"+{code}")
        # A float's tail is no digit of the number; a lost 0 is the only one that is ever added, and is asked back.
        assert any(national.endswith(tail) or tail.endswith(national) for tail in (digits, digits[:-1], digits[:-2]))


@given(st.text(max_size=200))
def test_whatever_is_written_can_be_shown(text: str) -> None:
    shown = written_numbers.echo(text)
    assert shown.isprintable()
    assert len(shown) <= 70
    written_numbers.printable(text).encode()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("+1 415 555\x002671", "an invisible character in .*: U.0000 NULL"),
        ("+1 415 555\u06dd2671", "ARABIC END OF AYAH"),
        ("☎ 415 555 2671", "BLACK TELEPHONE"),
        ("+1 415 555 2671²", "SUPERSCRIPT TWO"),
        ("2026-11-25", "is a date"),
        ("25.11.26 10:30", "is a date"),
        ("10.0.0.1", "is a network address"),
        ("12.345.678", "is an amount in thousands"),
        ("(4930123457)", "is a negative amount"),
        ("14155552671.5", "is a number with decimals"),
        ("1.41556E+10", "A spreadsheet has shortened this number to 1.41556E.10"),
        ("$1,234,567.00", r"is an amount in \$, not a phone number"),
        ("25. 11. 2026", "is a date"),
        ("45986.4375", "is a spreadsheet's day count"),
        ("—", "has no digits"),
        ("4155552671 4155552672", "more than one number"),
        ("+1 415 555 2671 x12", "has an extension, 12"),
        ("+1 415 555 2671 Durchwahl 12", "has an extension, 12"),
        ("tel:+14155552671;ext=7", "has an extension, 7"),
        ("1-800-FLOWERS", "has letters.*In digits it is 1-800-3569377"),
        ("+1 415 555 2671 (main)", "has letters.*Write only the number, without main"),
        ("+49 30 7654321 / 22", "more than one number"),
        ("1. +49 30 123456", r"1\. is a list number. Write only \+49 30 123456"),
        ("x +49 30 123456", r"before the \+"),
        ("+49 30 123456 [1]", "in brackets after the number"),
        ("+49 (30 123456", "brackets .* do not match"),
        ("030 123456~8", "range of numbers"),
        ("+49 30 123-", "something is missing"),
        ("555-2671", "its area code is missing"),
        ("+999 123456789", "its country calling code does not exist"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as refused:
        numbering.read(text, default_country="US")
    assert not isinstance(refused.value, Doubtful)


def test_a_doubtful_number_names_its_readings_and_how_to_write_the_one_that_is_meant() -> None:
    with pytest.raises(Doubtful) as doubted:
        numbering.read("4792345678", default_country="US")
    assert str(doubted.value) == (
        "4792345678 can be +1 479 234 5678 (United States) or +47 92 34 56 78 (Norway). "
        "Write it with + and its country calling code."
    )
    assert numbering.read("4792345678", default_country="US", bare=Bare.NATIONAL).e164 == "+14792345678"
    assert numbering.read("4792345678", default_country="US", bare=Bare.INTERNATIONAL).e164 == "+4792345678"
    for one in doubted.value.readings:
        assert numbering.read(numbering.display(one.e164), default_country="US") == one


@pytest.mark.parametrize(
    ("text", "country", "reading", "why"),
    [
        ("20261125", "DK", "+4520261125", "it could also be a date"),
        ("415-555-26711", "US", "+41555526711", "its digit groups show no calling code"),
    ],
)
def test_a_doubt_about_the_only_reading_says_why(text: str, country: str, reading: str, why: str) -> None:
    with pytest.raises(Doubtful, match=why) as doubted:
        numbering.read(text, default_country=country)
    assert [one.e164 for one in doubted.value.readings] == [reading]


def test_a_lost_zero_is_asked_back_whatever_numbers_without_plus_are() -> None:
    for bare in (None, *Bare):
        with pytest.raises(Doubtful, match=r"\+39 02 3661 8300 .* may have been lost"):
            numbering.read("236618300", default_country="IT", bare=bare)


def test_a_national_line_is_kept_as_it_is() -> None:
    assert numbering.read("12345", default_country="IN", national=True).e164 == "12345"
    assert numbering.read("12-345", default_country="IN", national=True).e164 == "12345"
    with pytest.raises(InvalidInput):
        numbering.read("12345", default_country="IN")
