"""Reconcile: an account beside what is on record; comparing changes nothing, and each change is looked at again."""

from collections.abc import Iterator

import pytest
import requests
import sqlalchemy as sa
from sqlmodel import Session

import db.connections
from db.models import AuditEvent, NumberOrder, NumberStatus, OrderState, PhoneNumber
from db.scope import Scope, Slice
from providers.sandbox.accounts import MAIN
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.seeds import MAIN_OWNS
from providers.sandbox.server import OwnedSeed, Sandbox
from providers.verbs import Provider
from services import audit, campaigns, fulfilment, numbers, orders, reconcile, resync, stock, vendors
from services.access import Actor
from services.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.reconcile import Comparison, MissingHere
from tests.conftest import World
from tests.services import make, ordering

OURS = "https://voice.example.com/in"
ELSEWHERE = "https://elsewhere.example.com"
_next = iter(range(100_000))


@pytest.fixture
def area(sandbox: Sandbox) -> Iterator[str]:
    """The beginning of numbers that no other test has in the account; what is left of them is given back."""
    begin = f"+1719{2_000 + next(_next)}"
    yield begin
    with sandbox.store.writing() as state:
        state.execute("DELETE FROM owned WHERE e164 LIKE ?", (f"{begin}%",))


def at_twilio(session: Session, world: World) -> Provider:
    return stock._provider(session, world.operator, world.twilio)


def held(sandbox: Sandbox, e164: str, **seed: str) -> str:
    """Have the account hold *e164*, as somebody set it up in Twilio's console."""
    sandbox.seed_owned([OwnedSeed(e164, MAIN.sid, **seed)])
    return e164


def compared(session: Session, world: World, matching: str, actor: Actor | None = None) -> Comparison:
    session.rollback()
    return reconcile.compare(session, actor or world.operator, world.twilio, matching=matching)


def imported(session: Session, world: World, row: MissingHere, comparison: Comparison) -> int:
    """Import a number and return its id."""
    order = reconcile.place_import(session, world.operator, comparison, row)
    fulfilment.ask(order)
    found = ordering.looked_up(session, world, order)
    assert found.state is OrderState.CONFIRMED, found.problem
    return found.number_id or 0


@pytest.fixture
def number(session: Session, world: World, sandbox: Sandbox, area: str) -> numbers.NumberDetail:
    """A number that is on record and in the account, the same in both."""
    held(sandbox, f"{area}001", label="Front desk")
    comparison = compared(session, world, area)
    return ordering.on_record(session, world, imported(session, world, comparison.missing_here.rows[0], comparison))


def test_a_number_of_the_account_that_is_not_on_record_is_missing_here(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    held(sandbox, f"{area}001", label="Front desk", voice_url=ELSEWHERE)
    held(sandbox, f"{area}002")
    comparison = compared(session, world, area)
    found = {row.e164: (row.label, row.number.webhooks.voice_url, row.why_not) for row in comparison.missing_here.rows}
    assert found == {f"{area}001": ("Front desk", ELSEWHERE, ""), f"{area}002": ("", "", "")}
    assert (comparison.held, comparison.on_record, comparison.same) == (2, 0, 0)
    assert comparison.connection.name == "Twilio"


def test_a_number_that_is_the_same_in_both_is_counted_and_not_shown(
    session: Session, world: World, area: str, number: numbers.NumberDetail
) -> None:
    comparison = compared(session, world, area)
    assert comparison.agrees
    assert (comparison.held, comparison.on_record, comparison.same) == (1, 1, 1)


def test_every_number_of_an_account_larger_than_a_page_is_compared(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    told: list[int] = []
    comparison = reconcile.compare(session, world.operator, world.twilio, told.append)
    assert comparison.held >= MAIN_OWNS
    assert told[:2] == [1000, 2000]
    assert told[-1] == comparison.held
    assert len({row.e164 for row in comparison.missing_here.rows}) == comparison.missing_here.total == comparison.held


def test_a_comparison_keeps_so_many_numbers_and_counts_the_others(
    session: Session, world: World, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "MOST_KEPT", 10)
    comparison = compared(session, world, "+1202")
    assert len(comparison.missing_here.rows) == 10
    assert comparison.missing_here.more == comparison.held - 10 > 0


def test_comparing_changes_nothing_here_and_nothing_there(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberDetail
) -> None:
    def state() -> tuple[object, ...]:
        session.rollback()
        tables = (AuditEvent, NumberOrder, PhoneNumber)
        counts = [session.scalar(sa.select(sa.func.count()).select_from(table)) for table in tables]
        entries = requests.get(f"{sandbox.url}/ledger", timeout=5).json()["entries"]
        return (*counts, entries, at_twilio(session, world).find_owned_sid(number.provider_sid or ""))

    held(sandbox, f"{area}002")
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    before = state()
    compared(session, world, area)
    assert state() == before


def test_a_number_on_record_in_another_tenant_cannot_be_imported_and_nobody_is_named(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    held(sandbox, f"{area}001")
    make.number(session, world, f"{area}001", actor=world.stranger, label="Secret")
    comparison = compared(session, world, area)
    (row,) = comparison.missing_here.rows
    assert row.why_not.endswith("exists already. A number can be on record only once.")
    assert "Other" not in repr(comparison)
    assert "Secret" not in repr(comparison)
    with pytest.raises(InvalidInput, match="exists already"):
        reconcile.place_import(session, world.operator, comparison, row)


def test_a_number_with_an_open_order_cannot_be_imported_meanwhile(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    held(sandbox, f"{area}001")
    comparison = compared(session, world, area)
    reconcile.place_import(session, world.operator, comparison, comparison.missing_here.rows[0])
    (row,) = compared(session, world, area).missing_here.rows
    assert "is being ordered or changed already" in row.why_not
    with pytest.raises(Conflict, match="is being ordered or changed already"):
        reconcile.place_import(session, world.operator, comparison, row)


def test_numbers_added_by_hand_or_under_another_connection_are_not_missing(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    held(sandbox, f"{area}001")
    make.number(session, world, f"{area}001")
    comparison = compared(session, world, area)
    assert (comparison.held, comparison.elsewhere, comparison.missing_here.total) == (1, 1, 0)
    assert comparison.agrees


def test_an_import_is_an_order_and_takes_the_label_from_the_provider(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberDetail
) -> None:
    assert number.is_managed
    assert number.label == "Front desk"
    there = at_twilio(session, world).find_owned_sid(number.provider_sid or "")
    assert there
    assert there.webhooks.voice_url == OURS
    actions = [event.action for event in audit.history(session, world.viewer, "number", number.id, Slice())]
    assert actions[0] == "numbers:import"
    assert ordering.bought(sandbox, number.e164) == 0


def test_an_import_is_refused_when_the_webhooks_there_are_no_longer_those_that_were_shown(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    held(sandbox, f"{area}001")
    comparison = compared(session, world, area)
    (row,) = comparison.missing_here.rows
    at_twilio(session, world).set_webhooks(row.number.sid, voice_url=ELSEWHERE)
    order = reconcile.place_import(session, world.operator, comparison, row)
    fulfilment.ask(order)
    assert "were changed at the provider since they were shown" in (
        ordering.looked_up(session, world, order).problem or ""
    )
    assert compared(session, world, area).missing_here.rows[0].number.webhooks.voice_url == ELSEWHERE


def test_an_import_is_refused_when_the_connection_has_other_webhooks_by_now(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    held(sandbox, f"{area}001")
    comparison = compared(session, world, area)
    _move_webhooks(session, world)
    with pytest.raises(Conflict, match="connection was changed"):
        reconcile.place_import(session, world.operator, comparison, comparison.missing_here.rows[0])


def test_a_number_that_left_the_account_can_be_marked_as_released(
    session: Session, world: World, area: str, number: numbers.NumberDetail
) -> None:
    campaign = campaigns.add(session, world.operator, "Renewals", campaigns.CampaignStatus.ACTIVE)
    campaigns.add_numbers(session, world.operator, campaign, [number.id])
    at_twilio(session, world).release(number.provider_sid or "")
    comparison = compared(session, world, area)
    (row,) = comparison.missing_there.rows
    assert (row.number_id, row.e164, row.label) == (number.id, number.e164, "Front desk")
    assert reconcile.attached(session, world.operator, [row]) == {number.id: ["Renewals"]}
    assert ordering.on_record(session, world, number.id).status is NumberStatus.ACTIVE
    reconcile.mark_released(session, world.operator, row)
    assert ordering.on_record(session, world, number.id).status is NumberStatus.RELEASED
    assert reconcile.attached(session, world.operator, [row]) == {}
    assert audit.history(session, world.viewer, "number", number.id, Slice())[0].action == "numbers:resync"
    assert compared(session, world, area).agrees


def test_marking_as_released_looks_at_the_provider_once_more(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberDetail
) -> None:
    provider = at_twilio(session, world)
    provider.release(number.provider_sid or "")
    (row,) = compared(session, world, area).missing_there.rows
    provider.buy(number.e164, label="Front desk", voice_url=OURS)
    with pytest.raises(InvalidInput, match="holds the number again"):
        reconcile.mark_released(session, world.operator, row)
    assert ordering.on_record(session, world, number.id).status is NumberStatus.ACTIVE


def test_a_number_that_changed_here_meanwhile_is_not_marked_as_released(
    session: Session, world: World, area: str, number: numbers.NumberDetail
) -> None:
    at_twilio(session, world).release(number.provider_sid or "")
    (row,) = compared(session, world, area).missing_there.rows
    numbers.rename(session, world.admin, number.id, "Renamed", version=number.version)
    with pytest.raises(Conflict, match="since the comparison"):
        reconcile.mark_released(session, world.operator, row)
    assert ordering.on_record(session, world, number.id).status is NumberStatus.ACTIVE


def test_a_number_whose_release_is_under_way_is_left_to_its_order(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberDetail
) -> None:
    order = orders.place_release(session, world.operator, number.id, number.e164, version=number.version)
    sandbox.fault(Fault(Kind.DROP_AFTER, method="DELETE", path="/IncomingPhoneNumbers"))
    fulfilment.ask(order)
    (row,) = compared(session, world, area).missing_there.rows
    with pytest.raises(Conflict, match="is being ordered or changed already"):
        reconcile.mark_released(session, world.operator, row)
    assert fulfilment.settle(order)
    assert ordering.on_record(session, world, number.id).buy_back_until is not None


def test_what_differs_is_shown_by_the_rule_of_a_single_re_sync(
    session: Session, world: World, area: str, number: numbers.NumberDetail
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    at_twilio(session, world).set_webhooks(number.provider_sid or "", voice_url=ELSEWHERE, status_callback="")
    (row,) = compared(session, world, area).different.rows
    assert list(row.differences) == resync.differences(session, world.viewer, number.id)
    assert [(d.name, d.ours, d.theirs) for d in row.to_take_over] == [("Label", "Renamed", "Front desk")]
    assert [(d.name, d.ours, d.theirs) for d in row.webhooks] == [
        ("Voice URL", OURS, ELSEWHERE),
        ("Status callback", "https://voice.example.com/status", "—"),
    ]


def test_the_label_of_the_provider_is_taken_over(
    session: Session, world: World, area: str, number: numbers.NumberDetail
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    (row,) = compared(session, world, area).different.rows
    reconcile.take_over(session, world.operator, row, row.to_take_over)
    assert ordering.on_record(session, world, number.id).label == "Front desk"
    assert compared(session, world, area).agrees
    with pytest.raises(Conflict, match="since the comparison"):  # the second click of a double click
        reconcile.take_over(session, world.operator, row, row.to_take_over)


def test_a_number_that_was_bought_back_has_another_sid_that_comes_before_its_webhooks(
    session: Session, world: World, area: str, number: numbers.NumberDetail
) -> None:
    provider = at_twilio(session, world)
    provider.release(number.provider_sid or "")
    again = provider.buy(number.e164, label="Bought back", voice_url=ELSEWHERE)
    (row,) = compared(session, world, area).different.rows
    assert [difference.field for difference in row.to_take_over] == [resync.SID, resync.LABEL]
    with pytest.raises(InvalidInput, match="under another SID"):
        reconcile.place_webhooks(session, world.operator, row)
    reconcile.take_over(session, world.operator, row, row.to_take_over)
    now = ordering.on_record(session, world, number.id)
    assert (now.provider_sid, now.label) == (again.sid, "Bought back")
    (row,) = compared(session, world, area).different.rows
    fulfilment.ask(reconcile.place_webhooks(session, world.operator, row))
    assert compared(session, world, area).agrees


def test_nothing_is_taken_over_that_is_not_there_any_more(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberDetail
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    (row,) = compared(session, world, area).different.rows
    at_twilio(session, world).buy(number.e164, label="Another one")  # of what one owns: an update
    with pytest.raises(Conflict, match="changed at the provider since"):
        reconcile.take_over(session, world.operator, row, row.to_take_over)
    assert ordering.on_record(session, world, number.id).label == "Renamed"


def test_our_webhooks_are_set_through_an_order_and_what_was_there_is_kept(
    session: Session, world: World, area: str, number: numbers.NumberDetail
) -> None:
    at_twilio(session, world).set_webhooks(number.provider_sid or "", voice_url=ELSEWHERE)
    (row,) = compared(session, world, area).different.rows
    order = reconcile.place_webhooks(session, world.operator, row)
    with pytest.raises(Conflict, match="is being ordered or changed already"):
        reconcile.place_webhooks(session, world.operator, row)
    fulfilment.ask(order)
    settled = ordering.looked_up(session, world, order)
    assert (settled.state, settled.previous["voice_url"]) == (OrderState.CONFIRMED, ELSEWHERE)
    assert compared(session, world, area).agrees


def test_webhooks_that_changed_there_since_are_not_overwritten(
    session: Session, world: World, area: str, number: numbers.NumberDetail
) -> None:
    provider = at_twilio(session, world)
    provider.set_webhooks(number.provider_sid or "", voice_url=ELSEWHERE)
    (row,) = compared(session, world, area).different.rows
    provider.set_webhooks(number.provider_sid or "", voice_url="https://third.example.com")
    order = reconcile.place_webhooks(session, world.operator, row)
    fulfilment.ask(order)
    assert ordering.state(session, world, order) is OrderState.FAILED
    there = provider.find_owned_sid(number.provider_sid or "")
    assert there
    assert there.webhooks.voice_url == "https://third.example.com"


def test_webhooks_are_not_set_when_the_connection_has_others_by_now(
    session: Session, world: World, area: str, number: numbers.NumberDetail
) -> None:
    at_twilio(session, world).set_webhooks(number.provider_sid or "", voice_url=ELSEWHERE)
    (row,) = compared(session, world, area).different.rows
    _move_webhooks(session, world)
    with pytest.raises(Conflict, match="connection was changed"):
        reconcile.place_webhooks(session, world.operator, row)


def test_a_provider_that_fails_in_the_middle_gives_no_comparison(
    session: Session, world: World, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendors, "ATTEMPTS", 1)
    told: list[int] = []

    def fail_from_now_on(read: int) -> None:
        told.append(read)
        sandbox.fault(Fault(Kind.UNAVAILABLE, method="GET", path="/IncomingPhoneNumbers", times=None))

    with pytest.raises(vendors.ProviderProblem, match="list the account's numbers"):
        reconcile.compare(session, world.operator, world.twilio, fail_from_now_on)
    assert told == [1000]


def test_only_active_connections_whose_vendor_lists_what_it_holds_can_be_compared(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    assert [row.name for row in reconcile.offered(session, world.operator)] == ["Twilio"]
    for connection in (world.exotel, world.sip, world.retired, world.other_sip):
        with pytest.raises(InvalidInput, match="lists what it holds"):
            reconcile.compare(session, world.operator, connection)
    found = db.connections.find(session, Scope(world.tenant), world.twilio)
    assert found
    found.is_active = False
    session.commit()
    assert reconcile.offered(session, world.operator) == []
    with pytest.raises(InvalidInput, match="lists what it holds"):
        reconcile.compare(session, world.operator, world.twilio)


def test_who_may_not_and_who_has_no_tenant_sees_and_changes_nothing(
    session: Session, world: World, area: str, number: numbers.NumberDetail
) -> None:
    at_twilio(session, world).set_webhooks(number.provider_sid or "", voice_url=ELSEWHERE)
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    comparison = compared(session, world, area)
    (row,) = comparison.different.rows
    with pytest.raises(Forbidden):
        reconcile.offered(session, world.viewer)
    with pytest.raises(Forbidden):
        compared(session, world, area, world.viewer)
    with pytest.raises(Forbidden):
        reconcile.take_over(session, world.viewer, row, row.to_take_over)
    with pytest.raises(Forbidden):
        reconcile.place_webhooks(session, world.viewer, row)
    with pytest.raises(NotFound, match="Choose one tenant"):
        compared(session, world, area, world.everywhere)
    with pytest.raises(InvalidInput):
        compared(session, world, area, world.stranger)
    with pytest.raises(NotFound):
        reconcile.take_over(session, world.stranger, row, row.to_take_over)
    for actor in (world.admin, world.superadmin):
        assert compared(session, world, area, actor).different.total == 1


def test_what_was_changed_since_is_left_out_of_a_comparison(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    held(sandbox, f"{area}001")
    held(sandbox, f"{area}002")
    comparison = compared(session, world, area).without([f"{area}001"])
    assert [row.e164 for row in comparison.missing_here.rows] == [f"{area}002"]


def test_numbers_are_not_missing_when_a_part_of_them_is_compared(
    session: Session, world: World, area: str, number: numbers.NumberDetail
) -> None:
    at_twilio(session, world).release(number.provider_sid or "")
    assert compared(session, world, area[:-1] + "x9").missing_there.total == 0
    assert compared(session, world, number.e164[-7:]).missing_there.total == 1


def _move_webhooks(session: Session, world: World) -> None:
    found = db.connections.find(session, Scope(world.tenant), world.twilio)
    assert found
    found.voice_url = "https://voice.example.com/v2"
    session.commit()
