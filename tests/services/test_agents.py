"""Agents: added, renamed, put into and out of use, each in its tenant."""

from collections.abc import Callable

import pytest
from sqlmodel import Session

from db.agents import AgentQuery
from db.base.scope import Slice
from services import agents
from services.audit import audit
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from tests.conftest import World
from tests.world import make


def test_an_operator_adds_renames_and_retires_an_agent(session: Session, world: World) -> None:
    added = agents.add(session, world.operator, "  Nora   (billing) ")
    assert agents.get(session, world.viewer, added).name == "Nora (billing)"
    version = agents.rename(session, world.operator, added, "Nora", version=1)
    version = agents.set_active(session, world.operator, added, False, version=version)
    assert "Nora" not in [row.name for row in agents.choices(session, world.operator)]
    agents.set_active(session, world.operator, added, True, version=version)
    assert "Nora" in [row.name for row in agents.choices(session, world.operator)]
    lines = [row.action for row in audit.history(session, world.viewer, "agent", added, Slice())]
    assert lines == ["agents:activate", "agents:deactivate", "agents:rename", "agents:add"]


def test_a_name_is_needed_once_in_a_tenant(session: Session, world: World) -> None:
    for name in ("", " \n", "x" * 81, "MAYA", "Rita"):
        with pytest.raises(InvalidInput):
            agents.add(session, world.operator, name)
    with pytest.raises(InvalidInput, match="named Leo"):
        agents.rename(session, world.operator, world.agent, "Leo", version=1)
    assert agents.rename(session, world.operator, world.agent, "maya", version=1) == 2
    assert agents.add(session, world.stranger, "Leo")


def test_viewers_write_nothing_and_strangers_see_nothing(session: Session, world: World) -> None:
    attempts: list[Callable[[object], object]] = [
        lambda actor: agents.rename(session, actor, world.agent, "X", version=1),  # type: ignore[arg-type]
        lambda actor: agents.set_active(session, actor, world.agent, True, version=1),  # type: ignore[arg-type]
        lambda actor: agents.set_active(session, actor, world.agent, False, version=1),  # type: ignore[arg-type]
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt(world.viewer)
        with pytest.raises(NotFound):
            attempt(world.stranger)
    with pytest.raises(Forbidden):
        agents.add(session, world.viewer, "X")
    with pytest.raises(NotFound):
        agents.add(session, world.everywhere, "X")
    with pytest.raises(NotFound):
        agents.get(session, world.stranger, world.agent)


def test_a_second_save_is_refused(session: Session, world: World) -> None:
    agents.rename(session, world.operator, world.agent, "First", version=1)
    with pytest.raises(Conflict) as refused:
        agents.rename(session, world.admin, world.agent, "Second", version=1)
    assert [row.after for row in refused.value.changes] == [{"name": "First"}]


def test_the_list_counts_the_numbers_that_are_held(session: Session, world: World) -> None:
    make.number(session, world, agent_id=world.agent)
    rows = agents.search(session, world.viewer, AgentQuery(), Slice())
    assert [(row.name, row.numbers) for row in rows] == [("Leo", 0), ("Maya", 1), ("Rita", 0)]
    assert agents.get(session, world.viewer, world.agent).numbers == 1
    assert [r.name for r in agents.search(session, world.viewer, AgentQuery("ay"), Slice())] == ["Maya"]
    assert agents.count(session, world.viewer, AgentQuery(active=False)) == 1
    assert [r.name for r in agents.search(session, world.viewer, AgentQuery(), Slice(2, 2))] == ["Rita"]
    assert agents.count(session, world.everywhere, AgentQuery()) == 4
