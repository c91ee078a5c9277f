"""Jobs of every kind, each over a few numbers, and what must be so once one has ended, whoever died meanwhile."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

import db.health.call_logs
from db.models import AuditEvent, CampaignHealth, CampaignNumber, Connection, JobItem, Outcome, PhoneNumber, PoolStatus
from db.orders.comparisons import Section
from providers.sandbox.accounts import MAIN
from providers.sandbox.server import Sandbox
from providers.sandbox.store import OwnedSeed
from services.campaigns import bulk as pools
from services.campaigns import replacing
from services.health import call_logs
from services.health.health_import import HealthImport
from services.jobs import jobs
from services.numbers import bulk, moving, numbers
from services.numbers.bulk import Chosen
from services.numbers.number_import import NumberImport
from services.orders import bulk as ordered
from services.orders import comparisons, reconcile_jobs
from services.orders.orders import Configuration
from services.orders.reconcile import Drift
from services.setup import builder
from tests.conftest import World
from tests.world import importing, make, reconciling
from tests.world.working import finished

AMOUNT = 6
"""Items of a job that are to be changed."""


@dataclass(frozen=True)
class Begun:
    """A job that was started, how many items it is to change and to refuse, and what else must be so in the end."""

    job: int
    changed: int
    refused: int = 0
    holds: Callable[[], bool] = lambda: True


class Kinds:
    """Starts jobs of every kind, each over numbers that no other one is about."""

    def __init__(self, session: Session, world: World, sandbox: Sandbox) -> None:
        self.session, self.world, self.sandbox = session, world, sandbox
        self._fresh = count()
        self.campaign = builder.campaign(session, world.tenant, "Renewals").id
        session.commit()

    def all(self) -> dict[str, Callable[[], Begun]]:
        """Return what starts a job, by its kind."""
        edits = {name: lambda name=name: self._edit(name) for name in _VALUES}
        return {
            **edits,
            "undo": self._undo,
            "remove": self._remove,
            "move": self._move,
            "join a pool": self._join,
            "pool status": self._pool_status,
            "leave a pool": self._leave,
            "replace in a pool": self._replace,
            "restore to a pool": self._restore,
            "numbers by file": self._numbers_by_file,
            "health by file": self._health_by_file,
            "release": self._release,
            "webhooks": self._webhooks,
            "undo webhooks": self._undo_webhooks,
            "import": self._import,
            "reconcile": self._reconcile,
            "mark as released": self._mark_released,
            "take labels over": self._take_over,
            "send labels": self._send_labels,
            "call log": self._call_log,
        }

    def _start(self, job: int, typed: str = "") -> int:
        jobs.start(self.session, self.world.superadmin, job, typed)
        return job

    def _edit(self, name: str) -> Begun:
        """Change numbers, one of which somebody else has changed since the preview."""
        ids = self._numbers(AMOUNT + 1, tags=("north",))
        if name == "activate":
            self._finished(self._start(self._drafted("deactivate", ids)))
        draft = self._drafted(name, ids)
        row = numbers.get(self.session, self.world.superadmin, ids[-1])
        numbers.rename(self.session, self.world.superadmin, ids[-1], "Changed since", version=row.version)
        return Begun(self._start(draft), AMOUNT, 1)

    def _drafted(self, name: str, ids: list[int]) -> int:
        values = _VALUES[name](self.world)
        return bulk.draft(name, self.session, self.world.superadmin, Chosen(tuple(ids)), **values)

    def _undo(self) -> Begun:
        done = self._finished(self._edit("assign_agent").job)
        return Begun(jobs.undo(self.session, self.world.superadmin, done), AMOUNT)

    def _remove(self) -> Begun:
        ids = self._numbers(AMOUNT)
        draft = bulk.draft("remove", self.session, self.world.superadmin, Chosen(tuple(ids)))
        return Begun(self._start(draft, str(AMOUNT)), AMOUNT)

    def _move(self) -> Begun:
        ids = self._numbers(AMOUNT)
        e164s = self._e164s(ids)
        draft = moving.draft(
            self.session, self.world.superadmin, Chosen(tuple(ids)), connection_id=self.world.other_sip
        )

        def there() -> bool:
            arrived = sa.select(PhoneNumber.e164).where(
                PhoneNumber.tenant_id == self.world.other_tenant, PhoneNumber.e164.in_(e164s)
            )
            return sorted(self.session.scalars(arrived)) == e164s

        return Begun(self._start(draft, str(AMOUNT)), AMOUNT, holds=there)

    def _join(self) -> Begun:
        ids = self._numbers(AMOUNT)
        draft = pools.draft_join(self.session, self.world.superadmin, Chosen(tuple(ids)), campaign_id=self.campaign)
        return Begun(self._start(draft), AMOUNT, holds=lambda: self._pooled(ids) == AMOUNT)

    def _places(self) -> list[tuple[int, int]]:
        joined = self._join()
        self._finished(joined.job)
        ids = self.session.scalars(sa.select(JobItem.number_id).where(JobItem.job_id == joined.job))
        return [(self.campaign, number_id or 0) for number_id in ids]

    def _pool_status(self) -> Begun:
        draft = pools.draft_status(self.session, self.world.superadmin, self._places(), PoolStatus.PAUSED)
        return Begun(self._start(draft), AMOUNT)

    def _leave(self) -> Begun:
        places = self._places()
        draft = pools.draft_leave(self.session, self.world.superadmin, places)
        return Begun(self._start(draft), AMOUNT, holds=lambda: self._pooled([one for _, one in places]) == 0)

    def _restore(self) -> Begun:
        left = self._finished(self._leave().job)
        return Begun(jobs.undo(self.session, self.world.superadmin, left), AMOUNT)

    def _replace(self) -> Begun:
        places = self._places()
        self._numbers(AMOUNT)  # spare ones, like those of other rounds
        draft = replacing.draft(self.session, self.world.superadmin, places)
        tired = {number_id for _, number_id in places}
        chosen = self.session.scalars(sa.select(JobItem.number_id).where(JobItem.job_id == draft))
        spares = [number_id for number_id in chosen if number_id and number_id not in tired]

        def switched() -> bool:
            return (self._pooled(spares), self._pooled(list(tired))) == (AMOUNT, 0)

        return Begun(self._start(draft), 2 * AMOUNT, holds=switched)

    def _numbers_by_file(self) -> Begun:
        e164s = self._free(AMOUNT)
        rows = "\n".join(["Phone,Trunk", *(f"{e164},SIP" for e164 in e164s)]).encode()
        draft = importing.draft_of(self.session, self.world.superadmin, NumberImport(), rows, "moved.csv")

        def once() -> bool:
            found = self.session.scalars(sa.select(PhoneNumber.e164).where(PhoneNumber.e164.in_(e164s)))
            return sorted(found) == sorted(e164s)

        return Begun(self._start(draft), AMOUNT, holds=once)

    def _health_by_file(self) -> Begun:
        places = self._places()
        day = (datetime.now(UTC) - timedelta(days=2)).date()
        e164s = self._e164s([number_id for _, number_id in places])
        lines = [f"Renewals,{e164},{day},10,4,3,1" for e164 in e164s]
        rows = "\n".join(["Campaign,Number,Day,Attempts,Answered,Completed,Failed", *lines]).encode()
        draft = importing.draft_of(self.session, self.world.superadmin, HealthImport(), rows, "health.csv")

        def once() -> bool:
            ids = [number_id for _, number_id in places]
            found = self.session.execute(
                sa.select(CampaignHealth.number_id, CampaignHealth.attempts).where(CampaignHealth.number_id.in_(ids))
            ).all()
            return sorted(found) == sorted((one, 10) for one in ids)

        return Begun(self._start(draft), AMOUNT, holds=once)

    def _release(self) -> Begun:
        ids = self._managed(AMOUNT)
        sids = self._sids(ids)
        draft = ordered.draft_release(self.session, self.world.superadmin, Chosen(tuple(ids)))
        return Begun(self._start(draft, str(AMOUNT)), AMOUNT, holds=lambda: self._all_left(sids))

    def _webhooks(self) -> Begun:
        ids = self._managed(AMOUNT)
        sids = self._sids(ids)
        draft = ordered.draft_webhooks(self.session, self.world.superadmin, Chosen(tuple(ids)))
        return Begun(self._start(draft), AMOUNT, holds=lambda: all(self._url_of(sid) == _OURS for sid in sids))

    def _undo_webhooks(self) -> Begun:
        done = self._webhooks()
        undoing = jobs.undo(self.session, self.world.superadmin, self._finished(done.job))
        return Begun(undoing, AMOUNT, holds=lambda: not done.holds())

    def _import(self) -> Begun:
        found = self._compared(self._held(AMOUNT))
        draft = ordered.draft_import(
            self.session,
            self.world.superadmin,
            self.world.twilio,
            [row.number for row in found.only_there],
            Configuration(),
        )
        return Begun(self._start(draft), AMOUNT)

    def _reconcile(self) -> Begun:
        e164s = self._held(AMOUNT)
        job = comparisons.start(self.session, self.world.superadmin, self.world.twilio, matching=e164s[0][:-3])

        def each_once() -> bool:
            rows = comparisons.rows(self.session, self.world.superadmin, job, Section.ONLY_THERE)
            return sorted(row.e164 for row in rows) == e164s

        return Begun(job, 0, holds=each_once)

    def _mark_released(self) -> Begun:
        ids = self._managed(AMOUNT)
        with self.sandbox.store.writing() as store:
            for sid in self._sids(ids):
                store.execute("DELETE FROM owned WHERE sid = ?", (sid,))
        found = self._compared(self._e164s(ids))
        draft = reconcile_jobs.draft_released(self.session, self.world.superadmin, found.only_here, "Left")
        return Begun(self._start(draft), AMOUNT)

    def _take_over(self) -> Begun:
        draft = reconcile_jobs.draft_take_over(self.session, self.world.superadmin, self._renamed(), "Twilio")
        return Begun(self._start(draft), AMOUNT)

    def _send_labels(self) -> Begun:
        drifts = self._renamed()
        draft = reconcile_jobs.draft_labels(self.session, self.world.superadmin, drifts, "Twilio")

        def sent() -> bool:
            at_twilio = reconciling.at_twilio(self.session, self.world)
            there = (at_twilio.find_owned_sid(drift.number.sid) for drift in drifts)
            return {one.label for one in there if one} == {"Ours"}

        return Begun(self._start(draft), AMOUNT, holds=sent)

    def _call_log(self) -> Begun:
        """Read days whose calls belong to no number on record, anew each time."""
        db.health.call_logs.forget(self.session, self.world.twilio)
        self.session.commit()
        last = datetime.now(UTC).date() - timedelta(days=1)
        first = last - timedelta(days=AMOUNT - 1)
        job = call_logs.begin(self.session, self.world.superadmin, self.world.twilio, first_day=first)

        def all_days() -> bool:
            log = call_logs.get(self.session, self.world.superadmin, self.world.twilio)
            return (log.read_until, log.counts.days) == (last, AMOUNT)

        return Begun(job, 0, holds=all_days)

    def _renamed(self) -> list[Drift]:
        """Return numbers that have another label here than in the account."""
        ids = self._managed(AMOUNT, label="Theirs")
        for number_id in ids:
            row = numbers.get(self.session, self.world.superadmin, number_id)
            numbers.rename(self.session, self.world.superadmin, number_id, "Ours", version=row.version)
        return self._compared(self._e164s(ids)).label

    def _compared(self, e164s: list[str]) -> reconciling.Found:
        return reconciling.compared(self.session, self.world, e164s[0][:-3], self.world.superadmin)

    def _finished(self, job: int) -> int:
        done = finished(self.session, self.world.superadmin, job)
        assert done.changed, done
        return job

    def _free(self, amount: int) -> list[str]:
        return [f"+1415{next(self._fresh) + 5_560_000:07d}" for _ in range(amount)]

    def _numbers(self, amount: int, **fields: Any) -> list[int]:
        return [make.number(self.session, self.world, e164, **fields) for e164 in self._free(amount)]

    def _held(self, amount: int) -> list[str]:
        """Have the account hold numbers that begin alike and as no others do."""
        begin = f"+1762{next(_areas):04d}"
        e164s = [f"{begin}{n:03d}" for n in range(amount)]
        self.sandbox.seed_owned([OwnedSeed(e164, MAIN.sid, sid=f"PN{int(e164[1:]):032x}") for e164 in e164s])
        return e164s

    def _managed(self, amount: int, label: str = "") -> list[int]:
        """Put numbers on record that the account holds."""
        begin = f"+1762{next(_areas):04d}"
        e164s = [f"{begin}{n:03d}" for n in range(amount)]
        seeds = [OwnedSeed(e164, MAIN.sid, label=label, sid=f"PN{int(e164[1:]):032x}") for e164 in e164s]
        self.sandbox.seed_owned(seeds)
        connection = self.session.get_one(Connection, self.world.twilio)
        known: dict[str, Any] = {"is_managed": True, "country": "US", "label": label}
        ids = [
            builder.number(self.session, self.world.tenant, seed.e164, connection, provider_sid=seed.sid, **known).id
            for seed in seeds
        ]
        self.session.commit()
        return ids

    def _e164s(self, ids: list[int]) -> list[str]:
        return sorted(self.session.scalars(sa.select(PhoneNumber.e164).where(PhoneNumber.id.in_(ids))))

    def _sids(self, ids: list[int]) -> list[str]:
        found = self.session.scalars(sa.select(PhoneNumber.provider_sid).where(PhoneNumber.id.in_(ids)))
        return [sid for sid in found if sid]

    def _pooled(self, ids: list[int]) -> int:
        some = (
            sa.select(sa.func.count())
            .select_from(CampaignNumber)
            .where(CampaignNumber.number_id.in_(ids), CampaignNumber.pool_status != PoolStatus.REMOVED)
        )
        return self.session.scalar(some) or 0

    def _all_left(self, sids: list[str]) -> bool:
        at_twilio = reconciling.at_twilio(self.session, self.world)
        return not any(at_twilio.find_owned_sid(sid) for sid in sids)

    def _url_of(self, sid: str) -> str:
        there = reconciling.at_twilio(self.session, self.world).find_owned_sid(sid)
        return there.webhooks.voice_url if there else ""


def verdict(session: Session, begun: Begun) -> Iterator[str]:
    """Yield what is wrong with a job that has ended: what it lost, what it did twice, what nobody can explain."""
    session.rollback()
    items = session.scalars(sa.select(JobItem).where(JobItem.job_id == begun.job)).all()
    outcomes = Counter(item.outcome for item in items)
    open_ones = outcomes[Outcome.WAITING] + outcomes[Outcome.ORDERED]
    if open_ones:
        yield f"lost: {open_ones} items without an outcome"
    if (outcomes[Outcome.CHANGED], outcomes[Outcome.REFUSED]) != (begun.changed, begun.refused):
        yield f"unexplained: {dict(outcomes)}, {[item.reason for item in items if item.reason][:2]}"
    events = session.scalars(sa.select(AuditEvent).where(AuditEvent.subject_type == "number"))
    of_each = Counter(event.subject_id for event in events if event.after.get("job") == begun.job)
    if any(n > 1 for n in of_each.values()):
        yield f"twice: {of_each.most_common(1)}"
    orders = Counter(item.order_id for item in items if item.order_id)
    if any(n > 1 for n in orders.values()):
        yield f"twice: one order of {orders.most_common(1)}"
    if not begun.holds():
        yield "unexplained: what it was to bring about is not so"


_areas = count(1000)
"""Where the account's numbers begin: each only once in a process, as the sandbox has them."""

_OURS = "https://voice.example.com/in"
_VALUES: dict[str, Callable[[World], dict[str, object]]] = {
    "activate": lambda _: {},
    "deactivate": lambda _: {"reason": "Quiet season"},
    "assign_agent": lambda world: {"agent_id": world.second_agent},
    "restrict_inbound": lambda _: {"countries": ("US",)},
    "restrict_outbound": lambda _: {"countries": ("US", "CA")},
    "add_tags": lambda _: {"tags": ("south",)},
    "remove_tags": lambda _: {"tags": ("north",)},
    "set_connection": lambda world: {"connection_id": world.exotel, "provider_fields": {}},
}
