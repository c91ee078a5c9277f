"""Campaigns: their pools, who may change them, and that nothing crosses tenants."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.base.engine
from db.base.scope import Slice
from db.campaigns import CampaignQuery, CampaignSort, PoolRow
from db.models import Campaign, CampaignStatus, PoolStatus
from services.audit import audit
from services.campaigns import campaigns
from services.core.access import Actor
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.numbers import numbers
from services.setup import builder
from tests.conftest import World
from tests.world import make

TODAY = date(2026, 3, 15)


def added(session: Session, world: World, name: str = "Renewals", actor: Actor | None = None) -> int:
    return campaigns.add(session, actor or world.operator, name, CampaignStatus.ACTIVE)


def pool(session: Session, world: World, campaign: int) -> list[PoolRow]:
    return campaigns.pool(session, world.viewer, campaign, TODAY, Slice())


def test_a_campaign_is_added_and_changed(session: Session, world: World) -> None:
    campaign = added(session, world)
    version = campaigns.edit(session, world.operator, campaign, "Winback", CampaignStatus.PAUSED, version=1)
    found = campaigns.get(session, world.viewer, campaign)
    assert (found.name, found.status, found.version, found.pool) == ("Winback", CampaignStatus.PAUSED, version, 0)
    with pytest.raises(Conflict) as refused:
        campaigns.edit(session, world.admin, campaign, "Other", CampaignStatus.ACTIVE, version=1)
    assert refused.value.changes[0].after == {"name": "Winback", "status": "paused"}


def test_names_are_needed_once_in_a_tenant(session: Session, world: World) -> None:
    added(session, world)
    for name in ("", "x" * 81, "RENEWALS"):
        with pytest.raises(InvalidInput):
            added(session, world, name)
    added(session, world, "Renewals", world.stranger)


def test_viewers_write_nothing_and_strangers_see_nothing(session: Session, world: World) -> None:
    campaign, number = added(session, world), make.number(session, world)
    campaigns.add_numbers(session, world.operator, campaign, [number], version=1)
    attempts: list[Callable[[Actor], object]] = [
        lambda actor: campaigns.edit(session, actor, campaign, "X", CampaignStatus.ACTIVE, version=2),
        lambda actor: campaigns.set_primary(session, actor, campaign, number, version=2),
        lambda actor: campaigns.add_numbers(session, actor, campaign, [number], version=2),
        lambda actor: campaigns.edit_place(session, actor, campaign, number, PoolStatus.PAUSED, None, version=2),
        lambda actor: campaigns.remove_number(session, actor, campaign, number, version=2),
        lambda actor: campaigns.candidates(session, actor, campaign, "415"),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt(world.viewer)
        with pytest.raises(NotFound):
            attempt(world.stranger)
    with pytest.raises(NotFound):
        campaigns.get(session, world.stranger, campaign)
    assert campaigns.pool(session, world.stranger, campaign, TODAY, Slice()) == []
    with pytest.raises(NotFound):
        added(session, world, "X", world.everywhere)


def test_a_pool_takes_active_numbers_of_the_tenant_only(session: Session, world: World) -> None:
    campaign = added(session, world)
    mine, paused = make.several(session, world, 2)
    others = make.number(session, world, "+13055552671", world.stranger)
    numbers.deactivate(session, world.operator, paused, version=1)
    with pytest.raises(NotFound):
        campaigns.add_numbers(session, world.operator, campaign, [mine, others], version=1)
    session.rollback()
    with pytest.raises(InvalidInput, match="not active"):
        campaigns.add_numbers(session, world.superadmin, campaign, [mine, paused], version=1)
    session.rollback()
    with pytest.raises(NotFound):
        campaigns.add_numbers(session, world.everywhere, campaign, [others], version=1)
    session.rollback()
    for none in ([], list(range(1, 102))):
        with pytest.raises(InvalidInput):
            campaigns.add_numbers(session, world.operator, campaign, none, version=1)
    assert pool(session, world, campaign) == []
    campaigns.add_numbers(session, world.operator, campaign, [mine], version=1)
    assert campaigns.add_numbers(session, world.operator, campaign, [mine], version=2) == 2
    with pytest.raises(Conflict):
        campaigns.add_numbers(session, world.operator, campaign, [paused], version=1)
    assert [row.number_id for row in pool(session, world, campaign)] == [mine]


def test_candidates_are_found_by_what_is_typed_and_not_listed_otherwise(session: Session, world: World) -> None:
    campaign, (first, second) = added(session, world), make.several(session, world, 2)
    make.number(session, world, "+14155552099", world.stranger, label="Line of another")

    def found(typed: str) -> list[int]:
        return [row.id for row in campaigns.candidates(session, world.operator, campaign, typed)]

    assert found("") == found("L") == []
    assert found("Line") == found("+1415555") == [first, second]
    assert found("Line 1") == [second]
    campaigns.add_numbers(session, world.operator, campaign, [first], version=1)
    assert found("Line") == [second]
    numbers.deactivate(session, world.operator, second, version=1)
    assert found("Line") == []


def test_a_place_in_the_pool_has_a_status_and_a_weight(session: Session, world: World) -> None:
    campaign, number = added(session, world), make.number(session, world)
    version = campaigns.add_numbers(session, world.operator, campaign, [number], version=1)
    version = campaigns.edit_place(session, world.operator, campaign, number, PoolStatus.CAPPED, 0.5, version=version)
    (row,) = pool(session, world, campaign)
    assert (row.pool_status, row.weight) == (PoolStatus.CAPPED, 0.5)
    for status, weight in ((PoolStatus.REMOVED, None), (PoolStatus.ACTIVE, -1.0), (PoolStatus.ACTIVE, float("nan"))):
        with pytest.raises(InvalidInput):
            campaigns.edit_place(session, world.operator, campaign, number, status, weight, version=version)
    with pytest.raises(Conflict):
        campaigns.edit_place(session, world.operator, campaign, number, PoolStatus.ACTIVE, None, version=version - 1)
    (change, *_) = audit.history(session, world.viewer, "campaign", campaign, Slice())
    assert change.before == {"+14155552671": "active"}
    assert change.after == {"+14155552671": "capped, weight 0.5"}


def test_who_leaves_the_pool_is_no_longer_primary_and_may_come_back(session: Session, world: World) -> None:
    campaign, number = added(session, world), make.number(session, world)
    with pytest.raises(Conflict, match="no longer in the pool"):
        campaigns.set_primary(session, world.operator, campaign, number, version=1)
    session.rollback()
    version = campaigns.add_numbers(session, world.operator, campaign, [number], version=1)
    version = campaigns.set_primary(session, world.operator, campaign, number, version=version)
    assert pool(session, world, campaign)[0].is_primary
    assert campaigns.get(session, world.viewer, campaign).primary_number == "+14155552671"
    version = campaigns.remove_number(session, world.operator, campaign, number, version=version)
    found = campaigns.get(session, world.viewer, campaign)
    assert (found.primary_number, found.pool, pool(session, world, campaign)) == (None, 0, [])
    with pytest.raises(Conflict, match="no longer in the pool"):
        campaigns.remove_number(session, world.operator, campaign, number, version=version)
    session.rollback()
    campaigns.add_numbers(session, world.operator, campaign, [number], version=version)
    assert [row.pool_status for row in pool(session, world, campaign)] == [PoolStatus.ACTIVE]


def test_the_pool_shows_its_calls_of_thirty_whole_days(session: Session, world: World) -> None:
    campaign, other = added(session, world), added(session, world, "Other")
    first, second = make.several(session, world, 2)
    for one in (campaign, other):
        campaigns.add_numbers(session, world.operator, one, [first, second], version=1)
    for one, ago, attempts in (
        (campaign, 0, 7),
        (campaign, 1, 10),
        (campaign, 30, 20),
        (campaign, 31, 400),
        (other, 1, 1000),
    ):
        of = session.get_one(Campaign, one)
        builder.fact(session, of, first, TODAY - timedelta(days=ago), attempts, attempts // 10)
    session.commit()
    assert [(row.number_id, row.attempts, row.answered) for row in pool(session, world, campaign)] == [
        (first, 30, 3),
        (second, 0, 0),
    ]
    assert [row.number_id for row in campaigns.pool(session, world.viewer, campaign, TODAY, Slice(2, 1))] == [second]


def test_a_number_that_is_removed_from_the_workspace_leaves_the_pool(session: Session, world: World) -> None:
    campaign, number = added(session, world), make.number(session, world)
    campaigns.add_numbers(session, world.operator, campaign, [number], version=1)
    numbers.remove(session, world.operator, number, version=1)
    assert pool(session, world, campaign) == []


def test_the_list_is_searched_sorted_and_cut_in_the_database(session: Session, world: World) -> None:
    for name in ("Beta", "alpha 100%", "Gamma"):
        added(session, world, name)
    added(session, world, "Foreign", world.stranger)
    session.execute(sa.text("UPDATE campaign SET status = 'ended' WHERE name = 'Gamma'"))
    session.commit()

    def names(query: CampaignQuery, part: Slice | None = None, actor: Actor = world.viewer) -> list[str]:
        return [row.name for row in campaigns.search(session, actor, query, part or Slice())]

    assert names(CampaignQuery("100%")) == ["alpha 100%"]
    assert names(CampaignQuery("_")) == []
    assert names(CampaignQuery(statuses=(CampaignStatus.ENDED,))) == ["Gamma"]
    assert names(CampaignQuery(sort=CampaignSort.NEWEST), Slice(1, 2)) == ["Gamma", "alpha 100%"]
    assert campaigns.count(session, world.viewer, CampaignQuery()) == 3
    assert "Foreign" in names(CampaignQuery(), actor=world.everywhere)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite writes one after the other
def test_two_who_take_one_name_at_once_are_told_apart(session: Session, world: World, database: sa.Engine) -> None:
    campaigns_of = [added(session, world, name) for name in ("One", "Two")]
    with Session(database) as other:
        db.base.engine.start_write(other)
        other.get_one(Campaign, campaigns_of[1]).name = "Same"
        other.flush()  # written, and not committed yet: the check for the name does not see it

        def commit_soon() -> None:
            while not _waits(database):
                pass
            other.commit()

        with ThreadPoolExecutor(1) as pool:
            committed = pool.submit(commit_soon)
            with pytest.raises(Conflict):
                campaigns.edit(session, world.operator, campaigns_of[0], "Same", CampaignStatus.ACTIVE, version=1)
            committed.result()
    assert campaigns.get(session, world.viewer, campaigns_of[0]).name == "One"


def _waits(database: sa.Engine) -> bool:
    """Return whether a statement of the test's database waits for another one's lock."""
    with database.connect() as connection:
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(connection.exec_driver_sql(waiting).scalar())
