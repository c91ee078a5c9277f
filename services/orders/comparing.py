"""The job that compares an account with the records of its connection, a page of the account at a time.

It writes nothing about numbers: its items are the numbers that it has compared, and in the end those that differ.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from sqlmodel import Session

import db.base.engine
import db.base.named
import db.jobs.queries
import db.orders.comparisons
import db.orders.queries
import db.orders.reconcile
from db.base.scope import Scope
from db.models import Connection, Job, JobItem, JobState, Outcome
from db.orders.comparisons import KIND, Section
from providers.errors import ProviderMisconfigured
from providers.records import OwnedNumber, Page, Webhooks
from services.connections import provider_access
from services.core.access import Actor, Permission, require
from services.core.credentials import KeyProblem
from services.core.errors import InvalidInput
from services.jobs import drafts
from services.jobs.drafts import Item
from services.jobs.kinds import JobKind
from services.orders import reconcile, resync, webhook_orders
from services.text import labels
from services.text.labels import amount

_FIELDS = {"Label": "label", "SID": "provider_sid", **{name: field for field, name in webhook_orders.NAMES.items()}}
"""What the log calls the values that are compared, by the names that readers see."""

KEPT = timedelta(days=90)
"""How long what a comparison has found is kept."""


@dataclass(frozen=True)
class Comparing(JobKind):
    """Compares an account. It knows the `page` that it has read, the one after that which `token` ended."""

    page: Page[OwnedNumber] | None = None
    token: str | None = None

    name = KIND
    title = "Reconcile"
    permission = Permission.NUMBERS_RECONCILE
    sees = Permission.NUMBERS_RECONCILE
    looks = True
    grows = True
    in_order = True
    only_reads = True

    def looking(self, job: Job, items: Sequence[JobItem]) -> Self:
        """Return the kind with the next page of the account. Raises a ServiceError when it cannot be read."""
        if job.settings["is_read"]:
            return self
        connection_id, token = job.settings["connection_id"], job.settings["token"]
        with db.base.engine.open_session() as session:
            connection = db.base.named.find(session, Connection, Scope(job.tenant_id), connection_id)
        if connection is None or not connection.is_active:
            raise InvalidInput("The connection was deactivated. Nothing was compared to the end.")
        try:
            provider = provider_access.patient(connection, provider_access.FOR_JOB)
        except (KeyProblem, ProviderMisconfigured) as exc:
            raise InvalidInput(str(exc)) from exc
        return replace(self, page=provider.owned_page(matching=job.settings["matching"], token=token), token=token)

    def do(self, session: Session, actor: Actor, job: Job, items: Sequence[JobItem]) -> None:
        """Have nothing to do: no item of a comparison waits."""

    def grow(self, session: Session, actor: Actor, job: Job) -> bool:
        """Write down how the numbers of the page that was read compare; in the end, what the account does not have."""
        require(actor, self.permission)
        if job.settings["is_read"]:
            _finish(session, job)
            return False
        if self.page is not None and self.token == job.settings["token"]:  # else another process has written it
            _compare(session, job, self.page)
        return True

    def end(self, session: Session, actor: Actor, job: Job) -> None:
        """Make a comparison of the whole account the last one of its connection; keep nothing of half a one."""
        if job.state is not JobState.DONE:
            db.jobs.queries.drop_items(session, job.id)
            return
        connection_id, now = job.settings["connection_id"], datetime.now(UTC)
        db.orders.comparisons.drop_old(session, job.tenant_id, connection_id, now - KEPT)
        if job.settings["matching"]:
            return
        connection = db.base.named.lock(session, Connection, Scope(job.tenant_id), connection_id)
        if connection is not None:
            connection.compared_job_id, connection.compared_at = job.id, now


COMPARING = Comparing()


def begin_settings(connection_id: int, matching: str) -> dict[str, Any]:
    """Return the settings with which a comparison begins."""
    counts = dict.fromkeys(("held", "on_record", "same", "elsewhere", "different"), 0)
    return {"connection_id": connection_id, "matching": matching, "token": None, "is_read": False, **counts}


def _compare(session: Session, job: Job, page: Page[OwnedNumber]) -> None:
    """Give each number of a page an item."""
    scope, settings = Scope(job.tenant_id), dict(job.settings)
    if page.next_token is not None and page.next_token == settings["token"]:
        raise InvalidInput("The provider lists the same numbers again and again. Nothing was compared to the end.")
    # A number that was bought meanwhile moves the others, so that one may come twice.
    before = db.orders.comparisons.known(session, job.id, [number.e164 for number in page.rows])
    fresh = list({number.e164: _storable(number) for number in page.rows if number.e164 not in before}.values())
    records = db.orders.reconcile.among(session, scope, [number.e164 for number in fresh])
    unknown = [number.e164 for number in fresh if number.e164 not in records]
    taken = db.orders.reconcile.held_by_anybody(session, unknown)
    ordered = db.orders.queries.open_numbers(session)
    items = []
    for number in fresh:
        record = records.get(number.e164)
        if record is None:
            why_not = reconcile.why_not(number.e164, taken, ordered)
            only = {Section.ONLY_THERE: {"label": resync.label_of(number), "why_not": why_not}}
            items.append(_item(number.e164, only, number, reason=labels.SECTION[Section.ONLY_THERE]))
        elif record.connection_id != settings["connection_id"] or not record.is_managed:
            settings["elsewhere"] += 1
            items.append(Item(number.e164, record.id, outcome=Outcome.UNCHANGED))
        elif differing := resync.compared(record, number):
            item = _item(number.e164, reconcile.by_section(differing), number, record)
            item.before = {_FIELDS[one.name]: one.ours for one in differing}
            item.after = {_FIELDS[one.name]: one.theirs for one in differing}
            items.append(item)
        else:
            settings["same"] += 1
            items.append(Item(number.e164, record.id, outcome=Outcome.UNCHANGED))
    settings["held"] += len(fresh)
    settings["token"], settings["is_read"] = page.next_token, page.next_token is None
    _keep(session, job, settings, items)


def _finish(session: Session, job: Job) -> None:
    """Add what is on record and not in the account, and keep only what differs."""
    settings, items = dict(job.settings), []
    theirs = db.orders.comparisons.compared(session, job.id)
    scope, connection_id = Scope(job.tenant_id), settings["connection_id"]
    began = job.started_at or job.created_at  # what was added since may be on a page that was read before
    for record in db.orders.reconcile.managed(session, scope, connection_id, began, settings["matching"]):
        settings["on_record"] += 1
        if record.e164 not in theirs:
            only = {Section.ONLY_HERE: {"label": record.label}}
            items.append(_item(record.e164, only, None, record, reason=labels.SECTION[Section.ONLY_HERE]))
    _keep(session, job, settings, items)
    db.orders.comparisons.drop_same(session, job.id)
    different = settings["different"]
    differ = "1 number differs" if different == 1 else f"{amount(different, 'number')} differ"
    job.title = f"{job.title}: {differ}"[:200]


def _storable(number: OwnedNumber) -> OwnedNumber:
    """Return a number without what no database stores: half of a character, and the one that is nothing."""

    def clean(text: str) -> str:
        return text.replace("\x00", "").encode("utf-8", "replace").decode()

    webhooks = Webhooks(**{name: clean(value) for name, value in asdict(number.webhooks).items()})
    return replace(number, label=clean(number.label), webhooks=webhooks)


def _keep(session: Session, job: Job, settings: dict[str, Any], items: Sequence[Item]) -> None:
    drafts.add(session, job, items)
    settings["different"] += sum(item.outcome is Outcome.DIFFERENT for item in items)
    job.settings = settings
    job.total = job.done = job.total + len(items)


def _item(
    e164: str,
    differences: dict[Section, Any],
    there: OwnedNumber | None,
    record: db.orders.reconcile.Record | None = None,
    *,
    reason: str = "",
) -> Item:
    item = Item(e164, record.id if record else None, record.version if record else None, Outcome.DIFFERENT, reason)
    item.settings = reconcile.settings_of(differences, there)
    return item
