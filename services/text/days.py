"""Days: parsing, and when they begin in a time zone."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlmodel import Session

import db.people.tenants
from services.core.access import Actor, Permission, require
from services.core.errors import InvalidInput
from services.text import written_numbers

_TIME = r"(?:[T ]\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?)?"
_YEAR_FIRST = re.compile(r"(\d{4})([-./]?)(\d{1,2})\2(\d{1,2})" + _TIME)
_YEAR_LAST = re.compile(r"(\d{1,2})([-./]) ?(\d{1,2})\2 ?(\d{4})" + _TIME)
_SHORT_YEAR = re.compile(r"\d{1,2}([-./]) ?\d{1,2}\1 ?\d{2}" + _TIME)
_SERIAL = re.compile(r"[345]\d{4}(\.\d+)?")


class DayOrder(StrEnum):
    """What comes first in days that are not written YYYY-MM-DD."""

    DAY_FIRST = "day"
    MONTH_FIRST = "month"


WANTED = {None: "YYYY-MM-DD", DayOrder.DAY_FIRST: "DD.MM.YYYY", DayOrder.MONTH_FIRST: "MM/DD/YYYY"}
"""How days are written, when the order was said and when not."""


def read(value: object, order: DayOrder | None = None) -> date:
    """Understand a day out of a cell: a date, or a text with its year first, or in the *order* that was said.

    Nothing is guessed. Raises InvalidInput for no day, another order, or a two-digit year.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = _cleaned(str(value)) if value is not None else ""
    quoted = written_numbers.echo(str(value)) if text else "Nothing"
    if found := _YEAR_FIRST.fullmatch(text):
        year, sign, month, day = found.groups()
        if sign or len(month + day) == 4:
            return _day(quoted, int(year), int(month), int(day))
    if found := _YEAR_LAST.fullmatch(text):
        if order is None:
            raise _no(f"Choose whether the day or the month comes first in {quoted}, or write it as YYYY-MM-DD.")
        first, _, second, year = found.groups()
        month, day = (second, first) if order is DayOrder.DAY_FIRST else (first, second)
        return _day(quoted, int(year), int(month), int(day))
    if _SHORT_YEAR.fullmatch(text):
        raise _no(f"{quoted} has a two-digit year. Write all four digits, as in {WANTED[order]}.")
    if _SERIAL.fullmatch(text):
        raise _no(f"{quoted} is a spreadsheet's day count. Format the column as a date, or write YYYY-MM-DD.")
    raise _no(f"{quoted} is not a day written {WANTED[order]}.")


def has_order(values: Iterable[object]) -> bool:
    """Return whether one of *values* is ambiguous about day and month."""
    return any(isinstance(value, str) and _YEAR_LAST.fullmatch(_cleaned(value)) for value in values)


def _cleaned(text: str) -> str:
    return " ".join(written_numbers.visible(text).strip("\"' \n").split())


def _day(shown: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as exc:
        raise _no(f"{shown} is not a day: there is no day {day} in month {month} of {year}.") from exc


def _no(message: str) -> InvalidInput:
    return InvalidInput(message, field="day")


def zone(name: str) -> ZoneInfo:
    """Return a tenant's time zone; UTC for an unknown name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        return ZoneInfo("UTC")


def starts(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins in *zone*."""
    return datetime.combine(day, time.min, zone)


def span(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return start and (exclusive) end of whole days in *zone*.

    A day has 23 or 25 hours where the clocks change. Raises InvalidInput when the last comes before the first.
    """
    if last < first:
        raise InvalidInput("The period ends before it starts. Choose a last day on or after the first.")
    return starts(first, zone), starts(last + timedelta(days=1), zone)


def today_in(time_zone: str) -> date:
    """Return today's date in a zone."""
    return datetime.now(zone(time_zone)).date()


def today_of(session: Session, actor: Actor) -> date:
    """Return today's date in the chosen tenant's zone; in UTC for all tenants."""
    require(actor, Permission.HEALTH_READ if actor.granted is None else Permission.HEALTH_WRITE)
    tenant = db.people.tenants.find(session, actor.tenant_id) if actor.tenant_id else None
    return today_in(tenant.time_zone if tenant else "UTC")
