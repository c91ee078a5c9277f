"""What a number can be bought with, and what its regulator asks for."""

import pytest
from sqlmodel import Session

from providers.records import NumberType
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from services.core.errors import Forbidden
from services.orders import catalogue
from tests.conftest import World


def test_papers_say_what_the_regulator_asks_for(session: Session, world: World, sandbox: Sandbox) -> None:
    papers = catalogue.papers(session, world.operator, world.twilio, "DE", NumberType.LOCAL)
    assert {one.end_user.value for one in papers.regulations or ()} == {"individual", "business"}
    assert all(one.requirements for one in papers.regulations or ())
    assert papers.bundles
    assert catalogue.papers(session, world.operator, world.twilio, "US", NumberType.LOCAL).regulations == ()
    with pytest.raises(Forbidden):
        catalogue.papers(session, world.viewer, world.twilio, "DE", NumberType.LOCAL)


def test_a_purchase_does_not_wait_for_what_only_explains(session: Session, world: World, sandbox: Sandbox) -> None:
    sandbox.fault(Fault(Kind.UNAVAILABLE, path="/Regulations", times=None))
    papers = catalogue.papers(session, world.operator, world.twilio, "DE", NumberType.LOCAL)
    assert papers.regulations is None
    assert papers.bundles
