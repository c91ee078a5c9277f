"""Queries over agents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

import db.base.named
from db.base.rows import columns_for
from db.base.scope import Scope, Slice
from db.models import Agent, PhoneNumber, Tenant
from db.numbers.held import COUNT_LIMIT, held
from db.numbers.text_search import names_holding


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
class AgentDetail:
    """An agent, and how many of the numbers that are held it answers: in a list up to COUNT_LIMIT + 1."""

    id: int
    tenant_id: int
    tenant: str
    name: str
    is_active: bool
    created_at: datetime
    version: int
    numbers: int


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
    return db.base.named.count(session, Agent, _matching(scope, query))


def search(session: Session, scope: Scope, query: AgentQuery, part: Slice) -> list[AgentDetail]:
    """Return the *part* of the agents in *scope* that match *query*, by name."""
    rows = session.execute(
        _details(COUNT_LIMIT)
        .where(*_matching(scope, query))
        .order_by(Agent.name, Agent.id)
        .limit(part.size)
        .offset(part.offset)
    )
    return [AgentDetail(*row) for row in rows]


def find_detail(session: Session, scope: Scope, agent_id: int) -> AgentDetail | None:
    """Return an agent in *scope* with how many numbers it answers."""
    row = session.execute(_details(None).where(Agent.id == agent_id, scope.of(Agent.tenant_id))).first()
    return AgentDetail(*row) if row else None


def _details(limit: int | None) -> Any:
    numbers = held(Agent, PhoneNumber.agent_id, limit)
    columns = columns_for(AgentDetail, Agent, tenant=Tenant.name, numbers=numbers)
    return sa.select(*columns).join(Tenant, Tenant.id == Agent.tenant_id)


def _matching(scope: Scope, query: AgentQuery) -> list[Any]:
    """The shared conditions of `count` and `search`."""
    conditions = [scope.of(Agent.tenant_id)]
    if query.text:
        conditions.append(names_holding(Agent.name, query.text))
    if query.active is not None:
        conditions.append(Agent.is_active.is_(query.active))
    return conditions
