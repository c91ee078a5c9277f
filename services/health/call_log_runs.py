"""Runs through a call log: whole days of the tenant, oldest first, each summed and written at once.

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
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial

import structlog

import db.base.engine
import db.base.named
import db.health.call_logs
import db.health.facts
from db.base.scope import Scope
from db.health.call_logs import Counts
from db.health.facts import Fact
from db.models import Connection
from providers.base import Provider
from providers.errors import ProviderError
from providers.records import AnsweredBy, CallRecord, CallStatus, Direction
from services.connections import provider_access
from services.core.errors import DatabaseUnavailable
from services.core.transactions import write
from services.health import call_logs
from services.health.call_logs import ONE_DAY
from services.text import days
from services.text.labels import amount

COMPLETED_SECONDS = 12

_UNDER_WAY = (CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS)
_OUR_FAULT = "Something went wrong on our side. It has been logged; continue, or tell your administrator."

_log = structlog.get_logger()


class Kind(StrEnum):
    """What a call counts as."""

    COMPLETED = "completed"
    SHORT = "short"
    MACHINE = "machine"
    UNANSWERED = "unanswered"
    FAILED = "failed"


@dataclass
class Day:
    """The calls of one day, added up page by page; the calls themselves are not kept.

    Those that are `under_way` are among the `not_dialed`, until they have ended.
    """

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


def read_day(connection_id: int, run: str) -> bool:
    """Read the next day of a run, or end the run; return whether there is more to do.

    It may be done again, by anybody and at any point: a day counts when it is written, which happens once.
    Raises DatabaseUnavailable, after which it can be tried again.
    """
    try:
        return _read_day(connection_id, run)
    except DatabaseUnavailable:
        raise
    except ProviderError as exc:
        call_logs.end(connection_id, run, str(exc))
    except Exception:  # ours: it is logged, and the reader can start the run again
        _log.exception("call_log.not_read", connection=connection_id, run=run)
        call_logs.end(connection_id, run, _OUR_FAULT)
    return False


def _read_day(connection_id: int, run: str) -> bool:
    with db.base.engine.open_session() as session:
        row = db.health.call_logs.find(session, Scope(None), connection_id)
        connection = db.base.named.find(session, Connection, Scope(None), connection_id)
    if row is None or connection is None or row.pull is None or row.pull.run != run or row.pull.ended_at:
        return False
    day = row.pull.done_until + ONE_DAY
    if day > call_logs.last_day(row.time_zone):
        call_logs.end(connection_id, run)
        return False
    if not row.is_active:
        call_logs.end(connection_id, run, f"{row.connection} was deactivated.")
        return False
    since, until = days.span(day, day, days.zone(row.time_zone))
    provider = provider_access.connect(connection)
    read = _ask(provider, since, until, connection_id, run)
    if read.under_way and datetime.now(UTC) - until < provider.longest_call:
        calls = f"{amount(read.under_way, 'call')} {'is' if read.under_way == 1 else 'are'}"
        call_logs.end(
            connection_id, run, f"On {day:%-d %b %Y}, {calls} still in progress. Continue once they have ended."
        )
        return False
    return _keep(connection_id, run, day, until, read)


def _ask(provider: Provider, since: datetime, until: datetime, connection_id: int, run: str) -> Day:
    """Return all the calls of a span, added up; say after each page that the run lives."""
    read, token = Day(), None
    while True:
        page = provider_access.patiently(partial(provider.calls_page, since, until, token=token))
        for call in page.rows:
            read.add(call)
        token = page.next_token
        if token is None:
            return read
        with write() as session:
            db.health.call_logs.beat(session, connection_id, run)


def _keep(connection_id: int, run: str, day: date, until: datetime, read: Day) -> bool:
    """Write the facts of a day together with that it was read, unless someone else has; return whether to go on."""
    with write() as session:
        pull = call_logs.mine(session, connection_id, run)
        if pull is None or pull.done_until >= day:
            return pull is not None
        scope = Scope(pull.tenant_id)
        places = db.health.facts.pools(session, scope, list(read.of_numbers), until)
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
        told = Counts(1, read.calls, added, len(facts) - added, read.inbound, read.not_dialed, **nowhere)
        pull.counts = Counts(**pull.counts).plus(told)._asdict()
        pull.done_until, pull.updated_at = day, datetime.now(UTC)
    return True


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
