"""Reconcile: what is changed after a comparison, and what is refused because it is no longer as it was shown."""

import pytest
from sqlmodel import Session

from db.base.scope import Slice
from db.models import NumberStatus, OrderState
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from services import campaigns
from services.audit import audit, wording
from services.audit.audit import Action
from services.core.errors import Conflict, InvalidInput
from services.numbers import numbers
from services.orders import fulfilment, orders, reconcile, resync
from tests.conftest import World
from tests.world import ordering, reconciling

WHY = "Released in Twilio's console"


def test_an_import_is_an_order_and_takes_the_label_from_the_provider(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberRow
) -> None:
    assert number.is_managed
    assert number.label == "Front desk"
    there = reconciling.at_twilio(session, world).find_owned_sid(number.provider_sid or "")
    assert there
    assert there.webhooks.voice_url == reconciling.OURS
    actions = [event.action for event in audit.history(session, world.viewer, "number", number.id, Slice())]
    assert actions[0] == "numbers:import"
    assert ordering.bought(sandbox, number.e164) == 0


def test_an_import_is_refused_when_the_webhooks_there_are_no_longer_those_that_were_shown(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001")
    comparison = reconciling.compared(session, world, area)
    (row,) = comparison.missing_here.rows
    reconciling.at_twilio(session, world).set_webhooks(row.number.sid, voice_url=reconciling.ELSEWHERE)
    order = reconcile.place_import(session, world.operator, comparison, row)
    fulfilment.ask(order)
    assert "have changed at the provider since they were shown" in (
        ordering.looked_up(session, world, order).problem or ""
    )
    assert (
        reconciling.compared(session, world, area).missing_here.rows[0].number.webhooks.voice_url
        == reconciling.ELSEWHERE
    )


def test_an_import_is_refused_when_the_connection_has_other_webhooks_by_now(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001")
    comparison = reconciling.compared(session, world, area)
    reconciling.move_webhooks(session, world)
    with pytest.raises(Conflict, match="connection has changed"):
        reconcile.place_import(session, world.operator, comparison, comparison.missing_here.rows[0])


def test_a_number_that_left_the_account_can_be_marked_as_released(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    campaign = campaigns.add(session, world.operator, "Renewals", campaigns.CampaignStatus.ACTIVE)
    campaigns.add_numbers(session, world.operator, campaign, [number.id], version=1)
    reconciling.at_twilio(session, world).release(number.provider_sid or "")
    comparison = reconciling.compared(session, world, area)
    (row,) = comparison.missing_there.rows
    assert (row.number_id, row.e164, row.label) == (number.id, number.e164, "Front desk")
    assert reconcile.attached(session, world.operator, [row]) == {number.id: ["Renewals"]}
    assert ordering.on_record(session, world, number.id).status is NumberStatus.ACTIVE
    with pytest.raises(InvalidInput, match="Enter a reason"):
        reconcile.mark_released(session, world.operator, row, "  ")
    session.rollback()
    reconcile.mark_released(session, world.operator, row, WHY)
    assert ordering.on_record(session, world, number.id).status is NumberStatus.RELEASED
    assert reconcile.attached(session, world.operator, [row]) == {}
    (event,) = audit.search(session, world.viewer, audit.AuditQuery(actions=(Action.NUMBERS_RELEASE,)), Slice())
    assert (event.number_id, event.after["status"], event.after["reason"]) == (number.id, "released", WHY)
    assert wording.event_action(event) == "marked the number as released"
    assert reconciling.compared(session, world, area).agrees


def test_marking_as_released_looks_at_the_provider_once_more(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberRow
) -> None:
    provider = reconciling.at_twilio(session, world)
    provider.release(number.provider_sid or "")
    (row,) = reconciling.compared(session, world, area).missing_there.rows
    provider.buy(number.e164, label="Front desk", voice_url=reconciling.OURS)
    with pytest.raises(InvalidInput, match="is in the account again"):
        reconcile.mark_released(session, world.operator, row, WHY)
    assert ordering.on_record(session, world, number.id).status is NumberStatus.ACTIVE


def test_a_number_that_changed_here_meanwhile_is_not_marked_as_released(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    reconciling.at_twilio(session, world).release(number.provider_sid or "")
    (row,) = reconciling.compared(session, world, area).missing_there.rows
    numbers.rename(session, world.admin, number.id, "Renamed", version=number.version)
    with pytest.raises(Conflict, match="since the comparison"):
        reconcile.mark_released(session, world.operator, row, WHY)
    assert ordering.on_record(session, world, number.id).status is NumberStatus.ACTIVE


def test_a_number_whose_release_is_under_way_is_left_to_its_order(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberRow
) -> None:
    order = orders.place_release(session, world.operator, number.id, number.e164, version=number.version)
    sandbox.fault(Fault(Kind.DROP_AFTER, method="DELETE", path="/IncomingPhoneNumbers"))
    fulfilment.ask(order)
    (row,) = reconciling.compared(session, world, area).missing_there.rows
    with pytest.raises(Conflict, match="is already being ordered or changed"):
        reconcile.mark_released(session, world.operator, row, WHY)
    assert fulfilment.settle(order)
    assert ordering.on_record(session, world, number.id).buy_back_until is not None


def test_the_label_of_the_provider_is_taken_over(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    (row,) = reconciling.compared(session, world, area).different.rows
    reconcile.take_over(session, world.operator, row, row.to_take_over)
    assert ordering.on_record(session, world, number.id).label == "Front desk"
    assert reconciling.compared(session, world, area).agrees
    with pytest.raises(Conflict, match="since the comparison"):  # the second click of a double click
        reconcile.take_over(session, world.operator, row, row.to_take_over)


def test_a_number_that_was_bought_back_has_another_sid_that_comes_before_its_webhooks(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    provider = reconciling.at_twilio(session, world)
    provider.release(number.provider_sid or "")
    again = provider.buy(number.e164, label="Bought back", voice_url=reconciling.ELSEWHERE)
    (row,) = reconciling.compared(session, world, area).different.rows
    assert [difference.field for difference in row.to_take_over] == [resync.SID, resync.LABEL]
    with pytest.raises(InvalidInput, match="under another SID"):
        reconcile.place_webhooks(session, world.operator, row)
    reconcile.take_over(session, world.operator, row, row.to_take_over)
    now = ordering.on_record(session, world, number.id)
    assert (now.provider_sid, now.label) == (again.sid, "Bought back")
    (row,) = reconciling.compared(session, world, area).different.rows
    fulfilment.ask(reconcile.place_webhooks(session, world.operator, row))
    assert reconciling.compared(session, world, area).agrees


def test_nothing_is_taken_over_that_is_not_there_any_more(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberRow
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    (row,) = reconciling.compared(session, world, area).different.rows
    reconciling.at_twilio(session, world).buy(number.e164, label="Another one")  # of what one owns: an update
    with pytest.raises(Conflict, match="changed at the provider since"):
        reconcile.take_over(session, world.operator, row, row.to_take_over)
    assert ordering.on_record(session, world, number.id).label == "Renamed"


def test_our_webhooks_are_set_through_an_order_and_what_was_there_is_kept(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    reconciling.at_twilio(session, world).set_webhooks(number.provider_sid or "", voice_url=reconciling.ELSEWHERE)
    (row,) = reconciling.compared(session, world, area).different.rows
    order = reconcile.place_webhooks(session, world.operator, row)
    with pytest.raises(Conflict, match="is already being ordered or changed"):
        reconcile.place_webhooks(session, world.operator, row)
    fulfilment.ask(order)
    settled = ordering.looked_up(session, world, order)
    assert (settled.state, settled.previous["voice_url"]) == (OrderState.CONFIRMED, reconciling.ELSEWHERE)
    assert reconciling.compared(session, world, area).agrees


def test_webhooks_that_changed_there_since_are_not_overwritten(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    provider = reconciling.at_twilio(session, world)
    provider.set_webhooks(number.provider_sid or "", voice_url=reconciling.ELSEWHERE)
    (row,) = reconciling.compared(session, world, area).different.rows
    provider.set_webhooks(number.provider_sid or "", voice_url="https://third.example.com")
    order = reconcile.place_webhooks(session, world.operator, row)
    fulfilment.ask(order)
    assert ordering.state(session, world, order) is OrderState.FAILED
    there = provider.find_owned_sid(number.provider_sid or "")
    assert there
    assert there.webhooks.voice_url == "https://third.example.com"


def test_webhooks_are_not_set_when_the_connection_has_others_by_now(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    reconciling.at_twilio(session, world).set_webhooks(number.provider_sid or "", voice_url=reconciling.ELSEWHERE)
    (row,) = reconciling.compared(session, world, area).different.rows
    reconciling.move_webhooks(session, world)
    with pytest.raises(Conflict, match="connection has changed"):
        reconcile.place_webhooks(session, world.operator, row)
