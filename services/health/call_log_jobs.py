"""Jobs that read a call log: whole days of the tenant, oldest first, each summed and written at once.

What a call of one of our numbers counts as:

    completed, 12 s or longer    attempt, answered, completed
    completed, shorter           attempt, answered, short
    completed, by a machine      attempt: where the account looks for machines, and found one or a fax
    busy, no answer              attempt
    failed                       failed, which is no attempt: it never reached the carrier
    canceled, or never dialed    nothing
    inbound                      nothing: attempts are what a campaign dials, and who calls in may as well never
                                 have been called

Where the account does not look for machines, the log does not say who answered, and `answered` includes them; a fact
keeps of how many calls it was told. A fact that is there already came from somebody
who knew more, such as the dialer, and stays. The log names no campaign either: a call belongs to the one in whose
pool its number is, added on that day or before. With several pools or none it counts nowhere, and is told.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Self

from sqlmodel import Session

import db.base.engine
import db.base.named
import db.health.call_logs
import db.health.facts
from db.base.scope import Scope
from db.health.call_logs import Counts
from db.health.facts import Fact
from db.models import Connection, HealthPull, Job, JobItem, Outcome
from providers.base import Provider
from providers.records import AnsweredBy, CallRecord, CallStatus, Direction, pages
from services.audit import audit
from services.audit.audit import Action, Subject
from services.connections import provider_access
from services.core.access import Actor, Permission
from services.core.errors import Conflict, InvalidInput, NotFound
from services.jobs.drafts import Item
from services.jobs.kinds import JobKind
from services.text import days
from services.text.labels import amount

ONE_DAY = timedelta(days=1)
COMPLETED_SECONDS = 12

_UNDER_WAY = (CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS)


class Kind(StrEnum):
    """What a call counts as."""

    COMPLETED = "completed"
    SHORT = "short"
    MACHINE = "machine"
    UNANSWERED = "unanswered"
    FAILED = "failed"


@dataclass
class Day:
    """The calls of one day until its end, added up page by page; the calls themselves are not kept.

    Those that are `under_way` are among the `not_dialed`, until they have ended.
    """

    until: datetime
    calls: int = 0
    under_way: int = 0
    inbound: int = 0
    not_dialed: int = 0
    of_numbers: dict[str, Counter[Kind]] = field(default_factory=lambda: defaultdict(Counter))
    detected: Counter[str] = field(default_factory=Counter)

    def add(self, call: CallRecord) -> None:
        """Count one call."""
        self.calls += 1
        kind = _kind(call)
        if call.direction is Direction.INBOUND:
            self.inbound += 1
        elif kind is None:
            self.not_dialed += 1
            self.under_way += call.status in _UNDER_WAY
        else:
            self.of_numbers[call.from_number][kind] += 1
            if call.status is CallStatus.COMPLETED and call.answered_by is not None:
                self.detected[call.from_number] += 1


@dataclass(frozen=True)
class ReadingCallLog(JobKind):
    """Reads the call log of a connection. `read` has the calls of a day that was looked at, by the item's place."""

    read: Mapping[int, Day] = field(default_factory=dict)
    name = "read_call_log"
    title = "Read a call log"
    permission = Permission.HEALTH_WRITE
    at_once = 1
    noun = "day"
    heading = "Day"
    looks = True
    in_order = True
    only_reads = True

    def looking(self, job: Job, items: Sequence[JobItem]) -> Self:
        """Return the kind with all the calls of the next day.

        Raises ProviderProblem, NotFound, InvalidInput for an inactive connection, and Conflict for a day that is not
        over, or has calls under way.
        """
        return replace(self, read={item.place: _day_of(job, _day(item)) for item in items})

    def do(self, session: Session, _actor: Actor, job: Job, items: Sequence[JobItem]) -> None:
        """Write the facts of a day together with that it was read. Raises Conflict when the log is another one now."""
        for item in items:
            read, pull = self.read[item.place], _position(session, job)
            if pull is None or pull.done_until != _day(item) - ONE_DAY:
                raise Conflict("The account of this connection has changed, and with it the call log. Start again.")
            told = _keep(session, pull, _day(item), read)
            pull.counts = Counts(**pull.counts).plus(told)._asdict()
            pull.done_until = _day(item)
            item.outcome = Outcome.CHANGED if told.added else Outcome.UNCHANGED
            item.after = {name: n for name, n in told._asdict().items() if name == "calls" or (n and name != "days")}

    def end(self, session: Session, actor: Actor, job: Job) -> None:
        """Log what was read, unless the clock began it and nothing was."""
        pull = _position(session, job)
        connection = db.base.named.find(session, Connection, Scope(job.tenant_id), job.settings["connection_id"])
        if pull is None or connection is None:
            return
        counts = Counts(**pull.counts)
        if not counts.days and (job.problem is None or job.scheduled):
            return
        details: dict[str, object] = {"source": connection.name, **counts._asdict(), "problem": job.problem}
        if counts.days:
            details["first_day"] = (pull.done_until - (counts.days - 1) * ONE_DAY).isoformat()
            details["last_day"] = pull.done_until.isoformat()
        audit.record(
            session, actor, Action.HEALTH_PULL, Subject("health", None, connection.name, job.tenant_id), after=details
        )


READING = ReadingCallLog()


def last_day(time_zone: str) -> date:
    """Return the newest day that is over in a zone."""
    return days.today_in(time_zone) - ONE_DAY


def of_days(first: date, last: date) -> list[Item]:
    """Return an item for each day of a span."""
    span = [first + n * ONE_DAY for n in range((last - first).days + 1)]
    return [Item(f"{day:%-d %b %Y}", settings={"day": day.isoformat()}) for day in span]


def _day(item: JobItem) -> date:
    return date.fromisoformat(item.settings["day"])


def _position(session: Session, job: Job) -> HealthPull | None:
    """Return how far the log of a job was read, locked; None when it is another log now, or read by another job."""
    pull = db.health.call_logs.lock(session, job.settings["connection_id"])
    return pull if pull and pull.job_id == job.id else None


def _day_of(job: Job, day: date) -> Day:
    """Return the calls of a day, from the provider."""
    with db.base.engine.open_session() as session:
        row = db.health.call_logs.find(session, Scope(job.tenant_id), job.settings["connection_id"])
        connection = db.base.named.find(session, Connection, Scope(job.tenant_id), job.settings["connection_id"])
    if row is None or connection is None:
        raise NotFound("The connection was deleted.")
    if not row.is_active:
        raise InvalidInput(f"{row.connection} was deactivated.")
    if day > last_day(row.time_zone):
        raise Conflict(f"{day:%-d %b %Y} is not over yet in the tenant's time zone.")
    since, until = days.span(day, day, days.zone(row.time_zone))
    provider = provider_access.patient(connection, provider_access.FOR_JOB)
    read = _ask(provider, since, until)
    if read.under_way and datetime.now(UTC) - until < provider.longest_call:
        calls = f"{amount(read.under_way, 'call')} {'is' if read.under_way == 1 else 'are'}"
        raise Conflict(f"On {day:%-d %b %Y}, {calls} still in progress. Continue once they have ended.")
    return read


def _ask(provider: Provider, since: datetime, until: datetime) -> Day:
    """Return all the calls of a span, added up."""
    read = Day(until)
    for calls in pages(lambda token: provider.calls_page(since, until, token=token)):
        for call in calls:
            read.add(call)
    return read


def _keep(session: Session, pull: HealthPull, day: date, read: Day) -> Counts:
    """Write the facts of a day; return what it had."""
    scope = Scope(pull.tenant_id)
    places = db.health.facts.pools(session, scope, list(read.of_numbers), read.until)
    facts: list[Fact] = []
    nowhere: Counter[str] = Counter()
    for e164, kinds in read.of_numbers.items():
        pools = places.get(e164)
        if pools is not None and len(pools) == 1:
            facts.append(_fact(*next(iter(pools)), day, kinds, read.detected[e164]))
        else:
            nowhere[_why(pools)] += kinds.total()
    before = db.health.facts.count(session, scope, day, day)
    if facts:
        db.health.facts.put(session, pull.tenant_id, facts, replace=False)
    added = db.health.facts.count(session, scope, day, day) - before
    return Counts(1, read.calls, added, len(facts) - added, read.inbound, read.not_dialed, **nowhere)


def _kind(call: CallRecord) -> Kind | None:
    match call.status:
        case CallStatus.COMPLETED:
            if call.answered_by in (AnsweredBy.MACHINE, AnsweredBy.FAX):
                return Kind.MACHINE
            return Kind.COMPLETED if call.duration >= COMPLETED_SECONDS else Kind.SHORT
        case CallStatus.BUSY | CallStatus.NO_ANSWER:
            return Kind.UNANSWERED
        case CallStatus.FAILED:
            return Kind.FAILED
        case _:
            return None


def _fact(campaign_id: int, number_id: int, day: date, kinds: Counter[Kind], detected: int) -> Fact:
    answered = kinds[Kind.COMPLETED] + kinds[Kind.SHORT]
    return Fact(
        campaign_id,
        number_id,
        day,
        attempts=answered + kinds[Kind.MACHINE] + kinds[Kind.UNANSWERED],
        answered=answered,
        completed=kinds[Kind.COMPLETED],
        short_calls=kinds[Kind.SHORT],
        failed=kinds[Kind.FAILED],
        detected=detected,
        machines=kinds[Kind.MACHINE],
    )


def _why(pools: set[tuple[int, int]] | None) -> str:
    """Return which count has the calls of a number that is not in exactly one pool."""
    if pools is None:
        return "not_on_record"
    return "in_several_pools" if pools else "in_no_pool"
