"""Campaign health comes in: rows are checked one by one, and written in one transaction or not at all."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

import db.engine
import db.health
import db.tenants
from db.health import COUNTS, Fact
from db.scope import Scope
from services import audit, days, files
from services.access import Actor, Permission, require, require_tenant
from services.audit import Action, Subject
from services.errors import Conflict, InvalidInput

__all__ = ["COUNTS", "Checked", "Given", "Problem", "Saved", "check", "save"]

MOST = 1_000_000
"""No number makes more calls in a day."""
BATCH = 5_000
ISO = "%Y-%m-%d"

_DIGITS = re.compile(r"\d+")

Progress = Callable[[float], object]


class Given(NamedTuple):
    """One row as it came: whatever a file or a program wrote. A count that is not given is None or empty."""

    campaign: object
    number: object
    day: object
    attempts: object
    answered: object
    completed: object = None
    short_calls: object = None
    failed: object = None
    spam_reports: object = None


@dataclass(frozen=True)
class Problem:
    """Why a row was refused. Rows count from 1."""

    row: int
    field: str
    message: str


@dataclass(frozen=True)
class Checked:
    """The rows that can be written, and why the others cannot; `rows` are where the facts stand."""

    facts: Sequence[Fact]
    problems: Sequence[Problem]
    rows: Sequence[int] = ()


@dataclass(frozen=True)
class Saved:
    """What came of an import: facts that are new, that replaced others, and rows that were refused.

    `not_in_pool` are rows that were written though their number is not in the pool of their campaign.
    """

    added: int
    replaced: int
    problems: Sequence[Problem]
    not_in_pool: Sequence[int] = ()


class Refused(InvalidInput):
    """Some rows are wrong, and the good ones were not to be kept alone: nothing was written."""

    def __init__(self, problems: Sequence[Problem], good: int) -> None:
        first = problems[0]
        super().__init__(
            f"Nothing was written: {len(problems):,} of {len(problems) + good:,} rows are wrong. "
            f"Row {first.row:,}, {first.field}: {first.message}"
        )
        self.problems = problems


def check(
    session: Session,
    actor: Actor,
    rows: Sequence[Given],
    *,
    day_format: str = ISO,
    today: date | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Return which rows can be written; nothing is. *day_format* is how days that are texts are written."""
    require(actor, Permission.HEALTH_WRITE)
    scope = Scope(require_tenant(actor))
    reader = _Reader(session, scope, rows, day_format, today or days.today_of(session, actor))
    facts: list[Fact] = []
    problems: list[Problem] = []
    places: list[int] = []
    for at, row in enumerate(rows, start=1):
        try:
            facts.append(reader.read(at, row))
            places.append(at)
        except InvalidInput as exc:
            problems.append(Problem(at, exc.field, str(exc)))
        if progress and at % BATCH == 0:
            progress(at / len(rows))
    return Checked(facts, problems, places)


def save(
    session: Session,
    actor: Actor,
    rows: Sequence[Given],
    *,
    source: str,
    keep_good: bool = False,
    day_format: str = ISO,
    today: date | None = None,
    progress: Progress | None = None,
) -> Saved:
    """Check the rows and write them, each replacing what its campaign, number and day had before.

    All of them, or with *keep_good* those that are right, in one transaction with its audit event;
    *source* says there where they came from. Raises Refused when a row is wrong and *keep_good* is not said.
    """
    require(actor, Permission.HEALTH_WRITE)
    tenant_id = require_tenant(actor)
    checked = check(
        session,
        actor,
        rows,
        day_format=day_format,
        today=today,
        progress=progress and (lambda done: progress(done / 2)),
    )
    if checked.problems and not (keep_good and checked.facts):
        raise Refused(checked.problems, len(checked.facts))
    if not checked.facts:
        return Saved(0, 0, ())
    db.engine.start_write(session)
    first, last = min(fact.day for fact in checked.facts), max(fact.day for fact in checked.facts)
    before = db.health.count(session, Scope(tenant_id), first, last)
    pooled = db.health.pooled(session, Scope(tenant_id), {fact.campaign_id for fact in checked.facts})
    outside = [
        at
        for at, fact in zip(checked.rows, checked.facts, strict=True)
        if (fact.campaign_id, fact.number_id) not in pooled
    ]
    try:
        for start in range(0, len(checked.facts), BATCH):
            db.health.put(session, Scope(tenant_id), checked.facts[start : start + BATCH])
            if progress:
                progress(0.5 + start / len(checked.facts) / 2)
    except IntegrityError as exc:
        session.rollback()
        raise Conflict("A campaign or number was taken away meanwhile. Nothing was written; try again.") from exc
    added = db.health.count(session, Scope(tenant_id), first, last) - before
    saved = Saved(added, len(checked.facts) - added, checked.problems, outside)
    audit.record(
        session,
        actor,
        Action.HEALTH_IMPORT,
        Subject("health", None, source, tenant_id),
        after={
            "source": source,
            "added": saved.added,
            "replaced": saved.replaced,
            "refused": len(saved.problems),
            "first_day": first.isoformat(),
            "last_day": last.isoformat(),
        },
    )
    session.commit()
    return saved


class _Reader:
    """Reads rows of one tenant, knowing its campaigns and the numbers that the rows name."""

    def __init__(self, session: Session, scope: Scope, rows: Sequence[Given], day_format: str, today: date) -> None:
        self._day_format, self._today = day_format, today
        self._by_name, self._by_id = db.health.campaigns(session, scope)
        written = {text for text in (files.text(row.number) for row in rows) if text}
        self._spelled = {text: _spellings(text) for text in written}
        wanted = sorted({one for some in self._spelled.values() for one in some})
        self._numbers = db.health.numbers(session, scope, wanted)
        self._days: dict[object, date] = {}
        self._seen: dict[tuple[int, int, date], int] = {}

    def read(self, at: int, row: Given) -> Fact:
        """Return the fact in *row*. Raises InvalidInput with the field and the reason."""
        campaign_id, number_id, day = self._campaign(row.campaign), self._number(row.number), self._day(row.day)
        attempts, answered = _count("attempts", row.attempts), _count("answered", row.answered)
        if answered > attempts:
            raise InvalidInput(f"{answered:,} answered of {attempts:,} attempts cannot be.", field="answered")
        short = _count("short_calls", row.short_calls, 0)
        completed = _count("completed", row.completed, max(0, answered - short))
        for field, calls in (("completed", completed), ("short_calls", short)):
            if calls > answered:
                raise InvalidInput(f"{calls:,} of {answered:,} answered calls cannot be.", field=field)
        failed, spam = _count("failed", row.failed, 0), _count("spam_reports", row.spam_reports, 0)
        key = (campaign_id, number_id, day)
        if first := self._seen.get(key):
            raise InvalidInput(f"The same campaign, number and day as row {first:,}.", field="day")
        self._seen[key] = at
        return Fact(campaign_id, number_id, day, attempts, answered, completed, short, failed, spam)

    def _campaign(self, given: object) -> int:
        text = files.text(given)
        if not text:
            raise InvalidInput("No campaign is given.", field="campaign")
        found = self._by_name.get(text.casefold())
        if found is None and text.isascii() and text.isdigit() and int(text[:18]) in self._by_id:
            found = int(text)
        if found is None:
            raise InvalidInput(f"There is no campaign {text[:80]}.", field="campaign")
        return found

    def _number(self, given: object) -> int:
        text = files.text(given)
        if not text:
            raise InvalidInput("No number is given.", field="number")
        found = next((self._numbers[one] for one in self._spelled[text] if one in self._numbers), None)
        if found is None:
            files.expect_whole(text)
            raise InvalidInput(f"{text[:40]} is not a number of this tenant.", field="number")
        return found

    def _day(self, given: object) -> date:
        key = given if isinstance(given, str | date) else str(given or "")
        if key not in self._days:
            self._days[key] = _day(given, self._day_format, self._today)
        return self._days[key]


def _spellings(text: str) -> tuple[str, ...]:
    """Return how the number may stand on record: with its plus, also where a spreadsheet dropped it, or bare."""
    digits = "".join(_DIGITS.findall(text))
    if not digits or files.is_shortened(text):
        return ()
    if text.startswith("00") and not text.startswith("000"):
        return (f"+{digits[2:]}", digits)
    return (f"+{digits}",) if text.startswith("+") else (f"+{digits}", digits)


def _day(given: object, day_format: str, today: date) -> date:
    if isinstance(given, datetime):
        day = given.date()
    elif isinstance(given, date):
        day = given
    else:
        text = files.text(given)
        try:
            day = date.fromisoformat(text[:10]) if day_format == ISO else datetime.strptime(text, day_format).date()  # noqa: DTZ007
        except ValueError as exc:
            wanted = day_format.replace("%Y", "YYYY").replace("%m", "MM").replace("%d", "DD")
            raise InvalidInput(f"{text[:40] or 'Nothing'} is not a day written {wanted}.", field="day") from exc
    if day > today:
        raise InvalidInput(f"{day.isoformat()} is in the future.", field="day")
    if day.year < 2000:
        raise InvalidInput(f"{day.isoformat()} is too long ago.", field="day")
    return day


def _count(field: str, given: object, default: int | None = None) -> int:
    if type(given) is int:
        count = given
    else:
        text = files.text(given).replace("\u00a0", "")
        if not text:
            if default is not None:
                return default
            raise InvalidInput("This count is missing.", field=field)
        try:
            count = int(text)
        except ValueError as exc:
            raise InvalidInput(f"{text[:40]} is not a whole number.", field=field) from exc
    if not 0 <= count <= MOST:
        raise InvalidInput(
            f"{count:,} is negative." if count < 0 else f"More than {MOST:,} calls in a day cannot be.", field=field
        )
    return count
