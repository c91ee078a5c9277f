"""A number is found by its SID and compared by its E.164, at every door: a mistyped SID changes no other number."""

from collections.abc import Iterator

import pytest
from sqlmodel import Session

from db.base.scope import Slice
from db.models import NumberOrder, NumberStatus, OrderState, PhoneNumber
from providers.base import Provider
from providers.records import Webhooks
from providers.sandbox import exotel
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from services.audit import audit
from services.connections.provider_access import ProviderProblem
from services.core.errors import InvalidInput
from services.numbers import numbers, registration
from services.orders import catalogue, orders, reconcile_jobs, resync
from services.orders.orders import Configuration
from tests.conftest import World
from tests.world import ordering, reconciling
from tests.world.ordering import NUMBERS, looked_up, on_record, state
from tests.world.working import outcomes, run

OURS, THEIRS = "+918047180001", "+911139585476"
BOTH = r"\+91 11 3958 5476 under the SID exo-2, not \+91 80 4718 0001"
NEW = Webhooks(voice_url="https://new.example.com/x")


@pytest.fixture
def exophones(session: Session, world: World, sandbox: Sandbox) -> Iterator[Provider]:
    """The account with two ExoPhones, which are put back as they were."""
    provider = catalogue._provider(session, world.operator, world.exotel)
    before = {sid: provider.webhooks(sid).voice_url for sid in exotel.NUMBERS}
    yield provider
    for sid, url in before.items():
        provider.set_webhooks(sid, voice_url=url)


@pytest.fixture
def mistyped(session: Session, world: World, exophones: Provider) -> int:
    """A number that was added manually, under the SID of another ExoPhone."""
    configuration = registration.Configuration(provider_fields={"exophone_sid": "exo-2"})
    return registration.register(session, world.operator, OURS, world.exotel, configuration)


def test_webhooks_of_another_number_are_not_shown_as_those_of_this_one(
    session: Session, world: World, mistyped: int
) -> None:
    with pytest.raises(ProviderProblem, match=BOTH):
        catalogue.webhooks_now(session, world.viewer, mistyped)
    with pytest.raises(ProviderProblem, match=BOTH):
        resync.differences(session, world.viewer, mistyped)


def test_webhooks_of_another_number_are_neither_set_nor_restored_nor_logged(
    session: Session, world: World, exophones: Provider, mistyped: int
) -> None:
    now = exophones.webhooks("exo-2")
    for seen, wanted in ((now, NEW), (NEW, now), (now, now)):
        order = orders.place_webhooks(session, world.operator, mistyped, seen, wanted)
        ordering.ask(order)
        found = looked_up(session, world, order)
        assert found.state is OrderState.FAILED
        assert "under the SID exo-2" in (found.problem or "")
    assert exophones.webhooks("exo-2") == now
    lines = [event.action for event in audit.history(session, world.viewer, "number", mistyped, Slice())]
    assert lines == ["numbers:add"]


def test_a_look_afterwards_believes_no_other_number(
    session: Session, world: World, sandbox: Sandbox, exophones: Provider
) -> None:
    configuration = registration.Configuration(provider_fields={"exophone_sid": "exo-1"})
    number = registration.register(session, world.operator, OURS, world.exotel, configuration)
    exophones.set_webhooks("exo-2", voice_url=NEW.voice_url)
    sandbox.fault(Fault(Kind.DROP_BEFORE, method="PUT", path=NUMBERS))
    order = orders.place_webhooks(session, world.operator, number, exophones.webhooks("exo-1"), NEW)
    ordering.ask(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    row = session.get_one(NumberOrder, order)
    row.provider_sid = "exo-2"
    session.commit()
    session.expunge(row)
    assert ordering.settle(order)
    found = looked_up(session, world, order)
    assert (found.state, "under the SID exo-2" in (found.problem or "")) == (OrderState.FAILED, True)


def test_an_exophone_in_the_national_form_is_the_same_number(
    session: Session, world: World, exophones: Provider
) -> None:
    configuration = registration.Configuration(provider_fields={"exophone_sid": "exo-2"})
    number = registration.register(session, world.operator, "011-39585476", world.exotel, configuration)
    now = catalogue.webhooks_now(session, world.operator, number)
    order = orders.place_webhooks(session, world.operator, number, now, NEW)
    ordering.ask(order)
    assert state(session, world, order) is OrderState.CONFIRMED
    assert exophones.webhooks("exo-2").voice_url == NEW.voice_url


def test_an_exophone_that_nobody_has_is_told_by_its_sid(session: Session, world: World, exophones: Provider) -> None:
    configuration = registration.Configuration(provider_fields={"exophone_sid": "exo-9"})
    number = registration.register(session, world.operator, OURS, world.exotel, configuration)
    with pytest.raises(InvalidInput, match="no number with the SID exo-9"):
        resync.differences(session, world.viewer, number)


@pytest.fixture
def other(session: Session, world: World, sandbox: Sandbox, area: str) -> str:
    """The SID of another number of the Twilio account."""
    reconciling.held(sandbox, f"{area}002", label="Another", voice_url=reconciling.ELSEWHERE)
    found = reconciling.at_twilio(session, world).find_owned(f"{area}002")
    assert found
    return found.sid


def under_another_sid(session: Session, number: numbers.NumberRow, sid: str) -> numbers.NumberRow:
    session.get_one(PhoneNumber, number.id).provider_sid = sid
    session.commit()
    return number._replace(provider_sid=sid)


def holds(session: Session, world: World, e164: str) -> bool:
    return reconciling.at_twilio(session, world).find_owned(e164) is not None


def test_an_import_by_the_sid_of_another_number_takes_nothing_over(
    session: Session, world: World, sandbox: Sandbox, area: str, other: str
) -> None:
    reconciling.held(sandbox, f"{area}001")
    provider = reconciling.at_twilio(session, world)
    before = provider.webhooks(other)
    order = orders.place_import(
        session, world.operator, world.twilio, f"{area}001", other, before, Configuration(label="Mine")
    )
    ordering.ask(order)
    seen = looked_up(session, world, order)
    assert (seen.state, seen.number_id) == (OrderState.FAILED, None)
    assert f"under the SID {other}" in (seen.problem or "")
    assert provider.webhooks(other) == before
    with pytest.raises(ProviderProblem, match="under the SID"):
        catalogue.owned_by_sid(session, world.operator, world.twilio, other, f"{area}001")


def test_a_release_by_the_sid_of_another_number_gives_nothing_back(
    session: Session, world: World, number: numbers.NumberRow, other: str, area: str
) -> None:
    wrong = under_another_sid(session, number, other)
    order = orders.place_release(session, world.operator, wrong.id, wrong.e164, version=wrong.version)
    ordering.ask(order)
    seen = looked_up(session, world, order)
    assert (seen.state, f"under the SID {other}" in (seen.problem or "")) == (OrderState.FAILED, True)
    assert holds(session, world, f"{area}001")
    assert holds(session, world, f"{area}002")
    assert on_record(session, world, number.id).status is NumberStatus.ACTIVE


def test_a_number_that_is_there_again_under_another_sid_is_not_taken_for_released(
    session: Session, world: World, sandbox: Sandbox, number: numbers.NumberRow
) -> None:
    provider = reconciling.at_twilio(session, world)
    provider.release(number.provider_sid or "")
    again = provider.buy(number.e164)
    assert again.sid != number.provider_sid
    order = orders.place_release(session, world.operator, number.id, number.e164, version=number.version)
    ordering.ask(order)
    seen = looked_up(session, world, order)
    assert (seen.state, again.sid in (seen.problem or "")) == (OrderState.FAILED, True)
    # The same, found out by a look after the answer was lost.
    row = session.get_one(NumberOrder, order)
    row.state, row.settled_at = OrderState.UNKNOWN, None
    session.commit()
    session.expunge(row)
    assert ordering.settle(order)
    assert state(session, world, order) is OrderState.FAILED
    assert on_record(session, world, number.id).status is NumberStatus.ACTIVE
    assert holds(session, world, number.e164)


def test_re_sync_finds_the_right_sid_where_the_account_can_be_listed(
    session: Session, world: World, number: numbers.NumberRow, other: str
) -> None:
    under_another_sid(session, number, other)
    (difference,) = resync.differences(session, world.viewer, number.id)
    assert (difference.field, difference.ours, difference.theirs) == (resync.SID, other, number.provider_sid)
    resync.apply(session, world.operator, number.id, difference, version=number.version)
    assert resync.differences(session, world.viewer, number.id) == []


def test_re_sync_of_a_number_that_left_names_the_one_under_its_sid(
    session: Session, world: World, number: numbers.NumberRow, other: str
) -> None:
    reconciling.at_twilio(session, world).release(number.provider_sid or "")
    under_another_sid(session, number, other)
    with pytest.raises(ProviderProblem, match=f"under the SID {other}, not"):
        resync.differences(session, world.viewer, number.id)
    with pytest.raises(ProviderProblem, match=f"under the SID {other}, not"):
        resync.apply(session, world.operator, number.id, resync.NOT_THERE, version=number.version, reason="It left")
    assert on_record(session, world, number.id).status is NumberStatus.ACTIVE


def test_reconcile_takes_nothing_over_from_another_number(
    session: Session, world: World, number: numbers.NumberRow, other: str, area: str
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    (row,) = reconciling.compared(session, world, number.e164).label
    job = reconcile_jobs.draft_take_over(session, world.operator, [row], "Twilio")
    reconciling.at_twilio(session, world).release(number.provider_sid or "")
    under_another_sid(session, number, other)
    assert run(session, world.operator, job).refused == 1
    assert f"under the SID {other}, not" in outcomes(session, world.operator, job)[number.e164][1]
    assert on_record(session, world, number.id).label == "Renamed"


def test_a_release_that_is_answered_with_anything_but_204_is_looked_at(
    session: Session, world: World, sandbox: Sandbox, number: numbers.NumberRow, no_grace: None
) -> None:
    sandbox.fault(Fault(Kind.ERROR, method="DELETE", path=NUMBERS, status=200))
    order = orders.place_release(session, world.operator, number.id, number.e164, version=number.version)
    ordering.ask(order)
    assert not ordering.settle(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    assert ordering.settle(order)
    assert state(session, world, order) is OrderState.FAILED
    assert on_record(session, world, number.id).status is NumberStatus.ACTIVE

    sandbox.fault(Fault(Kind.ERROR_AFTER, method="DELETE", path=NUMBERS, status=200))
    order = orders.place_release(session, world.operator, number.id, number.e164, version=number.version)
    ordering.ask(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    assert ordering.settle(order)
    assert on_record(session, world, number.id).status is NumberStatus.RELEASED
