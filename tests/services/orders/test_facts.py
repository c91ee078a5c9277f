"""What a provider holds goes on record, whatever the library calls it and whatever has changed here meanwhile."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from db.base.money import Money
from db.base.scope import Slice
from db.models import (
    UNSETTLED,
    Agent,
    CampaignStatus,
    Connection,
    NumberOrder,
    NumberStatus,
    NumberType,
    OrderKind,
    OrderState,
    PhoneNumber,
    Tenant,
    User,
)
from db.numbers.matching import NumberQuery
from providers.records import Webhooks
from providers.sandbox.accounts import MAIN
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from providers.sandbox.stock import StockNumber, held
from providers.sandbox.store import OwnedSeed, add_stock
from services.numbers import numbers
from services.orders import fulfilment, orders, resync, webhook_orders
from services.orders.orders import Configuration, Purchase
from services.setup import builder
from services.text import exports, numbering
from tests.conftest import World
from tests.world import ordering, reconciling
from tests.world.ordering import NUMBERS, PRICE, buy, for_sale, looked_up, on_record, owned, place, state

THEIRS = "https://theirs.example.com/voice"
_impossible = (f"+5215512{n:06}" for n in count(345678))


def impossible(sandbox: Sandbox, *, is_held: bool) -> str:
    """Return a number as Mexico had them until 2020, which the library calls impossible; for sale, or held."""
    e164 = next(_impossible)
    if is_held:
        sandbox.seed_owned([OwnedSeed(e164, MAIN.sid, label="Ventas", voice_url=THEIRS)])
        return e164
    like = next(held("US", "local", 1))
    with sandbox.store.writing() as store:
        add_stock(store, [StockNumber(e164, "MX", "mobile", like.prefix, like.range)])
    return e164


def compare(session: Session, world: World, e164: str) -> reconciling.Found:
    return reconciling.compared(session, world, e164)


def test_a_number_that_the_library_calls_impossible_is_imported_and_found_everywhere(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = impossible(sandbox, is_held=True)
    comparison = compare(session, world, e164)
    number_id = reconciling.imported(session, world, comparison.only_there[0], comparison)
    number = on_record(session, world, number_id)
    # The type is the provider's word; it has none for the country.
    assert (number.e164, number.country, number.number_type, number.label) == (e164, "", NumberType.LOCAL, "Ventas")
    for text in (e164, e164[3:], numbering.display(e164), e164.removeprefix("+")):
        query = NumberQuery(search=numbering.search_text(text))
        assert [row.e164 for row in numbers.search(session, world.viewer, query, Slice())] == [e164], text
        assert numbers.count(session, world.viewer, query) == 1
    assert numbering.display(e164).replace(" ", "") == e164
    assert numbering.country(number.country) == "—"
    made = exports.numbers(numbers.export(session, world.operator, NumberQuery()), ZoneInfo("UTC"))
    assert e164 in exports.text([made]).decode()
    assert compare(session, world, e164).comparison.same == 1
    assert resync.differences(session, world.operator, number_id) == []


def test_such_a_number_is_bought_released_and_bought_back(session: Session, world: World, sandbox: Sandbox) -> None:
    e164 = impossible(sandbox, is_held=False)
    purchase = Purchase(e164, "MX", "mobile", Money(Decimal("4.00"), "USD"), Configuration(label="Ventas"))
    order = orders.place_purchase(session, world.operator, world.twilio, purchase)
    ordering.ask(order)
    number = on_record(session, world, looked_up(session, world, order).number_id)
    assert (number.e164, number.country, number.number_type) == (e164, "MX", NumberType.MOBILE)
    release = orders.place_release(session, world.operator, number.id, e164, version=number.version)
    ordering.ask(release)
    assert on_record(session, world, number.id).status is NumberStatus.RELEASED
    back = orders.place_buy_back(session, world.operator, number.id)
    ordering.ask(back)
    assert state(session, world, back) is OrderState.CONFIRMED


def _agent_off(session: Session, world: World) -> None:
    session.get_one(Agent, world.agent).is_active = False


def _agent_gone(session: Session, world: World) -> None:
    session.delete(session.get_one(Agent, world.agent))


def _connection_off(session: Session, world: World) -> None:
    session.get_one(Connection, world.twilio).is_active = False


def _connection_renamed(session: Session, world: World) -> None:
    session.get_one(Connection, world.twilio).name = "Another name"


def _tenant_suspended(session: Session, world: World) -> None:
    session.get_one(Tenant, world.tenant).suspended_at = datetime.now(UTC)


def _user_off(session: Session, world: World) -> None:
    session.get_one(User, world.operator.user_id).is_active = False


def _label_odd(session: Session, world: World) -> None:
    for order in session.scalars(sa.select(NumberOrder).where(UNSETTLED)):
        order.configuration = order.configuration | {
            "label": "x" * 65 + "\n",
            "country": "Mexico",
            "number_type": "moon",
        }


MEANWHILE = (_agent_off, _agent_gone, _connection_off, _connection_renamed, _tenant_suspended, _user_off, _label_odd)


@pytest.mark.parametrize("meanwhile", MEANWHILE, ids=lambda act: act.__name__)
@pytest.mark.parametrize("kind", list(OrderKind))
def test_whatever_has_changed_meanwhile_an_order_that_took_effect_ends_confirmed(
    session: Session,
    world: World,
    sandbox: Sandbox,
    kind: OrderKind,
    meanwhile: Callable[[Session, World], None],
) -> None:
    chosen = Configuration(label="Chosen", agent_id=world.agent)
    method = {OrderKind.RELEASE: "DELETE"}.get(kind, "POST")
    if kind is OrderKind.PURCHASE:
        purchase = Purchase(for_sale(session, world), "US", "local", PRICE, chosen)
        order = orders.place_purchase(session, world.operator, world.twilio, purchase)
    elif kind is OrderKind.IMPORT:
        there = owned(session, world)
        order = orders.place_import(
            session, world.operator, world.twilio, there.e164, there.sid, there.webhooks, chosen
        )
    else:
        bought = looked_up(session, world, buy(session, world, for_sale(session, world)))
        number = on_record(session, world, bought.number_id)
        if kind is OrderKind.RELEASE:
            builder.campaign(session, world.tenant, "Spring", [number.id], status=CampaignStatus.ENDED)
            session.commit()
            order = orders.place_release(session, world.operator, number.id, number.e164, version=number.version)
        else:
            ours = webhook_orders.stored(bought.configuration)
            wanted = Webhooks(voice_url=THEIRS, status_callback=ours.status_callback)
            order = orders.place_webhooks(session, world.operator, number.id, ours, wanted)
    sandbox.fault(Fault(Kind.DROP_AFTER, method=method, path=NUMBERS))
    ordering.ask(order)
    assert state(session, world, order) is OrderState.UNKNOWN
    meanwhile(session, world)
    session.commit()
    ordering.settle(order)
    seen = looked_up(session, world, order)
    assert (seen.state, seen.problem) == (OrderState.CONFIRMED, None)
    if kind in (OrderKind.PURCHASE, OrderKind.IMPORT):
        number = on_record(session, world, seen.number_id)
        gone = meanwhile is _agent_gone
        assert (number.agent_id, number.label[:1]) == (
            None if gone else world.agent,
            "x" if meanwhile is _label_odd else "C",
        )


def test_a_failure_of_ours_between_the_effect_and_its_record_is_told_and_made_good(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    order = place(session, world, for_sale(session, world))
    row = session.get_one(NumberOrder, order)
    kept = row.configuration
    row.configuration = kept | {"country": 5}  # as no version of ours ever wrote it
    session.commit()
    session.expire_all()
    assert fulfilment.carry_on(order, even_early=True).is_ours
    seen = looked_up(session, world, order)
    assert seen.state is OrderState.UNKNOWN
    assert "something went wrong on our side" in (seen.problem or "")
    session.get_one(NumberOrder, order).configuration = kept
    session.commit()
    session.expire_all()
    assert ordering.settle(order)
    assert looked_up(session, world, order).state is OrderState.CONFIRMED


def test_a_number_that_is_on_record_elsewhere_is_told_so_until_it_is_not(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(Kind.DROP_AFTER, method="POST", path=NUMBERS))
    order = buy(session, world, e164)
    other = builder.number(session, world.other_tenant, e164)  # as a restored backup has it
    session.commit()
    assert not ordering.settle(order)
    assert "has this number elsewhere" in (looked_up(session, world, order).problem or "")
    session.delete(session.get_one(PhoneNumber, other.id))
    session.commit()
    assert ordering.settle(order)
    assert state(session, world, order) is OrderState.CONFIRMED
