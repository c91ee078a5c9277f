"""Ordering as tests do it: numbers for sale, bought, looked up; and what the sandbox's ledger says."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import requests
from sqlmodel import Session

import db.base.engine
import db.orders.queries
from db.base.money import Money
from db.base.scope import Scope
from db.models import OrderState
from db.orders.queries import OrderRow
from providers.records import NumberSearch, OwnedNumber
from providers.sandbox.server import Sandbox
from services.core import settings
from services.numbers import numbers
from services.orders import catalogue, fulfilment, orders
from services.orders.orders import Configuration, Purchase
from services.orders.sweep import Sweep
from tests.conftest import World

NUMBERS = "/IncomingPhoneNumbers"
PRICE = Money(Decimal("1.15"), "USD")


def ask(order_id: int) -> None:
    """Send the order to the provider, unless already sent."""
    with db.base.engine.open_session() as session:
        order = db.orders.queries.find(session, order_id)
        is_new = order is not None and order.state is OrderState.PLACED and order.asked_at is None
    if is_new:
        settle(order_id)


def settle(order_id: int) -> bool:
    """Take an order's next step now; return whether it is settled."""
    return fulfilment.drive(order_id, even_early=True).is_settled


def for_sale(session: Session, world: World, country: str = "US") -> str:
    """Return a number that nobody has bought yet: those that other tests gave back are for sale again."""
    found = catalogue.search(session, world.operator, world.twilio, NumberSearch(country))
    return next(number.e164 for number in reversed(found) if not entries(settings.sandbox_url(), number.e164))


def buy(session: Session, world: World, e164: str, **chosen: object) -> int:
    configuration = Configuration(**chosen)  # type: ignore[arg-type]
    order = orders.place_purchase(
        session, world.operator, world.twilio, Purchase(e164, price=PRICE, configuration=configuration)
    )
    ask(order)
    return order


def place(session: Session, world: World, e164: str) -> int:
    return orders.place_purchase(session, world.operator, world.twilio, Purchase(e164, price=PRICE))


def bought(sandbox: Sandbox, e164: str) -> int:
    return ledger(sandbox, e164).count("purchase")


def ledger(sandbox: Sandbox, e164: str) -> list[str]:
    return entries(sandbox.url, e164)


def entries(url: str, e164: str) -> list[str]:
    answer = requests.get(f"{url}/ledger", params={"number": e164}, timeout=5).json()
    return [entry["action"] for entry in answer["entries"]]


def looked_up(session: Session, world: World, order: int) -> OrderRow:
    session.rollback()  # to see what others wrote
    return orders.get(session, world.viewer, order)


def on_record(session: Session, world: World, number: int | None) -> numbers.NumberRow:
    session.rollback()
    return numbers.get(session, world.viewer, number)


def state(session: Session, world: World, order: int) -> OrderState:
    return looked_up(session, world, order).state


def none_open(session: Session) -> bool:
    session.rollback()  # to see what others wrote
    return not db.orders.queries.still_open(session, Scope(None))


def owned(session: Session, world: World) -> OwnedNumber:
    """Return a number of the account that no test has taken over yet."""
    token = None
    while True:
        page = catalogue.owned_page(session, world.operator, world.twilio, matching="", token=token)
        for row in page.rows:
            if row.number.webhooks.voice_url.startswith("https://ivr.example.net"):
                return row.number
        token = page.next_token


@contextmanager
def sweeping() -> Iterator[None]:
    sweep = Sweep(lambda: None)
    try:
        yield
    finally:
        sweep.stop()
