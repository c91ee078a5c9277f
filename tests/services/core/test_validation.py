"""Typed values: counts, ids and names, each taken as it was written or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core import validation
from services.core.errors import InvalidInput, NotFound


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (12, 12),
        (12.0, 12),
        ("12", 12),
        (" 0012 ", 12),
        ("12.0", 12),
        ("12,00", 12),
        ("1,234", 1234),
        ("1,234.00", 1234),
        ("12,000", 12000),
        ("1,23,456", 123456),
        ("1 234", 1234),
        ("1\u202f234", 1234),
        ("1'234", 1234),
        ("1’234", 1234),
        ("1.234,0", 1234),
        ("'12", 12),
        ("\u200e١٢", 12),
        (None, None),
        ("", None),
        ("  ", None),
        (float("nan"), None),
    ],
)
def test_a_count_is_a_whole_number_in_any_usual_writing(value: object, count: int | None) -> None:
    assert validation.count(value, "attempts", 1_000_000) == count


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (True, "not a whole number"),
        (False, "not a whole number"),
        (12.5, "12.5 is not a whole number"),
        ("12.5", "12.5 is not a whole number"),
        ("1.234", "in thousands or a decimal. Write 1234"),
        ("12.000", "in thousands or a decimal. Write 12000"),
        ("1,2345", "not a whole number"),
        ("12,34", "not a whole number"),
        ("0,123", "not a whole number"),
        ("1 2345", "not a whole number"),
        ("1_000", "not a whole number"),
        ("1e3", "not a whole number"),
        ("+12", "not a whole number"),
        ("²", "not a whole number"),
        ("12 calls", "not a whole number"),
        (float("inf"), "not a whole number"),
        ("-5", "-5 is negative"),
        ("−5", "is negative"),
        (-5, "-5 is negative"),
        (-(10**4000), "negative"),
        (1_000_001, "More than 1,000,000"),
        ("1.234.567", "More than 1,000,000"),
        (10**4000, "More than 1,000,000"),
        ("9" * 5000, "More than 1,000,000"),
        (1e300, "More than 1,000,000"),
    ],
)
def test_nothing_else_is_a_count(value: object, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as refused:
        validation.count(value, "attempts", 1_000_000)
    assert refused.value.field == "attempts"


@given(st.integers(0, 999_999), st.sampled_from(["{:,}", "{}", "{}.0", "{}"]))
def test_a_count_reads_back_as_itself(number: int, way: str) -> None:
    assert validation.count(way.format(number), "attempts", 1_000_000) == number


@pytest.mark.parametrize("value", ["1", "0000000001", 1, str(2**31 - 1)])
def test_an_id_is_taken(value: object) -> None:
    assert validation.as_id(value) in (1, 2**31 - 1)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        "-1",
        "+1",
        "1.0",
        "²",
        "٢",
        "1 ",
        "1\n",
        "000000000001" + "9" * 48,
        "1" * 60,
        str(2**31),
        2**31,
        10**4000,
        True,
        None,
        1.0,
        "x",
        "\ud800",
        "\x00",
    ],
)
def test_what_cannot_be_an_id_is_not_there(value: object) -> None:
    with pytest.raises(NotFound):
        validation.as_id(value)


def test_names_are_compared_as_they_are_stored() -> None:
    named = validation.Named([("Front desk", 1), ("Straße", 2), ("STRASSE", 3)])
    assert named.find("  front   DESK\n", "agent") == 1
    assert named.find("Straße", "agent") == 2
    assert named.find("STRASSE", "agent") == 3
    assert named.find("Back desk", "agent") is None
    with pytest.raises(InvalidInput, match="Several agents are named strasse"):
        named.find("strasse", "agent")
