"""Reading and writing numbers by their plans."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import numbering
from services.errors import InvalidInput


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
