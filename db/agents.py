"""Queries over agents."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session

from db.models import Agent, Tenant
from db.scope import Scope


@dataclass(frozen=True)
class AgentRow:
    """An agent that calls can be given to."""

    id: int
    tenant: str
    name: str
    is_active: bool


def search(session: Session, scope: Scope, *, active_only: bool = False) -> list[AgentRow]:
    """Return the agents in *scope*, by name."""
    condition = [Agent.is_active.is_(True)] if active_only else []
    rows = session.execute(
        sa.select(Agent.id, Tenant.name, Agent.name, Agent.is_active)
        .join(Tenant, Tenant.id == Agent.tenant_id)
        .where(scope.of(Agent.tenant_id), *condition)
        .order_by(Agent.name, Tenant.name)
    )
    return [AgentRow(*row) for row in rows]


def find(session: Session, scope: Scope, agent_id: int) -> Agent | None:
    """Return the row of an agent in *scope*."""
    return session.scalar(sa.select(Agent).where(Agent.id == agent_id, scope.of(Agent.tenant_id)))
