"""Imports campaign health, by file or API: a row replaces what its campaign, number and day had."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, ClassVar, Self

from sqlmodel import Session

import db.connections
import db.health.facts
from db.base.scope import Scope
from db.health.facts import Fact
from services.audit.audit import Action
from services.core import validation
from services.core.access import Actor, Permission, require_tenant
from services.core.errors import InvalidInput
from services.jobs import imports
from services.jobs.imports import Field, ImportKind, Judged, Outcome, ReadRow, Result, Row, RowReader
from services.numbers import registration
from services.numbers.registration import Plan
from services.text import days, files, numbering, written_numbers
from services.text.days import DayOrder

MOST = 1_000_000
"""No number makes more calls in a day."""

NOT_IN_POOL = "The number is not in the pool of this campaign."


def _count(field: str, needed: bool, _reader: object, cell: object) -> int | None:
    found = validation.count(cell, field, MOST)
    if found is None and needed:
        raise InvalidInput("This count is missing.", field=field)
    return found


def _counts(name: str, *called: str, example: str = "", needed: bool = False) -> Field:
    title = name.replace("_", " ").capitalize()
    return Field(name, title, called, required=needed, example=example, read=partial(_count, name, needed))


FIELDS = (
    Field(
        "campaign",
        "Campaign",
        ("campaign name", "pool"),
        required=True,
        example="Spring renewals",
        read=lambda reader, cell: reader.campaign(cell),
    ),
    Field(
        "number",
        "Number",
        (*files.NUMBER_NAMES, "from", "from number"),
        required=True,
        example="+14155551212",
        read=lambda reader, cell: reader.number(cell),
    ),
    Field("day", "Day", ("date",), required=True, example="2026-03-09", read=lambda reader, cell: reader.day(cell)),
    _counts("attempts", "calls", "dialed", "dialled", "dials", example="41", needed=True),
    _counts("answered", "answers", "connected", example="12", needed=True),
    _counts("completed", example="9"),
    _counts("short_calls", example="3"),
    _counts("failed", "failed to connect", example="1"),
    _counts("spam_reports", "spam"),
)


@dataclass(frozen=True)
class HealthImport(ImportKind[Fact]):
    """An import of daily facts. `order` says what comes first in days that are not YYYY-MM-DD."""

    fields = FIELDS
    permission = Permission.HEALTH_WRITE
    action = Action.HEALTH_IMPORT
    subject = "health"
    most_rows = 1_000_000
    lost = "A campaign or number was removed in the meantime."
    counted: ClassVar[Mapping[str, Sequence[Outcome]]] = {
        "added": (Outcome.ADDED,),
        "replaced": (Outcome.REPLACED,),
        "refused": imports.WRONG,
    }

    order: DayOrder | None = None
    today: date | None = None

    @classmethod
    def chosen(cls, choices: Mapping[str, Any]) -> Self:
        """Return the import for which these *choices* were made."""
        order, today = choices["order"], choices["today"]
        return cls(DayOrder(order) if order else None, date.fromisoformat(today) if today else None)

    def reader(self, session: Session, actor: Actor, rows: Sequence[Row]) -> RowReader[Fact]:
        """Return a reader that knows the tenant's campaigns and the numbers that *rows* name."""
        today = self.today or days.today_of(session, actor)
        return _Reader(session, Scope(require_tenant(actor)), rows, self.order, today)

    def write(
        self, session: Session, actor: Actor, items: Sequence[Fact], job: int | None = None
    ) -> Sequence[int | None]:
        """Write facts, each in the place of the one that its campaign, number and day had."""
        db.health.facts.put(session, require_tenant(actor), items)
        return [fact.number_id for fact in items]

    def details(self, items: Sequence[Fact], before: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the days that facts are about."""
        days = [fact.day.isoformat() for fact in items]
        first, last = before.get("first_day", days[0]), before.get("last_day", days[0])
        return {"first_day": min(first, *days), "last_day": max(last, *days)}


class _Reader(RowReader[Fact]):
    """Reads rows of one tenant, knowing its campaigns and the numbers that the rows name."""

    def __init__(
        self, session: Session, scope: Scope, rows: Sequence[Row], order: DayOrder | None, today: date
    ) -> None:
        self._scope, self._order, self._today = scope, order, today
        self._campaigns = db.health.facts.campaigns(session, scope)
        self._by_name = validation.Named((name, id) for id, name in self._campaigns.items())
        self._numbers = _Numbers(session, scope, (files.text(row.get("number")) for row in rows))
        self._seen: dict[tuple[int, int, date], int] = {}

    def read(self, row: Row) -> ReadRow[Fact]:
        """Return the fact in *row*, or why there is none."""
        number = self._numbers.shown(files.text(row.get("number")))
        try:
            imports.understood(row)
            fact = _fact(**imports.values(FIELDS, self, row))
            first = self._seen.setdefault((fact.campaign_id, fact.number_id, fact.day), row.at)
            if first != row.at:
                raise InvalidInput(f"Duplicate of row {first:,}: same campaign, number and day.", field="day")
        except InvalidInput as exc:
            return ReadRow(row, number, problem=exc)
        return ReadRow(row, number, fact)

    def judge(self, session: Session, read: Sequence[ReadRow[Fact]]) -> list[Judged[Fact]]:
        """Return the outcome of each row; one whose number is not in the campaign's pool is written all the same."""
        facts = [row.item for row in read if row.item]
        here = db.health.facts.among(session, self._scope, facts)
        pooled = db.health.facts.pooled(session, self._scope, {fact.campaign_id for fact in facts})
        judged: list[Judged[Fact]] = []
        for row in read:
            if (fact := row.item) is None:
                judged.append((row.wrong(row.problem or InvalidInput("")), None))
                continue
            outcome = Outcome.REPLACED if (fact.campaign_id, fact.number_id, fact.day) in here else Outcome.ADDED
            field, why = ("", "") if (fact.campaign_id, fact.number_id) in pooled else ("number", NOT_IN_POOL)
            judged.append((Result(row.row.at, outcome, row.number, field, why, number_id=fact.number_id), fact))
        return judged

    def campaign(self, cell: object) -> int:
        """Return the id of the campaign that is named so, or has this id. Raises InvalidInput."""
        text = files.text(cell)
        if not text:
            raise InvalidInput("Campaign is missing.", field="campaign")
        found = self._by_name.find(text, "campaign")
        if found is None and (number := validation.as_whole(text)) in self._campaigns:
            found = number
        if found is None:
            raise InvalidInput(f"Campaign “{written_numbers.echo(text)}” not found.", field="campaign")
        return found

    def number(self, cell: object) -> int:
        """Return the id of the number that is written so. Raises InvalidInput."""
        return self._numbers.find(files.text(cell))

    def day(self, cell: object) -> date:
        """Return the day that is written so. Raises InvalidInput."""
        day = days.read(cell, self._order)
        if day > self._today:
            raise InvalidInput(f"{day.isoformat()} is in the future.", field="day")
        if day.year < 2000:
            raise InvalidInput(f"{day.isoformat()} is too long ago.", field="day")
        return day


def _fact(
    campaign: int,
    number: int,
    day: date,
    attempts: int,
    answered: int,
    completed: int | None,
    short_calls: int | None,
    failed: int | None,
    spam_reports: int | None,
) -> Fact:
    """Return a fact whose counts can be together; answered calls that are not short are completed."""
    if answered > attempts:
        raise InvalidInput(f"{answered:,} answered is more than {attempts:,} attempts.", field="answered")
    short = short_calls or 0
    if completed is None:
        completed = max(0, answered - short)
    for field, calls in (("completed", completed), ("short_calls", short)):
        if calls > answered:
            raise InvalidInput(f"{calls:,} is more than {answered:,} answered calls.", field=field)
    if completed + short > answered:
        raise InvalidInput(
            f"{completed:,} completed and {short:,} short calls are more than {answered:,} answered: "
            "a call is one or the other.",
            field="completed",
        )
    return Fact(campaign, number, day, attempts, answered, completed, short, failed or 0, spam_reports or 0)


class _Numbers:
    """The numbers of one tenant that rows name, as it has them on record, in any writing that its connections know."""

    def __init__(self, session: Session, scope: Scope, texts: Iterable[str]) -> None:
        plans = {registration.plan_of(row) for row in db.connections.choices(session, scope)}
        # Without a country more can be doubted: that counts only where no connection has one.
        known = sorted({plan for plan in plans if plan.default_country}) or [Plan()]
        self._read = {text: _Reading.of(text, known) for text in set(texts) if text}
        self._shown: dict[str, str] = {}
        wanted = {one for read in self._read.values() for one in (*read.numbers, *read.verbatim)}
        self._ids = db.health.facts.numbers(session, scope, sorted(wanted))

    def shown(self, text: str) -> str:
        """Return *text* as it is told to the reader."""
        if text not in self._shown:
            self._shown[text] = written_numbers.echo(text)
        return self._shown[text]

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
            words = " or ".join(numbering.display(one) for one in found)
            raise InvalidInput(
                f"{written_numbers.echo(text)} can be {words}. Write it with + and its country calling code.",
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
