"""Agents: who or what answers the calls to a number."""

from sqlmodel import Session

import db.agents
from db.agents import AgentRow
from services.access import Actor, Permission, require

__all__ = ["AgentRow", "choices"]


def choices(session: Session, actor: Actor, *, active_only: bool = True) -> list[AgentRow]:
    """Return the agents that can be chosen, by name."""
    require(actor, Permission.AGENTS_READ)
    return db.agents.search(session, actor.scope, active_only=active_only)
