"""Queries over agents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db.base.scope import Scope, Slice
from db.models import LIVE, Agent, PhoneNumber, Tenant
from db.numbers.text_search import names_holding

COUNT_LIMIT = 1000
"""Numbers of an agent are counted up to here in lists; beyond, the count reads `1,000+`."""


@dataclass(frozen=True)
class AgentRow:
    """An agent that calls can be given to."""

    id: int
    tenant: str
    name: str
    is_active: bool


@dataclass(frozen=True)
class AgentQuery:
    """Filters over agents. Empty means any."""

    text: str = ""
    active: bool | None = None


@dataclass(frozen=True)
class ListedAgent:
    """A row of the list. `numbers` counts up to COUNT_LIMIT + 1."""

    id: int
    tenant: str
    name: str
    is_active: bool
    created_at: datetime
    numbers: int


@dataclass(frozen=True)
class AgentDetail:
    """One agent, and how many of the numbers that are held it answers."""

    id: int
    tenant_id: int
    name: str
    is_active: bool
    numbers: int
    version: int


def choices(session: Session, scope: Scope, *, active_only: bool = False) -> list[AgentRow]:
    """Return the agents in *scope*, by name."""
    condition = [Agent.is_active.is_(True)] if active_only else []
    rows = session.execute(
        sa.select(Agent.id, Tenant.name, Agent.name, Agent.is_active)
        .join(Tenant, Tenant.id == Agent.tenant_id)
        .where(scope.of(Agent.tenant_id), *condition)
        .order_by(Agent.name, Tenant.name)
    )
    return [AgentRow(*row) for row in rows]


def count(session: Session, scope: Scope, query: AgentQuery) -> int:
    """Return how many agents match."""
    return int(session.scalar(sa.select(sa.func.count(Agent.id)).where(*_matching(scope, query))) or 0)


def search(session: Session, scope: Scope, query: AgentQuery, part: Slice) -> list[ListedAgent]:
    """Return the *part* of the agents in *scope* that match *query*, by name."""
    some = (
        sa.select(PhoneNumber.id)
        .where(PhoneNumber.tenant_id == Agent.tenant_id, PhoneNumber.agent_id == Agent.id, LIVE)
        .limit(COUNT_LIMIT + 1)
        .correlate(Agent)
        .subquery()
    )
    rows = session.execute(
        sa.select(
            Agent.id,
            Tenant.name,
            Agent.name,
            Agent.is_active,
            Agent.created_at,
            sa.select(sa.func.count()).select_from(some).scalar_subquery(),
        )
        .join(Tenant, Tenant.id == Agent.tenant_id)
        .where(*_matching(scope, query))
        .order_by(Agent.name, Agent.id)
        .limit(part.size)
        .offset(part.offset)
    )
    return [ListedAgent(*row) for row in rows]


def find(session: Session, scope: Scope, agent_id: int) -> Agent | None:
    """Return the row of an agent in *scope*."""
    return session.scalar(sa.select(Agent).where(Agent.id == agent_id, scope.of(Agent.tenant_id)))


def lock(session: Session, scope: Scope, agent_id: int) -> Agent | None:
    """Return the row of an agent in *scope*, locked for a change where the database can."""
    return session.scalar(
        sa.select(Agent)
        .where(Agent.id == agent_id, scope.of(Agent.tenant_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def find_detail(session: Session, scope: Scope, agent_id: int) -> AgentDetail | None:
    """Return an agent in *scope* with how many numbers it answers."""
    agent = find(session, scope, agent_id)
    if agent is None:
        return None
    numbers = sa.select(sa.func.count(PhoneNumber.id)).where(
        PhoneNumber.tenant_id == agent.tenant_id, PhoneNumber.agent_id == agent_id, LIVE
    )
    return AgentDetail(
        agent_id, agent.tenant_id, agent.name, agent.is_active, session.scalar(numbers) or 0, agent.version
    )


def is_named(session: Session, tenant_id: int, name: str, *, but: int | None = None) -> bool:
    """Return whether an agent of the tenant, other than *but*, has the name, whatever its case."""
    found = session.scalars(
        sa.select(Agent.id).where(Agent.tenant_id == tenant_id, sa.func.lower(Agent.name) == name.lower())
    )
    return any(agent_id != but for agent_id in found)


def _matching(scope: Scope, query: AgentQuery) -> list[Any]:
    """The shared conditions of `count` and `search`."""
    conditions = [scope.of(Agent.tenant_id)]
    if query.text:
        conditions.append(names_holding(Agent.name, query.text))
    if query.active is not None:
        conditions.append(Agent.is_active.is_(query.active))
    return conditions
