"""Pools of campaigns changed for many numbers at once."""

from datetime import UTC, datetime

import pytest
from sqlmodel import Session

from db.base.scope import Slice
from db.models import CampaignNumber, CampaignStatus, Outcome, PoolStatus
from services.audit import audit
from services.campaigns import bulk, campaigns, replacing
from services.core.errors import Forbidden, InvalidInput, NotFound
from services.jobs import jobs
from services.numbers import numbers
from services.numbers.bulk import Chosen
from tests.conftest import World
from tests.world import make
from tests.world.working import finished, outcomes, run

ADDED = datetime(2026, 8, 18, 12, tzinfo=UTC)


@pytest.fixture
def campaign(session: Session, world: World) -> int:
    return campaigns.add(session, world.operator, "Spring", CampaignStatus.ACTIVE)


def statuses(session: Session, world: World, campaign: int) -> list[PoolStatus]:
    session.rollback()
    day = campaigns.get(session, world.operator, campaign).created_at.date()
    return [row.pool_status for row in campaigns.pool(session, world.operator, campaign, day, Slice(1, 100))]


def test_many_join_a_pool_in_one_change_of_the_campaign(session: Session, world: World, campaign: int) -> None:
    ids = make.several(session, world, 4)
    numbers.deactivate(session, world.operator, ids[0], version=1)
    campaigns.add_numbers(session, world.operator, campaign, ids[1:2], version=1)

    job = bulk.draft_join(session, world.operator, Chosen(tuple(ids)), campaign_id=campaign)
    done = run(session, world.operator, job)

    assert (done.title, done.changed, done.refused) == ("Add to Spring", 2, 1)
    assert outcomes(session, world.operator, job)["+14155552000"][1].startswith("This number is not active")
    assert statuses(session, world, campaign) == [PoolStatus.ACTIVE] * 3
    event = audit.history(session, world.operator, "campaign", campaign, Slice())[0]
    assert (event.action, event.version) == ("campaigns:add_numbers", 3)
    assert event.after == {"+14155552002": "active", "+14155552003": "active", "job": str(job)}


def test_many_are_paused_removed_and_brought_back(session: Session, world: World, campaign: int) -> None:
    ids = make.several(session, world, 3)
    campaigns.add_numbers(session, world.operator, campaign, ids, version=1)
    campaigns.set_primary(session, world.operator, campaign, ids[0], version=2)
    places = bulk.everything_in_pool(session, world.operator, campaign)
    assert sorted(places) == [(campaign, one) for one in ids]

    pause = bulk.draft_status(session, world.operator, places, PoolStatus.COOLING)
    assert run(session, world.operator, pause).changed == 3
    assert statuses(session, world, campaign) == [PoolStatus.COOLING] * 3

    leave = bulk.draft_leave(session, world.operator, places)
    assert run(session, world.operator, leave).changed == 3
    assert campaigns.get(session, world.operator, campaign).primary_number is None
    assert statuses(session, world, campaign) == []

    undoing = jobs.undo(session, world.operator, leave)
    assert finished(session, world.operator, undoing).changed == 3
    assert statuses(session, world, campaign) == [PoolStatus.COOLING] * 3


def test_a_place_that_was_changed_since_is_left(session: Session, world: World, campaign: int) -> None:
    ids = make.several(session, world, 2)
    campaigns.add_numbers(session, world.operator, campaign, ids, version=1)
    places = [(campaign, one) for one in ids]
    job = bulk.draft_status(session, world.operator, places, PoolStatus.COOLING)
    campaigns.edit_place(session, world.admin, campaign, ids[0], PoolStatus.PAUSED, None, version=2)

    assert run(session, world.operator, job).changed == 1
    assert [one for one, _ in outcomes(session, world.operator, job).values()] == [Outcome.REFUSED, Outcome.CHANGED]
    assert statuses(session, world, campaign) == [PoolStatus.PAUSED, PoolStatus.COOLING]


def test_only_who_may_change_campaigns_and_only_their_own(session: Session, world: World, campaign: int) -> None:
    number = make.number(session, world)
    with pytest.raises(Forbidden):
        bulk.draft_join(session, world.viewer, Chosen((number,)), campaign_id=campaign)
    with pytest.raises(NotFound):
        bulk.draft_join(session, world.stranger, Chosen((number,)), campaign_id=campaign)
    with pytest.raises(InvalidInput, match="Choose a pool status"):
        bulk.draft_status(session, world.operator, [(campaign, number)], PoolStatus.REMOVED)


def test_numbers_are_replaced_by_spare_ones_nearby_and_the_primary_number_is_handed_over(
    session: Session, world: World, campaign: int
) -> None:
    tired = [make.number(session, world, e164) for e164 in ("+14155552001", "+13125552002", "+442079460000")]
    near, far = (make.number(session, world, e164) for e164 in ("+14155559001", "+12125559002"))
    campaigns.add_numbers(session, world.operator, campaign, tired, version=1)
    campaigns.set_primary(session, world.operator, campaign, tired[0], version=2)
    place = session.get_one(CampaignNumber, (campaign, tired[0]))
    place.weight, place.added_at = 1.15, ADDED
    session.commit()
    places = bulk.everything_in_pool(session, world.operator, campaign)

    job = replacing.draft(session, world.operator, places)
    assert outcomes(session, world.operator, job) == {
        "+14155552001": (Outcome.WAITING, ""),
        "+14155559001": (Outcome.WAITING, ""),
        "+13125552002": (Outcome.WAITING, ""),
        "+12125559002": (Outcome.WAITING, ""),
        "+442079460000": (Outcome.REFUSED, replacing.NO_SPARE),
    }
    done = run(session, world.operator, job)
    assert (done.changed, done.refused) == (4, 1)
    assert pooled(session, world, campaign) == {near, far, tired[2]}
    assert campaigns.get(session, world.operator, campaign).primary_number == "+14155559001"
    again = replacing.draft(session, world.operator, [(campaign, near)])  # what left the pool is not spare
    assert outcomes(session, world.operator, again) == {"+14155559001": (Outcome.REFUSED, replacing.NO_SPARE)}
    before = session.get_one(CampaignNumber, (campaign, tired[0]))
    undone = finished(session, world.operator, jobs.undo(session, world.operator, job))
    assert undone.changed == 4
    assert pooled(session, world, campaign) == set(tired)
    assert campaigns.get(session, world.operator, campaign).primary_number == "+14155552001"
    session.refresh(before)
    assert (before.weight, before.added_at) == (1.15, ADDED)


def test_a_number_stays_in_its_pool_when_its_replacement_cannot_join(
    session: Session, world: World, campaign: int
) -> None:
    tired, spare = (make.number(session, world, e164) for e164 in ("+14155552001", "+14155559001"))
    campaigns.add_numbers(session, world.operator, campaign, [tired], version=1)
    job = replacing.draft(session, world.operator, [(campaign, tired)])
    numbers.deactivate(session, world.operator, spare, version=1)
    done = run(session, world.operator, job)
    assert (done.changed, done.refused) == (0, 2)
    assert "Its replacement is not in the pool" in outcomes(session, world.operator, job)["+14155552001"][1]
    assert pooled(session, world, campaign) == {tired}
    for actor, error in ((world.viewer, Forbidden), (world.stranger, NotFound)):
        with pytest.raises(error):
            replacing.draft(session, actor, [(campaign, tired)])


def pooled(session: Session, world: World, campaign: int) -> set[int]:
    session.rollback()
    return {number_id for _, number_id in bulk.everything_in_pool(session, world.operator, campaign)}


def test_one_spare_number_joins_one_pool(session: Session, world: World, campaign: int) -> None:
    other = campaigns.add(session, world.operator, "Autumn", CampaignStatus.ACTIVE)
    tired = [make.number(session, world, e164) for e164 in ("+14155552001", "+14155552002")]
    spare = make.number(session, world, "+14155559001")
    for at, number_id in zip((campaign, other), tired, strict=True):
        campaigns.add_numbers(session, world.operator, at, [number_id], version=1)
    first, second = (
        replacing.draft(session, world.operator, [(at, one)]) for at, one in zip((campaign, other), tired, strict=True)
    )
    assert run(session, world.operator, first).changed == 2
    assert run(session, world.operator, second).refused == 2
    assert (pooled(session, world, campaign), pooled(session, world, other)) == ({spare}, {tired[1]})
