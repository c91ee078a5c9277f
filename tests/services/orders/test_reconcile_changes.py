"""Reconcile: what is changed after a comparison, and what is refused because it is no longer as it was shown."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlmodel import Session

from db.audit.queries import AuditQuery
from db.base.scope import Slice
from db.models import CampaignStatus, JobState, Membership, NumberStatus, OrderState, Role
from providers.records import OwnedNumber
from providers.sandbox.accounts import MAIN, TRIAL
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from services.audit import audit, wording
from services.audit.audit import Action
from services.campaigns import campaigns
from services.core.errors import Conflict, DatabaseUnavailable, InvalidInput
from services.jobs import engine, jobs
from services.numbers import numbers
from services.numbers.bulk import Chosen
from services.orders import bulk, comparisons, orders, reconcile_jobs, resync, webhook_orders
from services.orders.orders import Configuration
from services.orders.reconcile import Drift
from tests.conftest import World
from tests.world import ordering, reconciling
from tests.world.working import finished, outcomes, run

WHY = "Released in Twilio's console"


def test_an_import_is_an_order_and_takes_the_label_from_the_provider(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberRow
) -> None:
    assert number.is_managed
    assert number.label == "Front desk"
    assert at_twilio(session, world, number).webhooks.voice_url == reconciling.OURS
    actions = [event.action for event in audit.history(session, world.viewer, "number", number.id, Slice())]
    assert actions[0] == "numbers:import"
    assert ordering.bought(sandbox, number.e164) == 0


def at_twilio(session: Session, world: World, number: numbers.NumberRow) -> OwnedNumber:
    """Return a number as the account has it."""
    there = reconciling.at_twilio(session, world).find_owned_sid(number.provider_sid or "")
    assert there
    return there


def imported(session: Session, world: World, found: reconciling.Found) -> int:
    """Return the job that imports what is missing here, not started yet."""
    rows, target = [row.number for row in found.only_there], webhook_orders.ours(found.connection)
    return bulk.draft_import(session, world.operator, world.twilio, rows, Configuration(), agreed=target)


def refused(session: Session, world: World, job: int, typed: str = "") -> str:
    """Run a job over one number that is refused, unless its preview says so already; return why."""
    if jobs.get(session, world.operator, job).refused == 0:
        assert run(session, world.operator, job, typed).refused == 1
    ((_, reason),) = outcomes(session, world.operator, job).values()
    return reason


def marked(session: Session, world: World, row: Drift, reason: str = WHY) -> int:
    return reconcile_jobs.draft_released(session, world.operator, [row], reason)


def taken(session: Session, world: World, *rows: Drift) -> int:
    return reconcile_jobs.draft_take_over(session, world.operator, rows, "Twilio")


def set_there(session: Session, world: World, row: Drift) -> int:
    number_id = row.number_id or 0
    chosen = Chosen((number_id,))
    return bulk.draft_webhooks(session, world.operator, chosen, seen={number_id: row.number})


def test_an_import_is_refused_when_the_webhooks_there_are_no_longer_those_that_were_shown(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001")
    comparison = reconciling.compared(session, world, area)
    (row,) = comparison.only_there
    reconciling.at_twilio(session, world).set_webhooks(row.number.sid, voice_url=reconciling.ELSEWHERE)
    reason = refused(session, world, imported(session, world, comparison))
    assert "have changed at the provider since they were shown" in reason
    assert reconciling.compared(session, world, area).only_there[0].number.webhooks.voice_url == reconciling.ELSEWHERE


def test_an_import_is_refused_when_the_connection_has_other_webhooks_by_now(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001")
    comparison = reconciling.compared(session, world, area)
    job = imported(session, world, comparison)
    reconciling.move_webhooks(session, world)
    with pytest.raises(Conflict, match="connection has changed"):
        imported(session, world, comparison)
    assert "webhooks of the connection have changed" in refused(session, world, job)


def test_a_number_that_left_the_account_can_be_marked_as_released(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    campaign = campaigns.add(session, world.operator, "Renewals", CampaignStatus.ACTIVE)
    campaigns.add_numbers(session, world.operator, campaign, [number.id], version=1)
    reconciling.at_twilio(session, world).release(number.provider_sid or "")
    comparison = reconciling.compared(session, world, area)
    (row,) = comparison.only_here
    assert (row.number_id, row.e164, row.label) == (number.id, number.e164, "Front desk")
    assert comparisons.attached(session, world.operator, [row]) == {number.id: ["Renewals"]}
    assert ordering.on_record(session, world, number.id).status is NumberStatus.ACTIVE
    with pytest.raises(InvalidInput, match="Enter a reason"):
        marked(session, world, row, "  ")
    assert run(session, world.operator, marked(session, world, row)).changed == 1
    assert ordering.on_record(session, world, number.id).status is NumberStatus.RELEASED
    assert comparisons.attached(session, world.operator, [row]) == {}
    (event,) = audit.search(session, world.viewer, AuditQuery(actions=(Action.NUMBERS_RELEASE,)), Slice())
    assert (event.number_id, event.after["status"], event.after["reason"]) == (number.id, "released", WHY)
    assert wording.event_action(event) == "marked the number as released"
    assert reconciling.compared(session, world, area).agrees


def test_marking_as_released_looks_at_the_provider_once_more(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberRow
) -> None:
    provider = reconciling.at_twilio(session, world)
    provider.release(number.provider_sid or "")
    (row,) = reconciling.compared(session, world, area).only_here
    provider.buy(number.e164, label="Front desk", voice_url=reconciling.OURS)
    assert "is in the account again" in refused(session, world, marked(session, world, row))
    assert ordering.on_record(session, world, number.id).status is NumberStatus.ACTIVE


def test_a_number_that_changed_here_meanwhile_is_not_marked_as_released(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    reconciling.at_twilio(session, world).release(number.provider_sid or "")
    (row,) = reconciling.compared(session, world, area).only_here
    numbers.rename(session, world.admin, number.id, "Renamed", version=number.version)
    assert "changed this number since" in refused(session, world, marked(session, world, row))
    assert ordering.on_record(session, world, number.id).status is NumberStatus.ACTIVE


def test_a_number_whose_release_is_under_way_is_left_to_its_order(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberRow
) -> None:
    order = orders.place_release(session, world.operator, number.id, number.e164, version=number.version)
    sandbox.fault(Fault(Kind.DROP_AFTER, method="DELETE", path="/IncomingPhoneNumbers"))
    ordering.ask(order)
    (row,) = reconciling.compared(session, world, area).only_here
    assert "is already being ordered or changed" in refused(session, world, marked(session, world, row))
    assert ordering.settle(order)
    assert ordering.on_record(session, world, number.id).buy_back_until is not None


def test_the_label_of_the_provider_is_taken_over(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    (row,) = reconciling.compared(session, world, area).label
    job, again = taken(session, world, row), taken(session, world, row)
    done = run(session, world.operator, job)
    assert (done.changed, done.title) == (1, "Use values from Twilio")
    assert ordering.on_record(session, world, number.id).label == "Front desk"
    assert reconciling.compared(session, world, area).agrees
    assert "changed this number since" in refused(session, world, again)
    assert finished(session, world.operator, jobs.undo(session, world.operator, job)).changed == 1
    assert ordering.on_record(session, world, number.id).label == "Renamed"


def test_a_number_that_was_bought_back_has_another_sid_that_comes_before_its_webhooks(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    provider = reconciling.at_twilio(session, world)
    provider.release(number.provider_sid or "")
    again = provider.buy(number.e164, label="Bought back", voice_url=reconciling.ELSEWHERE)
    found = reconciling.compared(session, world, area)
    (sid,), (label,), (row,) = found.sid, found.label, found.webhooks
    assert [one.differences[0].field for one in (sid, label)] == [resync.SID, resync.LABEL]
    ((_, reason),) = outcomes(session, world.operator, set_there(session, world, row)).values()
    assert "under another SID" in reason
    assert run(session, world.operator, taken(session, world, sid)).changed == 1
    assert run(session, world.operator, taken(session, world, label)).changed == 1  # it was not changed by that
    now = ordering.on_record(session, world, number.id)
    assert (now.provider_sid, now.label) == (again.sid, "Bought back")
    (row,) = reconciling.compared(session, world, area).webhooks
    assert run(session, world.operator, set_there(session, world, row)).changed == 1
    assert reconciling.compared(session, world, area).agrees


def test_nothing_is_taken_over_that_is_not_there_any_more(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberRow
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    (row,) = reconciling.compared(session, world, area).label
    reconciling.at_twilio(session, world).buy(number.e164, label="Another one")  # of what one owns: an update
    assert "changed at the provider since" in refused(session, world, taken(session, world, row))
    assert ordering.on_record(session, world, number.id).label == "Renamed"


def test_our_webhooks_are_set_through_an_order_and_what_was_there_is_kept(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    reconciling.at_twilio(session, world).set_webhooks(number.provider_sid or "", voice_url=reconciling.ELSEWHERE)
    (row,) = reconciling.compared(session, world, area).webhooks
    assert run(session, world.operator, set_there(session, world, row)).changed == 1
    settled = orders.of_number(session, world.operator, number.id)[-1]
    assert (settled.state, settled.previous["voice_url"]) == (OrderState.CONFIRMED, reconciling.ELSEWHERE)
    assert reconciling.compared(session, world, area).agrees


def test_webhooks_that_changed_there_since_are_not_overwritten(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    provider = reconciling.at_twilio(session, world)
    provider.set_webhooks(number.provider_sid or "", voice_url=reconciling.ELSEWHERE)
    (row,) = reconciling.compared(session, world, area).webhooks
    provider.set_webhooks(number.provider_sid or "", voice_url="https://third.example.com")
    assert "have changed at the provider" in refused(session, world, set_there(session, world, row))
    assert at_twilio(session, world, number).webhooks.voice_url == "https://third.example.com"


def test_webhooks_are_not_set_when_the_connection_has_others_by_now(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    reconciling.at_twilio(session, world).set_webhooks(number.provider_sid or "", voice_url=reconciling.ELSEWHERE)
    (row,) = reconciling.compared(session, world, area).webhooks
    job = set_there(session, world, row)
    reconciling.move_webhooks(session, world)
    assert "webhooks of the connection have changed" in refused(session, world, job)


def sent(session: Session, world: World, row: Drift) -> int:
    return reconcile_jobs.draft_labels(session, world.operator, [row], "Twilio")


def test_our_label_is_sent_to_the_provider_and_nothing_changes_here(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    (row,) = reconciling.compared(session, world, area).label
    before = ordering.on_record(session, world, number.id)
    job, again = sent(session, world, row), sent(session, world, row)
    assert run(session, world.operator, job).changed == 1
    assert at_twilio(session, world, number).label == "Renamed"
    assert ordering.on_record(session, world, number.id) == before
    assert reconciling.compared(session, world, area).agrees
    (event, *_) = audit.history(session, world.viewer, "number", number.id, Slice())
    assert wording.event_action(event) == "sent the label to the provider"
    assert run(session, world.operator, again).changed == 1  # it is there already


def test_a_label_that_was_changed_since_here_or_there_is_not_sent(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    (row,) = reconciling.compared(session, world, area).label
    job, other = sent(session, world, row), sent(session, world, row)
    provider = reconciling.at_twilio(session, world)
    provider.set_label(number.provider_sid or "", "Third")
    assert "changed at the provider since" in refused(session, world, job)
    numbers.rename(session, world.operator, number.id, "Fourth", version=number.version + 1)
    assert "changed this number since" in refused(session, world, other)
    assert "changed this number since" in refused(session, world, sent(session, world, row))
    assert at_twilio(session, world, number).label == "Third"


def test_a_label_is_not_sent_for_somebody_who_may_not_any_more(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    (row,) = reconciling.compared(session, world, area).label
    job = sent(session, world, row)
    jobs.start(session, world.operator, job)
    member = session.get_one(Membership, (world.operator.user_id, world.tenant))
    member.role = Role.VIEWER
    session.commit()
    done = finished(session, world.admin, job)
    assert (done.state, done.changed) == (JobState.FAILED, 0)
    assert at_twilio(session, world, number).label == "Front desk"


def test_what_two_processes_do_at_once_is_looked_at_before(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    """A step that looked at some items does not do others, which another process has left for it."""
    amount = 45  # more than two looks
    for n in range(amount):
        reconciling.held(sandbox, f"{area}{n:03}")
    found = reconciling.compared(session, world, area)
    rows = [row.number for row in found.only_there]
    assert (
        run(
            session, world.operator, bulk.draft_import(session, world.operator, world.twilio, rows, Configuration())
        ).changed
        == amount
    )
    with sandbox.store.writing() as store:
        aside = store.execute("SELECT sid FROM owned WHERE e164 LIKE ?", (f"{area}%",)).fetchall()
        store.execute("UPDATE owned SET account_sid = ? WHERE e164 LIKE ?", (TRIAL.sid, f"{area}%"))
    assert len(aside) == amount
    job = reconcile_jobs.draft_released(
        session, world.operator, reconciling.compared(session, world, area).only_here, WHY
    )
    with sandbox.store.writing() as store:  # they are there again
        store.execute("UPDATE owned SET account_sid = ? WHERE e164 LIKE ?", (MAIN.sid, f"{area}%"))
    jobs.start(session, world.operator, job)

    def drive(_n: int) -> None:
        step = engine.Step.MORE
        while step is not engine.Step.END:
            with suppress(DatabaseUnavailable):
                step = engine.advance(job)

    session.rollback()
    with ThreadPoolExecutor(2) as both:
        list(both.map(drive, range(2)))
    session.rollback()
    done = jobs.get(session, world.operator, job)
    assert (done.changed, done.refused) == (0, amount)
