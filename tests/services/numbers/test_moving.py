"""Moving numbers to another tenant: they leave one and arrive in the other at once."""

import pytest
from sqlmodel import Session

from db.base.scope import Scope, Slice
from db.models import CampaignStatus, NumberStatus
from db.numbers import queries, rows
from services.audit import audit
from services.campaigns import campaigns
from services.core.errors import Forbidden, InvalidInput
from services.numbers import moving, numbers
from services.numbers.bulk import Chosen
from services.setup import builder
from tests.conftest import World
from tests.world import make
from tests.world.working import outcomes, run


def test_a_number_leaves_one_tenant_and_arrives_in_the_other(session: Session, world: World) -> None:
    number = make.number(session, world, label="Front desk", agent_id=world.agent, tags=["vip"], notes="Keep")
    campaign = campaigns.add(session, world.operator, "Spring", CampaignStatus.ACTIVE)
    campaigns.add_numbers(session, world.operator, campaign, [number], version=1)

    job = moving.draft(session, world.superadmin, Chosen((number,)), connection_id=world.other_sip)
    done = run(session, world.superadmin, job, "1")

    assert (done.title, done.changed) == ("Move to Other", 1)
    left = numbers.get(session, world.operator, number)
    assert (left.status, left.campaigns) == (NumberStatus.REMOVED, [])
    (place,) = campaigns_left(session, world, number)
    assert place == "Spring"
    arrived = queries.find_live(session, "+14155552671")
    assert arrived is not None
    found = rows.find(session, Scope(world.other_tenant), arrived.id)
    assert found is not None
    assert (found.label, found.agent, list(found.tags), found.notes) == ("Front desk", None, ["vip"], "Keep")
    assert (found.connection_id, found.version, found.status) == (world.other_sip, 1, NumberStatus.ACTIVE)
    here = audit.history(session, world.operator, "number", number, Slice())[0]
    there = audit.history(session, world.stranger, "number", arrived.id, Slice())
    assert (here.action, [event.action for event in there]) == ("numbers:move", ["numbers:add"])


def campaigns_left(session: Session, world: World, number: int) -> list[str]:
    return numbers.left_campaigns(session, world.operator, number)


def test_what_cannot_move_says_why(session: Session, world: World) -> None:
    managed = builder.number(session, world.tenant, "+14155550001", None, is_managed=True).id
    session.commit()
    job = moving.draft(session, world.superadmin, Chosen((managed,)), connection_id=world.other_sip)
    assert "cannot be moved" in outcomes(session, world.superadmin, job)["+14155550001"][1]
    with pytest.raises(InvalidInput, match="another tenant"):
        moving.draft(session, world.superadmin, Chosen((managed,)), connection_id=world.sip)
    with pytest.raises(InvalidInput):
        moving.draft(session, world.superadmin, Chosen((managed,)), connection_id=0)


def test_only_a_superadmin_moves(session: Session, world: World) -> None:
    number = make.number(session, world)
    for actor in (world.operator, world.admin):
        with pytest.raises(Forbidden):
            moving.draft(session, actor, Chosen((number,)), connection_id=world.other_sip)
