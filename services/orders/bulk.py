"""Orders for many numbers: each is previewed with the others, placed by a job, and driven like any other order."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain

from sqlmodel import Session

import db.base.named
import db.orders.queries
import db.orders.reconcile
from db.base.scope import Scope
from db.models import Connection, Job, JobItem, OrderState, Outcome
from db.numbers.rows import NumberRow
from providers.base import Capability
from providers.records import OwnedNumber, Webhooks, pages
from services.connections import provider_access
from services.connections.connections import provider_named
from services.core import validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict, InvalidInput, ServiceError
from services.core.transactions import reading
from services.jobs import drafts
from services.jobs.drafts import Item
from services.jobs.kinds import JobKind, refuse
from services.numbers import bulk, numbers
from services.numbers.bulk import Chosen
from services.orders import orders, reconcile, resync, sids, webhook_orders
from services.orders.orders import Configuration
from services.text import labels

_CONNECTION_CHANGED = "The webhooks of the connection have changed since. The number was left as it is."
_NOT_IN_ACCOUNT = "The provider's account does not hold this number."


class Ordering(JobKind):
    """Jobs that place an order for each number and wait until it is settled."""

    at_once = 32

    @abstractmethod
    def place(self, session: Session, actor: Actor, job: Job, item: JobItem) -> int:
        """Place the order for an item and return its id."""

    def do(self, session: Session, actor: Actor, job: Job, items: Sequence[JobItem]) -> None:
        """Place the orders for *items*; one that is refused costs no other."""
        require(actor, self.permission)
        for item in items:
            try:
                item.order_id = self.place(session, actor, job, item)
            except ServiceError as exc:
                refuse(item, exc)
            else:
                item.outcome = Outcome.ORDERED

    def follow(self, session: Session, items: Sequence[JobItem]) -> None:
        """Note what became of the orders."""
        found = db.orders.queries.outcomes(session, [item.order_id for item in items if item.order_id])
        for item in items:
            state, problem, number_id = found[item.order_id or 0]
            if state is OrderState.CONFIRMED:
                item.outcome, item.number_id = Outcome.CHANGED, number_id
            elif state is OrderState.FAILED:
                refuse(item, problem or "The order failed.")


class Releasing(Ordering):
    """Releases managed numbers at their providers."""

    name, title, verb = "release", "Release", "Release"
    permission = Permission.NUMBERS_RELEASE
    confirmed = True
    ends_costs = True
    note = (
        "They leave their campaigns, and billing at the provider ends. A number can be bought back from its page for "
        "as long as the provider keeps it."
    )

    def place(self, session: Session, actor: Actor, _job: Job, item: JobItem) -> int:
        """Place the order to release a number that is as it was previewed."""
        version = item.version or 0
        return orders.place_release(session, actor, item.number_id or 0, item.subject, version=version)


class RestoringWebhooks(Ordering):
    """Gives the numbers of another job the webhooks back that they had, where they still are as that job set them."""

    name, title, verb = "undo_webhooks", "Undo", "Change"
    permission = Permission.NUMBERS_WRITE

    def place(self, session: Session, actor: Actor, job: Job, item: JobItem) -> int:
        """Place the order to set the former webhooks of a number."""
        seen, target = (Webhooks(**item.settings[which]) for which in ("seen", "target"))
        return orders.place_webhooks(session, actor, item.number_id or 0, seen, target)


class SettingWebhooks(Ordering):
    """Sets the webhooks of connections on their numbers at the provider, where they are as the preview showed them."""

    name, title, verb = "set_webhooks", "Set webhooks", "Change"
    permission = Permission.NUMBERS_WRITE
    undo = RestoringWebhooks()

    def place(self, session: Session, actor: Actor, job: Job, item: JobItem) -> int:
        """Place the order to set the webhooks of a number."""
        number = numbers.get(session, actor, item.number_id)
        if number.version != item.version:
            raise Conflict(bulk.CHANGED_SINCE)
        target = webhook_orders.ours(number)
        if asdict(target) != item.settings["target"]:
            raise Conflict(_CONNECTION_CHANGED)
        stop_routing, seen = job.settings["stop_routing"], Webhooks(**item.settings["seen"])
        item.old = {"seen": item.settings["target"], "target": item.settings["seen"]}
        return orders.place_webhooks(session, actor, number.id, seen, target, stop_routing=stop_routing)


class Importing(Ordering):
    """Imports numbers of the tenant's own account, with the webhooks of the connection."""

    name, title, verb = "import_owned", "Import from an account", "Import"
    permission = Permission.NUMBERS_BUY

    def place(self, session: Session, actor: Actor, job: Job, item: JobItem) -> int:
        """Place the order to import a number."""
        connection = validation.connection(session, actor.scope, job.settings["connection_id"])
        if asdict(webhook_orders.ours(connection)) != job.settings["target"]:
            raise Conflict(_CONNECTION_CHANGED)
        chosen = Configuration(**job.settings["configuration"])
        return orders.place_import(
            session,
            actor,
            connection.id,
            item.subject,
            item.settings["sid"],
            Webhooks(**item.settings["seen"]),
            replace(chosen, label=chosen.label or item.settings["label"]),
            stop_routing=job.settings["stop_routing"],
        )


RELEASING, SETTING_WEBHOOKS, IMPORTING = Releasing(), SettingWebhooks(), Importing()
RESTORING_WEBHOOKS = SettingWebhooks.undo


def draft_release(session: Session, actor: Actor, chosen: Chosen) -> int:
    """Preview the release of all that is *chosen*; return the id of its job."""
    require(actor, Permission.NUMBERS_RELEASE)

    def judge(row: NumberRow, connection: Connection | None) -> Item:
        if not row.is_managed and not row.is_gone:
            raise InvalidInput(f"A {labels.MANAGED[False]} number can be removed, not released.")
        _expect_able(row, connection, Capability.RELEASE)
        item = Item(row.e164, row.id, row.version, monthly=row.monthly)
        item.before, item.after = {"status": str(row.status)}, {"status": "released"}
        return item

    items = _judged(session, actor, chosen, judge)
    return drafts.put(session, actor, RELEASING, "Release", {}, items)


def draft_webhooks(
    session: Session,
    actor: Actor,
    chosen: Chosen,
    *,
    stop_routing: bool = False,
    seen: Mapping[int, OwnedNumber] | None = None,
) -> int:
    """Preview that the webhooks of all that is *chosen* are set at their providers, as *seen* there or read for it.

    Routing by a trunk or an application is replaced only with *stop_routing*. Raises ProviderProblem when an account
    cannot be read.
    """
    require(actor, Permission.NUMBERS_WRITE)
    found = dict(seen or {})

    def judge(row: NumberRow, connection: Connection | None) -> Item:
        _expect_able(row, connection, Capability.SET_WEBHOOKS)
        there = found.get(row.id)
        if there is None:
            raise InvalidInput(_NOT_IN_ACCOUNT)
        if there.sid != numbers.sid_of(row):
            raise InvalidInput("The account has it under another SID. Use that SID first.")
        target = webhook_orders.ours(row)
        webhook_orders.require_agreement(row.e164, there.webhooks, target, stop_routing=stop_routing)
        item = Item(row.e164, row.id, row.version)
        item.settings = {"seen": asdict(there.webhooks), "target": asdict(target)}
        if webhook_orders.differing(provider_named(row.provider), target, there.webhooks):
            item.before, item.after = webhook_orders.audit_values(asdict(there.webhooks), asdict(target))
        else:
            item.outcome = Outcome.UNCHANGED
        return item

    with reading(session):
        rows = list(bulk.chosen_rows(session, actor, chosen))
        connections = _connections(session, actor, rows)
    for connection_id, held in _by_connection(rows).items() if seen is None else ():
        if connection := connections.get(connection_id):
            found |= _at_provider(connection, held)
    items = _judged(session, actor, chosen, judge)
    settings = {"stop_routing": stop_routing}
    return drafts.put(session, actor, SETTING_WEBHOOKS, "Set webhooks", settings, items)


def draft_import(
    session: Session,
    actor: Actor,
    connection_id: int,
    found: Sequence[OwnedNumber],
    configuration: Configuration,
    *,
    stop_routing: bool = False,
    agreed: Webhooks | None = None,
) -> int:
    """Preview the import of numbers as they were *found* in the account of a connection; return the id of its job.

    Raises Conflict when the webhooks of the connection are not those that were *agreed* to.
    """
    require(actor, Permission.NUMBERS_BUY)
    connection = validation.connection(session, Scope(require_tenant(actor)), connection_id)
    target = webhook_orders.ours(connection)
    if agreed not in (None, target):
        raise Conflict("The connection has changed in the meantime. Nothing was imported: check its webhooks again.")
    with reading(session):
        taken = db.orders.reconcile.held_by_anybody(session, [number.e164 for number in found])
        ordered = db.orders.queries.open_numbers(session)
    items = []
    for number in found:
        settings = {"sid": number.sid, "seen": asdict(number.webhooks), "label": resync.label_of(number)}
        item = Item(number.e164, settings=settings, reason=reconcile.why_not(number.e164, taken, ordered))
        item.outcome = Outcome.REFUSED if item.reason else Outcome.WAITING
        item.before, item.after = webhook_orders.audit_values(asdict(number.webhooks), asdict(target))
        items.append(item)
    chosen = {
        "connection_id": connection_id,
        "target": asdict(target),
        "stop_routing": stop_routing,
        "configuration": asdict(configuration),
    }
    return drafts.put(session, actor, IMPORTING, f"Import from {connection.name}", chosen, items)


def _judged(
    session: Session, actor: Actor, chosen: Chosen, judge: Callable[[NumberRow, Connection | None], Item]
) -> list[Item]:
    """Return the item of each number that is chosen, judged with its connection."""
    with reading(session):
        rows = list(bulk.chosen_rows(session, actor, chosen))
        connections = _connections(session, actor, rows)
    return bulk.judged(chosen, rows, lambda row: judge(row, connections.get(row.connection_id or 0)))


def _expect_able(row: NumberRow, connection: Connection | None, needed: Capability) -> None:
    if row.is_gone:
        raise numbers.gone()
    sids.linked(row, connection, needed)


def _connections(session: Session, actor: Actor, rows: Iterable[NumberRow]) -> dict[int, Connection]:
    ids = {row.connection_id for row in rows if row.connection_id is not None}
    found = (db.base.named.find(session, Connection, actor.scope, one) for one in ids)
    return {connection.id: connection for connection in found if connection is not None}


def _by_connection(rows: Iterable[NumberRow]) -> dict[int, list[NumberRow]]:
    found: dict[int, list[NumberRow]] = defaultdict(list)
    for row in rows:
        if row.connection_id is not None and numbers.sid_of(row) and not row.is_gone:
            found[row.connection_id].append(row)
    return found


def _at_provider(connection: Connection, rows: Sequence[NumberRow]) -> dict[int, OwnedNumber]:
    """Return how numbers are in the account of their connection, by their ids."""
    provider = provider_access.patient(connection)
    by_sid = {numbers.sid_of(row): row for row in rows}
    if provider.can(Capability.LIST_OWNED):
        each = pages(lambda token: provider.owned_page(token=token))
        there: Iterable[OwnedNumber | None] = chain.from_iterable(each)
    elif provider.can(Capability.FIND_OWNED):
        there = (provider.find_owned_sid(sid) for sid in by_sid if sid)
    else:
        return {}
    held = [one for one in there if one is not None and one.sid in by_sid]
    return {by_sid[one.sid].id: one for one in held if by_sid[one.sid].e164 == one.e164}
