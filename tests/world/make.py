"""Numbers and orders for tests: numbers are put on record through the same door as users use."""

from datetime import UTC, datetime

from sqlmodel import Session

from db.models import NumberOrder, OrderKind
from services.core.access import Actor
from services.numbers import registration
from services.numbers.registration import Configuration
from services.people import sign_in
from services.setup import builder
from tests.conftest import World


def number(
    session: Session, world: World, text: str = "+14155552671", actor: Actor | None = None, **fields: object
) -> int:
    """Register *text* on the SIP connection of the actor's tenant and return its id."""
    actor = actor or world.operator
    connection = world.other_sip if actor.tenant_id == world.other_tenant else world.sip
    return registration.register(session, actor, text, connection, Configuration(**fields), insist=True)  # type: ignore[arg-type]


def order(
    session: Session, world: World, e164: str, kind: OrderKind = OrderKind.PURCHASE, **values: object
) -> NumberOrder:
    """Leave an order that the operator has placed on the Twilio connection, and nobody has asked for."""
    return builder.order(
        session, world.tenant, e164, kind, connection_id=world.twilio, placed_by=world.operator.user_id, **values
    )


def several(session: Session, world: World, amount: int) -> list[int]:
    """Register *amount* numbers, named `Line 0`, `Line 1` and so on."""
    return [number(session, world, f"+1415555{2000 + i}", label=f"Line {i}") for i in range(amount)]


def actor_of(session: Session, username: str, tenant: int | None = None) -> Actor | None:
    """Return a user as the database has it now, in the *tenant* that was chosen."""
    session.rollback()
    return sign_in.load_actor(session, username, datetime.now(UTC), tenant)
