"""Campaign health comes in: rows are checked one by one, and written in one transaction or not at all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

import db.base.engine
import db.connections
import db.health.facts
import db.people.tenants
from db.base.scope import Scope
from db.health.facts import COUNTS, Fact
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, InvalidInput
from services.numbers import registration
from services.numbers.registration import Plan
from services.text import days, files, numbering, written_numbers
from services.text.days import DayOrder

__all__ = ["COUNTS", "Checked", "Given", "Problem", "Saved", "check", "save"]

MOST = 1_000_000
"""No number makes more calls in a day."""
BATCH = 5_000

Progress = Callable[[float], object]


class Given(NamedTuple):
    """One row as it came: whatever a file or a program wrote. A count that is not given is None or empty.

    `row` is its number in the file, and `problem` why the file's reader could not make sense of it.
    """

    campaign: object
    number: object
    day: object
    attempts: object
    answered: object
    completed: object = None
    short_calls: object = None
    failed: object = None
    spam_reports: object = None
    row: int | None = None
    problem: str = ""


@dataclass(frozen=True)
class Problem:
    """Why a row was refused. Rows count as in the file, or from 1."""

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
            f"Nothing was written: {len(problems):,} of {len(problems) + good:,} rows are invalid. Row {first.row:,}, "
            f"{first.field}: {first.message}"
        )
        self.problems = problems


def check(
    session: Session,
    actor: Actor,
    rows: Sequence[Given],
    *,
    order: DayOrder | None = None,
    today: date | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Return which rows can be written; nothing is. *order* says what comes first in days that are not YYYY-MM-DD."""
    require(actor, Permission.HEALTH_WRITE)
    scope = Scope(require_tenant(actor))
    reader = _Reader(session, scope, rows, order, today or days.today_of(session, actor))
    facts: list[Fact] = []
    problems: list[Problem] = []
    places: list[int] = []
    for at, row in enumerate(rows, start=1):
        try:
            if row.problem:
                raise InvalidInput(row.problem, field="cells")
            facts.append(reader.read(row.row or at, row))
            places.append(row.row or at)
        except InvalidInput as exc:
            problems.append(Problem(row.row or at, exc.field, str(exc)))
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
    order: DayOrder | None = None,
    today: date | None = None,
    progress: Progress | None = None,
) -> Saved:
    """Check the rows and write them, each replacing what its campaign, number and day had before.

    All of them, or with *keep_good* those that are right, in one transaction with its audit event;
    *source* says there where they came from. *progress* hears of the checking alone: what it does may end the caller,
    and nothing may end a transaction that writes. Raises Refused when a row is wrong and *keep_good* is not said.
    """
    require(actor, Permission.HEALTH_WRITE)
    tenant_id = require_tenant(actor)
    checked = check(
        session,
        actor,
        rows,
        order=order,
        today=today,
        progress=progress,
    )
    if checked.problems and not (keep_good and checked.facts):
        raise Refused(checked.problems, len(checked.facts))
    if not checked.facts:
        return Saved(0, 0, ())
    db.base.engine.start_write(session)
    first, last = min(fact.day for fact in checked.facts), max(fact.day for fact in checked.facts)
    before = db.health.facts.count(session, Scope(tenant_id), first, last)
    pooled = db.health.facts.pooled(session, Scope(tenant_id), {fact.campaign_id for fact in checked.facts})
    outside = [
        at
        for at, fact in zip(checked.rows, checked.facts, strict=True)
        if (fact.campaign_id, fact.number_id) not in pooled
    ]
    try:
        for start in range(0, len(checked.facts), BATCH):
            db.health.facts.put(session, Scope(tenant_id), checked.facts[start : start + BATCH])
    except IntegrityError as exc:
        session.rollback()
        raise Conflict("A campaign or number was removed in the meantime. Nothing was written; try again.") from exc
    added = db.health.facts.count(session, Scope(tenant_id), first, last) - before
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

    def __init__(
        self, session: Session, scope: Scope, rows: Sequence[Given], order: DayOrder | None, today: date
    ) -> None:
        self._order, self._today = order, today
        self._campaigns = db.health.facts.campaigns(session, scope)
        self._by_name = validation.Named((name, id) for id, name in self._campaigns.items())
        self._numbers = _Numbers(session, scope, (files.text(row.number) for row in rows))
        self._days: dict[object, date] = {}
        self._seen: dict[tuple[int, int, date], int] = {}

    def read(self, at: int, row: Given) -> Fact:
        """Return the fact in *row*. Raises InvalidInput with the field and the reason."""
        campaign_id, number_id = self._campaign(row.campaign), self._numbers.find(files.text(row.number))
        day = self._day(row.day)
        attempts, answered = _count("attempts", row.attempts), _count("answered", row.answered)
        if answered > attempts:
            raise InvalidInput(f"{answered:,} answered is more than {attempts:,} attempts.", field="answered")
        short = _count("short_calls", row.short_calls, 0)
        completed = _count("completed", row.completed, max(0, answered - short))
        for field, calls in (("completed", completed), ("short_calls", short)):
            if calls > answered:
                raise InvalidInput(f"{calls:,} is more than {answered:,} answered calls.", field=field)
        if completed + short > answered:
            raise InvalidInput(
                f"{completed:,} completed and {short:,} short calls are more than {answered:,} answered: "
                "a call is one or the other.",
                field="completed",
            )
        failed, spam = _count("failed", row.failed, 0), _count("spam_reports", row.spam_reports, 0)
        key = (campaign_id, number_id, day)
        if first := self._seen.get(key):
            raise InvalidInput(f"Duplicate of row {first:,}: same campaign, number and day.", field="day")
        self._seen[key] = at
        return Fact(campaign_id, number_id, day, attempts, answered, completed, short, failed, spam)

    def _campaign(self, given: object) -> int:
        text = files.text(given)
        if not text:
            raise InvalidInput("Campaign is missing.", field="campaign")
        found = self._by_name.find(text, "campaign")
        if found is None and (number := validation.as_whole(text)) in self._campaigns:
            found = number
        if found is None:
            raise InvalidInput(f"Campaign “{written_numbers.echo(text)}” not found.", field="campaign")
        return found

    def _day(self, given: object) -> date:
        key = given if isinstance(given, str | date) else str(given or "")
        if key not in self._days:
            self._days[key] = _day(given, self._order, self._today)
        return self._days[key]


class _Numbers:
    """The numbers of one tenant that rows name, as it has them on record, in any writing that its connections know."""

    def __init__(self, session: Session, scope: Scope, texts: Iterable[str]) -> None:
        plans = {registration.plan_of(row) for row in db.connections.choices(session, scope)}
        # Without a country more can be doubted: that counts only where no connection has one.
        known = sorted({plan for plan in plans if plan.default_country}) or [Plan()]
        self._read = {text: _Reading.of(text, known) for text in set(texts) if text}
        wanted = {one for read in self._read.values() for one in (*read.numbers, *read.verbatim)}
        self._ids = db.health.facts.numbers(session, scope, sorted(wanted))

    def find(self, text: str) -> int:
        """Return the id of the one number that *text* is. Raises InvalidInput with the reason when it is none."""
        if not text:
            raise InvalidInput("Number is missing.", field="number")
        read = self._read[text]
        same = [one for one in read.verbatim if one in self._ids]
        found = [one for one in read.numbers if one in self._ids]
        if same and (read.has_plus or not (read.numbers or read.doubt)):
            return self._ids[same[0]]
        if read.doubt:
            raise read.doubt
        if len(found) > 1:
            told = " or ".join(numbering.display(one) for one in found)
            raise InvalidInput(
                f"{written_numbers.echo(text)} can be {told}. Write it with + and its country calling code.",
                field="number",
            )
        if found:
            return self._ids[found[0]]
        if read.refusal and not read.numbers:
            raise read.refusal
        raise InvalidInput(f"{written_numbers.echo(text)} is not one of this tenant's numbers.", field="number")


@dataclass(frozen=True)
class _Reading:
    """What a text can be: `numbers` by the plans, `verbatim` as what a provider holds may be on record all the same."""

    numbers: tuple[str, ...]
    verbatim: tuple[str, ...] = ()
    has_plus: bool = False
    doubt: InvalidInput | None = None
    refusal: InvalidInput | None = None

    @classmethod
    def of(cls, text: str, plans: Sequence[Plan]) -> "_Reading":
        try:
            written = written_numbers.written(text)
        except InvalidInput as exc:
            return cls((), refusal=exc)
        numbers: dict[str, None] = {}
        doubt = refusal = None
        for plan in plans:
            try:
                numbers[numbering.read(text, default_country=plan.default_country, national=plan.national).e164] = None
            except numbering.Doubtful as exc:
                doubt = exc
            except InvalidInput as exc:
                refusal = exc
        verbatim = (f"+{written.digits}",) if written.has_plus else (f"+{written.digits}", written.digits)
        return cls(tuple(numbers), verbatim, written.has_plus, doubt, refusal)


def _day(given: object, order: DayOrder | None, today: date) -> date:
    day = days.read(given, order)
    if day > today:
        raise InvalidInput(f"{day.isoformat()} is in the future.", field="day")
    if day.year < 2000:
        raise InvalidInput(f"{day.isoformat()} is too long ago.", field="day")
    return day


def _count(field: str, given: object, default: int | None = None) -> int:
    found = validation.count(given, field, MOST)
    if found is None and default is None:
        raise InvalidInput("This count is missing.", field=field)
    return found if found is not None else default or 0
