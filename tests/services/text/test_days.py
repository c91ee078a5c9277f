"""Days as they are written: never guessed."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.errors import InvalidInput
from services.text import days
from services.text.days import DayOrder

NINTH = date(2026, 3, 9)
DAY, MONTH = DayOrder.DAY_FIRST, DayOrder.MONTH_FIRST


@pytest.mark.parametrize(
    ("value", "order"),
    [
        (NINTH, None),
        (datetime(2026, 3, 9, 23, 59, tzinfo=UTC), None),
        ("2026-03-09", None),
        ("2026-03-09", DAY),
        (" '2026-03-09' ", None),
        ("2026-3-9", None),
        ("2026/03/09", None),
        ("20260309", None),
        (20260309, None),
        ("2026-03-09 00:00:00", None),
        ("2026-03-09T10:30", None),
        ("\u200e2026‑03‑09", None),
        ("٢٠٢٦-٠٣-٠٩", None),
        ("09.03.2026", DAY),
        ("9/3/2026", DAY),
        ("09-03-2026 12:00", DAY),
        ("03/09/2026", MONTH),
        ("3-9-2026", MONTH),
        ("9. 3. 2026", DAY),
        ("3/9/2026 12:00:00 AM", MONTH),
        ("٠٩/٠٣/٢٠٢٦", DAY),
    ],
)
def test_a_day_is_understood(value: object, order: DayOrder | None) -> None:
    assert days.read(value, order) == NINTH


@pytest.mark.parametrize(
    ("value", "order", "reason"),
    [
        ("09.03.2026", None, "Choose whether the day or the month comes first"),
        ("13/03/2026", None, "Choose whether the day or the month comes first"),
        ("13/03/2026", MONTH, "there is no day 3 in month 13 of 2026"),
        ("03/13/2026", DAY, "there is no day 3 in month 13"),
        ("2026-02-30", None, "there is no day 30 in month 2"),
        ("05.10.26", DAY, "two-digit year. Write all four digits, as in DD.MM.YYYY"),
        ("05.10.26", None, "two-digit year. Write all four digits, as in YYYY-MM-DD"),
        ("5/10/26", MONTH, "two-digit year"),
        ("2026-03-091", None, "is not a day written YYYY-MM-DD"),
        ("2026-03-09 and more", None, "is not a day"),
        ("2026-03-09T10:30Z", None, "is not a day"),
        ("2026-W10-1", None, "is not a day"),
        ("2026111", None, "is not a day"),
        ("2026-03.09", None, "is not a day"),
        ("46090", None, "a spreadsheet's day count"),
        (46090.0, None, "a spreadsheet's day count"),
        (True, None, "is not a day"),
        ("", None, "Nothing is not a day"),
        (None, None, "Nothing is not a day"),
        ("2026-03-09\x00\ud800", None, "is not a day"),
    ],
)
def test_what_is_no_day_or_could_be_two_is_refused(value: object, order: DayOrder | None, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as refused:
        days.read(value, order)
    assert refused.value.field == "day"
    assert str(refused.value).isprintable()


def test_the_reader_is_asked_for_the_order_only_where_it_matters() -> None:
    for written in ("9.3.2026", "9. 3. 2026", "3/9/2026 12:00:00 AM", "\u200e09/03/2026", "٠٩/٠٣/٢٠٢٦"):
        assert days.has_order(["2026-03-09", written])
    assert not days.has_order(["2026-03-09", "20260309", "05.10.26", "x", ""])


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from("./-"))
def test_a_day_written_in_an_order_is_read_in_that_order_alone(day: date, sign: str) -> None:
    written = day.strftime(f"%d{sign}%m{sign}%Y")
    assert days.read(written, DAY) == day
    if day.day <= 12:
        assert days.read(written, MONTH) == date(day.year, day.day, day.month)
    else:
        with pytest.raises(InvalidInput):
            days.read(written, MONTH)


@given(
    st.one_of(st.text(max_size=20), st.integers(), st.floats(), st.booleans(), st.none()), st.sampled_from([None, DAY])
)
def test_whatever_is_written_is_a_day_or_a_refusal(value: object, order: DayOrder | None) -> None:
    try:
        day, told = days.read(value, order), ""
    except InvalidInput as exc:
        day, told = None, str(exc)
    assert (day is None) == bool(told)
    assert told.isprintable()
