"""Orders that are open, as the list and a number's page tell them, and as they are cancelled from there."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session

from db.models import NumberOrder, OrderState
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from services.orders import orders
from tests.conftest import World
from tests.pages.tab import buttons, press, signed_in, texts, visit
from tests.world import ordering
from tests.world.ordering import NUMBERS, bought, buy, for_sale, looked_up, on_record, state


def banner(texts: list[str]) -> str:
    return next(text for text in texts if text.startswith(":material/hourglass_top:"))


def test_the_list_says_when_an_uncertain_order_was_looked_at_and_will_be(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    sandbox.fault(Fault(Kind.DROP_AFTER, method="POST", path=NUMBERS))
    order = buy(session, world, for_sale(session, world))
    now = datetime.now(UTC)
    looks = {"last_looked_at": now - timedelta(minutes=3), "next_look_at": now + timedelta(minutes=12, seconds=30)}
    session.execute(sa.update(NumberOrder).values(**looks))
    session.commit()
    tab = signed_in("operator")
    told = banner(texts(tab, "markdown"))
    assert "1 order pending confirmation: purchase of +1 " in told
    assert "Last checked 3 minutes ago; next check in 12 minutes. We are checking with the provider;" in told
    assert "Cancel" not in buttons(tab)
    press(tab, "Check now")
    assert not tab.exception
    assert texts(tab, "toast") == ["1 order settled, 0 still open."]
    assert state(session, world, order) is OrderState.CONFIRMED


def test_what_was_not_sent_is_cancelled_from_the_list_by_who_may(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    e164 = for_sale(session, world)
    sandbox.fault(Fault(Kind.TOO_MANY, method="POST", path=NUMBERS, times=None, retry_after=60))
    order = buy(session, world, e164)
    viewer = signed_in("viewer")
    assert "1 order waiting to be sent" in banner(texts(viewer, "markdown"))
    assert not {"Cancel", "Check now"} & set(buttons(viewer))
    tab = press(signed_in("operator"), "Cancel")
    assert "The provider has not accepted this order yet:" in texts(tab, "markdown")
    press(tab, "Cancel 1 order")
    assert not tab.exception
    assert texts(tab, "toast") == ["1 order cancelled."]
    assert state(session, world, order) is OrderState.FAILED
    assert bought(sandbox, e164) == 0


def test_check_now_tells_in_full_what_could_not_be_looked_at(session: Session, world: World, sandbox: Sandbox) -> None:
    sandbox.fault(Fault(Kind.DROP_AFTER, method="POST", path=NUMBERS))
    buy(session, world, for_sale(session, world))
    sandbox.fault(Fault(Kind.UNAVAILABLE, method="GET", path=NUMBERS, times=None))
    tab = press(signed_in("operator"), "Check now")
    assert not tab.exception
    (told,) = texts(tab, "error")
    assert "0 orders settled, 0 still open; 1 could not be checked: Twilio could not list" in told


def test_a_numbers_page_says_how_its_order_stands_and_cancels_it(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    number = on_record(
        session, world, looked_up(session, world, buy(session, world, for_sale(session, world))).number_id
    )
    sandbox.fault(Fault(Kind.TOO_MANY, method="DELETE", path=NUMBERS, times=None, retry_after=60))
    order = orders.place_release(session, world.operator, number.id, number.e164, version=number.version)
    ordering.ask(order)
    tab = visit(signed_in("operator"), "number.py", id=str(number.id))
    (told,) = texts(tab, "warning")
    assert told.startswith("The release waits. Twilio could not release")
    assert "It is sent as soon as the provider accepts it, unless someone cancels it. Last checked " in told
    assert "next check in" in told
    press(tab, "Cancel")
    assert not tab.exception
    assert any("Cancelled by Operator" in text for text in texts(tab, "error"))
    assert state(session, world, order) is OrderState.FAILED
