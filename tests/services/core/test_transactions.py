"""Writing: committed whole at the end of the block, or not at all. Reading: over with its block."""

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.base.engine
from db.models import Agent
from services.core.errors import Conflict
from services.core.transactions import reading, write, writing
from tests.conftest import World


class Left(BaseException):
    """As Streamlit leaves a page."""


def names(world: World) -> list[str]:
    with db.base.engine.open_session() as own:
        return list(own.scalars(sa.select(Agent.name).where(Agent.tenant_id == world.tenant, Agent.name.like("New%"))))


def test_what_is_written_is_there_after_the_block(session: Session, world: World) -> None:
    with writing(session):
        session.add(Agent(tenant_id=world.tenant, name="New one"))
    with write() as own:
        own.add(Agent(tenant_id=world.tenant, name="New two"))
    assert sorted(names(world)) == ["New one", "New two"]


@pytest.mark.parametrize("leaving", [Left, ValueError, Conflict])
def test_nothing_is_written_by_a_block_that_is_left(
    session: Session, world: World, leaving: type[BaseException]
) -> None:
    def leave() -> None:
        with writing(session):
            session.add(Agent(tenant_id=world.tenant, name="New"))
            session.flush()
            raise leaving("Away.")

    with pytest.raises(leaving):
        leave()
    assert names(world) == []


def test_what_the_database_forbids_is_a_conflict_in_the_given_words(session: Session, world: World) -> None:
    with pytest.raises(Conflict, match="Too late"), writing(session, conflict="Too late."):
        session.add_all(Agent(tenant_id=world.tenant, name="New") for _ in range(2))
    assert names(world) == []


def test_a_block_inside_a_block_is_refused_before_it_loses_anything(session: Session, world: World) -> None:
    with writing(session):
        session.add(Agent(tenant_id=world.tenant, name="New"))
        with pytest.raises(RuntimeError), writing(session):
            pass
    assert names(world) == ["New"]


def test_a_block_that_is_left_before_it_asks_anything_is_over(session: Session, world: World) -> None:
    def leave() -> None:
        with writing(session):
            raise Conflict("Away.")

    with pytest.raises(Conflict):
        leave()
    assert not db.base.engine.writes(session)
    with writing(session):
        session.add(Agent(tenant_id=world.tenant, name="New"))
    assert names(world) == ["New"]


def test_what_was_read_is_known_after_the_block_and_no_connection_is_held(session: Session, world: World) -> None:
    with reading(session):
        agent = session.get_one(Agent, world.agent)
    assert (agent.name, session.in_transaction()) == ("Maya", False)


def test_reading_sees_what_others_have_written_since(session: Session, world: World) -> None:
    agent = session.get_one(Agent, world.agent)
    with write() as own:
        own.get_one(Agent, world.agent).name = "Renamed"
    with reading(session):
        assert agent.name == "Renamed"
    with write() as own:
        own.get_one(Agent, world.agent).name = "Renamed again"
    with reading(session):
        assert agent.name == "Renamed again"


def test_reading_loses_nothing_and_keeps_nothing_that_is_written(session: Session, world: World) -> None:
    with writing(session):
        session.add(Agent(tenant_id=world.tenant, name="New"))
        with pytest.raises(RuntimeError), reading(session):
            pass
    with pytest.raises(RuntimeError), reading(session):
        session.add(Agent(tenant_id=world.tenant, name="New too"))
    assert names(world) == ["New"]
