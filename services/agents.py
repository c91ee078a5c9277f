"""Agents: who or what answers the calls to a number."""

from typing import Any

from sqlmodel import Session

import db.agents
import db.base.engine
from db.agents import AgentDetail, AgentQuery, AgentRow
from db.base.scope import Slice
from db.models import Agent
from services.audit.audit import Action
from services.core import changes, validation
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import InvalidInput, found
from services.text import labels


def choices(session: Session, actor: Actor, *, active_only: bool = True) -> list[AgentRow]:
    """Return the agents that can be chosen, by name."""
    require(actor, Permission.AGENTS_READ)
    return db.agents.choices(session, actor.scope, active_only=active_only)


def count(session: Session, actor: Actor, query: AgentQuery) -> int:
    """Return how many agents match."""
    require(actor, Permission.AGENTS_READ)
    return db.agents.count(session, actor.scope, query)


def search(session: Session, actor: Actor, query: AgentQuery, part: Slice) -> list[AgentDetail]:
    """Return the *part* of the agents that match, by name."""
    require(actor, Permission.AGENTS_READ)
    return db.agents.search(session, actor.scope, query, part)


def get(session: Session, actor: Actor, agent_id: object) -> AgentDetail:
    """Return one agent. Raises NotFound for one outside the actor's scope."""
    require(actor, Permission.AGENTS_READ)
    return found(db.agents.find_detail(session, actor.scope, validation.as_id(agent_id)))


def add(session: Session, actor: Actor, name: str) -> int:
    """Add an agent and return its id. Raises Forbidden, InvalidInput, NotFound when no tenant is chosen."""
    require(actor, Permission.AGENTS_WRITE)
    tenant_id = require_tenant(actor)

    def make() -> Agent:
        return Agent(tenant_id=tenant_id, name=_free(session, tenant_id, name))

    return changes.add(session, actor, _NOUN, make, Action.AGENTS_ADD)


def rename(session: Session, actor: Actor, agent_id: int, name: str, *, version: int) -> int:
    """Rename an agent.

    Like every change here, returns the new version and raises Forbidden, NotFound, InvalidInput, or Conflict when
    *version* is stale.
    """
    require(actor, Permission.AGENTS_WRITE)

    def apply(agent: Agent) -> None:
        agent.name = _free(session, agent.tenant_id, name, but=agent.id)

    return changes.change(session, actor, _NOUN, agent_id, Action.AGENTS_RENAME, apply, version=version)


def set_active(session: Session, actor: Actor, agent_id: int, active: bool, *, version: int) -> int:
    """Activate an agent, or deactivate it: its numbers keep it."""
    return changes.set_active(session, actor, _NOUN, agent_id, active, version=version)


def _free(session: Session, tenant_id: int, text: str, *, but: int | None = None) -> str:
    """Return a name that no other agent of the tenant has."""
    if validation.key(text) == validation.key(labels.UNASSIGNED):
        raise InvalidInput(f"{labels.UNASSIGNED} means that a number has no agent. Choose another name.", field="name")
    return changes.free_name(session, _NOUN, tenant_id, text, but=but)


def _words(_session: Session, agent: Agent) -> dict[str, Any]:
    return {"name": agent.name, "status": "active" if agent.is_active else "inactive"}


_NOUN = changes.Noun("agent", Permission.AGENTS_WRITE, Agent, _words)
