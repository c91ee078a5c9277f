"""Webhooks mean what callers meet: methods, fallback, trunks and applications are shown, kept, set and restored."""

from dataclasses import asdict, replace

import pytest
from sqlmodel import Session

from db.base.scope import Slice
from db.models import NumberOrder, OrderState
from db.numbers.attention import Attention
from db.numbers.matching import NumberQuery
from providers.records import OwnedNumber, Webhooks
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from services.audit import audit
from services.core.errors import InvalidInput
from services.numbers import numbers
from services.numbers.bulk import Chosen
from services.orders import bulk, catalogue, orders, resync, webhook_orders
from services.orders.orders import Configuration
from tests.conftest import World
from tests.world import ordering, reconciling
from tests.world.ordering import NUMBERS, looked_up, state
from tests.world.working import outcomes, run

TRUNK, APPLICATION = "TK" + "a" * 32, "AP" + "b" * 32
OURS = f"POST {reconciling.OURS}"
BY_HAND = {
    "voice_url": "https://old.example.com/voice",
    "voice_method": "GET",
    "voice_fallback_url": "https://old.example.com/fallback",
    "voice_fallback_method": "GET",
    "status_callback": "https://old.example.com/status",
    "status_callback_method": "GET",
}
ROUTED = [{"trunk_sid": TRUNK}, {"voice_application_sid": APPLICATION}]


def there(session: Session, world: World, sandbox: Sandbox, e164: str, settings: dict[str, str]) -> OwnedNumber:
    """Have the account hold a number with *settings*, and return it."""
    reconciling.held(sandbox, e164, settings)
    found = reconciling.at_twilio(session, world).find_owned(e164)
    assert found
    return found


def place(session: Session, world: World, number: OwnedNumber, *, agreed: bool = False) -> int:
    return orders.place_import(
        session,
        world.operator,
        world.twilio,
        number.e164,
        number.sid,
        number.webhooks,
        Configuration(),
        stop_routing=agreed,
    )


def now_at(session: Session, world: World, sid: str) -> Webhooks:
    return reconciling.at_twilio(session, world).webhooks(sid)


@pytest.mark.parametrize("settings", ROUTED)
def test_a_routing_is_stopped_only_when_that_was_agreed_to_and_can_be_restored(
    session: Session, world: World, sandbox: Sandbox, area: str, settings: dict[str, str]
) -> None:
    (routing,) = settings.values()
    number = there(session, world, sandbox, f"{area}001", settings | {"voice_url": reconciling.OURS})
    with pytest.raises(InvalidInput, match=f"{routing}.*Confirm") as refused:
        place(session, world, number)
    assert refused.value.field == "stop_routing"
    session.rollback()
    assert sandbox.calls_reach(number.e164) == routing

    order = place(session, world, number, agreed=True)
    ordering.ask(order)
    seen = looked_up(session, world, order)
    assert (seen.state, sandbox.calls_reach(number.e164)) == (OrderState.CONFIRMED, OURS)
    record = seen.number_id or 0
    assert resync.differences(session, world.viewer, record) == []

    now, before = catalogue.webhooks_now(session, world.operator, record), webhook_orders.stored(seen.previous)
    restore = orders.place_webhooks(session, world.operator, record, now, before)
    ordering.ask(restore)
    assert state(session, world, restore) is OrderState.CONFIRMED
    assert sandbox.calls_reach(number.e164) == routing
    assert now_at(session, world, number.sid) == number.webhooks
    assert ("—", routing, "") in [
        (one.ours, one.theirs, one.field) for one in resync.differences(session, world.viewer, record)
    ]
    event = audit.history(session, world.viewer, "number", record, Slice())[0]
    assert routing in event.after.values()
    assert set(event.before) >= {"voice_url", "status_callback"}
    assert ordering.on_record(session, world, record).id in [
        row.id
        for row in numbers.search(
            session, world.viewer, NumberQuery(attention=(Attention.WEBHOOKS_ELSEWHERE,)), Slice()
        )
    ]


def test_methods_and_fallback_are_set_so_that_calls_reach_ours_and_can_be_restored(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    number = there(session, world, sandbox, f"{area}001", BY_HAND)
    order = place(session, world, number)
    ordering.ask(order)
    seen = looked_up(session, world, order)
    now = now_at(session, world, number.sid)
    assert seen.state is OrderState.CONFIRMED
    assert sandbox.calls_reach(number.e164) == OURS
    assert (now.voice_fallback_url, now.status_callback_method) == ("", "POST")
    restore = orders.place_webhooks(
        session, world.operator, seen.number_id or 0, now, webhook_orders.stored(seen.previous)
    )
    ordering.ask(restore)
    assert now_at(session, world, number.sid) == number.webhooks


@pytest.mark.parametrize("field", ["voice_method", "status_callback_method", "voice_fallback_url", "trunk_sid"])
def test_everything_that_differs_for_callers_is_shown_by_re_sync_and_reconcile_and_put_right(
    session: Session, world: World, sandbox: Sandbox, number: numbers.NumberRow, field: str
) -> None:
    values = {"voice_fallback_url": "https://old.example.com/fallback", "trunk_sid": TRUNK}
    theirs = values.get(field, "GET")
    reconciling.at_twilio(session, world).set_webhooks(number.provider_sid or "", **{field: theirs})
    (difference,) = resync.differences(session, world.viewer, number.id)
    assert (difference.name, difference.theirs) == (webhook_orders.NAMES[field], theirs)
    (row,) = reconciling.compared(session, world, number.e164).webhooks
    assert [one.name for one in row.differences] == [webhook_orders.NAMES[field]]
    if field == "trunk_sid":
        job = bulk.draft_webhooks(session, world.operator, Chosen((number.id,)))
        assert "Confirm" in outcomes(session, world.operator, job)[number.e164][1]
    job = bulk.draft_webhooks(session, world.operator, Chosen((number.id,)), stop_routing=field == "trunk_sid")
    assert run(session, world.operator, job).changed == 1
    assert sandbox.calls_reach(number.e164) == OURS
    assert resync.differences(session, world.viewer, number.id) == []


@pytest.mark.parametrize(
    "change",
    [
        {"voice_method": "GET"},
        {"voice_fallback_url": "https://third.example.com"},
        {"voice_fallback_method": "GET"},
        {"status_callback_method": "GET"},
        {"sms_url": "https://third.example.com"},
        {"trunk_sid": TRUNK},
        {"voice_application_sid": APPLICATION},
    ],
)
def test_what_somebody_changed_since_it_was_shown_is_not_overwritten(
    session: Session, world: World, sandbox: Sandbox, area: str, change: dict[str, str]
) -> None:
    number = there(session, world, sandbox, f"{area}001", {"voice_url": "https://old.example.com/voice"})
    order = place(session, world, number, agreed=True)
    changed = reconciling.at_twilio(session, world).set_webhooks(number.sid, **change)
    ordering.ask(order)
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.FAILED
    assert "Nothing was overwritten" in (seen.problem or "")
    assert now_at(session, world, number.sid) == changed.webhooks


def test_an_order_whose_answer_was_lost_is_not_confirmed_while_a_trunk_has_the_calls(
    session: Session, world: World, sandbox: Sandbox, area: str, no_grace: None
) -> None:
    number = there(session, world, sandbox, f"{area}001", {"trunk_sid": TRUNK, "voice_url": reconciling.OURS})
    provider = reconciling.at_twilio(session, world)
    provider.set_webhooks(number.sid, status_callback="https://voice.example.com/status")
    order = place(session, world, replace(number, webhooks=provider.webhooks(number.sid)), agreed=True)
    sandbox.fault(Fault(Kind.DROP_BEFORE, method="POST", path=NUMBERS))
    ordering.ask(order)
    assert not ordering.settle(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    assert ordering.settle(order)
    assert state(session, world, order) is OrderState.FAILED
    assert sandbox.calls_reach(number.e164) == TRUNK


def test_an_answer_that_is_not_the_documented_one_is_looked_at_and_not_believed(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    number = there(session, world, sandbox, f"{area}001", BY_HAND)
    sandbox.fault(Fault(Kind.ERROR, method="POST", path=NUMBERS, status=200))
    order = place(session, world, number)
    ordering.ask(order)
    assert not ordering.settle(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    assert now_at(session, world, number.sid) == number.webhooks


def as_before(session: Session, order: int, *, routed_by: str | None = None) -> None:
    """Make an order one of an older version, which kept neither methods, fallback nor routing but by its SID."""
    row = session.get_one(NumberOrder, order)
    later = {"voice_method", "status_callback_method", "voice_fallback_url", "voice_fallback_method"}
    later |= {"trunk_sid", "voice_application_sid"}
    row.configuration = {name: value for name, value in row.configuration.items() if name not in later}
    row.previous = {name: value for name, value in row.previous.items() if name not in later} | {"routed_by": routed_by}
    session.commit()


def test_an_order_of_an_older_version_replaces_nothing_that_it_does_not_know(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    fallback = {"voice_url": "https://old.example.com", "voice_fallback_url": "https://old.example.com/fallback"}
    kept = there(session, world, sandbox, f"{area}001", fallback)
    order = place(session, world, kept)
    as_before(session, order)
    ordering.ask(order)
    now = now_at(session, world, kept.sid)
    assert state(session, world, order) is OrderState.CONFIRMED
    assert (now.voice_url, now.voice_fallback_url) == (reconciling.OURS, kept.webhooks.voice_fallback_url)

    routed = there(session, world, sandbox, f"{area}002", {"trunk_sid": TRUNK})
    order = place(session, world, routed, agreed=True)
    as_before(session, order, routed_by=TRUNK)
    ordering.ask(order)
    assert state(session, world, order) is OrderState.FAILED
    assert sandbox.calls_reach(routed.e164) == TRUNK

    by_get = there(session, world, sandbox, f"{area}003", {"voice_method": "GET", "voice_url": reconciling.OURS})
    order = place(session, world, by_get)
    as_before(session, order)
    ordering.ask(order)
    assert state(session, world, order) is not OrderState.CONFIRMED


def test_a_routing_that_older_imports_left_in_place_points_elsewhere(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    query = NumberQuery(attention=(Attention.WEBHOOKS_ELSEWHERE,))
    number = there(session, world, sandbox, f"{area}001", {"trunk_sid": TRUNK})
    order = place(session, world, number, agreed=True)
    ordering.ask(order)
    session.rollback()
    assert numbers.search(session, world.viewer, query, Slice()) == []
    as_before(session, order, routed_by=TRUNK)
    (row,) = numbers.search(session, world.viewer, query, Slice())
    assert row.e164 == number.e164


def test_what_orders_keep_is_read_whatever_version_wrote_it() -> None:
    now = Webhooks(voice_method="GET", voice_fallback_url="https://now.example.com", trunk_sid=TRUNK)
    old = {"voice_url": "https://a.example.com", "sms_url": "", "status_callback": "", "routed_by": APPLICATION}
    assert webhook_orders.stored(old, now) == replace(
        now, voice_url="https://a.example.com", trunk_sid="", voice_application_sid=APPLICATION
    )
    assert webhook_orders.stored(old | {"routed_by": None}, now).routed_by == ""
    assert webhook_orders.stored({"voice_url": "https://a.example.com"}, now).trunk_sid == TRUNK
    assert webhook_orders.stored({}, now) == Webhooks()
    whole = Webhooks("https://a.example.com", voice_method="GET", voice_application_sid=APPLICATION)
    assert webhook_orders.stored(asdict(whole), now) == whole
