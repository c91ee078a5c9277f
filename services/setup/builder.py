"""The rows that worlds are made of: the demo, tests and benchmarks build theirs from these, past every rule.

What others refer to is flushed, so that it has its id; nothing is committed. *values* are other columns of the row.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from db.models import (
    Agent,
    Campaign,
    CampaignHealth,
    CampaignNumber,
    Connection,
    Membership,
    NumberOrder,
    NumberTag,
    OrderKind,
    PhoneNumber,
    Role,
    Tenant,
    User,
)
from providers.sandbox import exotel
from providers.sandbox.accounts import MAIN, SandboxAccount
from services.core.access import Actor
from services.core.credentials import seal
from services.core.settings import Settings

BATCH = 10_000
Row = TypeVar("Row", bound=SQLModel)


def tenant(session: Session, name: str, **values: Any) -> Tenant:
    """Add a tenant."""
    return _flushed(session, Tenant(name=name, **values))


def user(session: Session, username: str, roles: Mapping[int, Role] | None = None, **values: Any) -> User:
    """Add a user with a role in each tenant of *roles*; without a password hash nobody can sign in as them."""
    known = {"name": username.capitalize(), "password_hash": "-"} | values
    found = _flushed(session, User(username=username, **known))
    session.add_all(Membership(user_id=found.id, tenant_id=at, role=role) for at, role in (roles or {}).items())
    return found


def actor(user: User, tenant_id: int | None = None, role: Role | None = None, **values: Any) -> Actor:
    """Return a user at work in a tenant, or in none."""
    return Actor(
        user.id, user.username, user.name, is_superadmin=user.is_superadmin, tenant_id=tenant_id, role=role, **values
    )


def connection(session: Session, tenant_id: int, name: str, provider: str = "sip", **values: Any) -> Connection:
    """Add a telephony connection; `at_sandbox` has the values of one that can be asked."""
    return _flushed(session, Connection(tenant_id=tenant_id, name=name, provider=provider, **values))


def at_sandbox(settings: Settings, provider: str, account: SandboxAccount = MAIN) -> dict[str, Any]:
    """Return what a connection needs to reach the sandbox's account at Twilio or Exotel."""
    secrets = {
        "twilio": {"account_sid": account.sid, "auth_token": account.token},
        "exotel": {
            "account_sid": exotel.ACCOUNT_SID,
            "api_key": exotel.API_KEY,
            "api_token": exotel.API_TOKEN,
            "subdomain": "api.in.exotel.com",
        },
    }
    return {"credentials": seal(settings, secrets[provider]), "is_sandbox": True}


def agent(session: Session, tenant_id: int, name: str, **values: Any) -> Agent:
    """Add an agent."""
    return _flushed(session, Agent(tenant_id=tenant_id, name=name, **values))


def number(
    session: Session,
    tenant_id: int,
    e164: str,
    connection: Connection | None = None,
    *,
    tags: Collection[str] = (),
    **values: Any,
) -> PhoneNumber:
    """Put a number on record, of the *connection* and its provider where there is one."""
    known: dict[str, Any] = {"provider": "sip"}
    if connection:
        known = {"provider": connection.provider, "connection_id": connection.id}
    found = _flushed(session, PhoneNumber(tenant_id=tenant_id, e164=e164, **(known | values)))
    session.add_all(NumberTag(number_id=found.id, tenant_id=tenant_id, tag=tag) for tag in tags)
    return found


def campaign(session: Session, tenant_id: int, name: str, pool: Iterable[int] = (), **values: Any) -> Campaign:
    """Add a campaign with the numbers of these ids in its *pool*."""
    found = _flushed(session, Campaign(tenant_id=tenant_id, name=name, **values))
    for number_id in pool:
        pooled(session, found, number_id)
    return found


def pooled(session: Session, campaign: Campaign, number_id: int, **values: Any) -> CampaignNumber:
    """Put a number into a campaign's pool."""
    place = CampaignNumber(campaign_id=campaign.id, number_id=number_id, tenant_id=campaign.tenant_id, **values)
    session.add(place)
    return place


def fact(
    session: Session, campaign: Campaign, number_id: int, day: date, attempts: int, answered: int, **counts: int
) -> CampaignHealth:
    """Add a day of a number's calls in a campaign."""
    key = {"campaign_id": campaign.id, "number_id": number_id, "tenant_id": campaign.tenant_id}
    found = CampaignHealth(**key, day=day, attempts=attempts, answered=answered, **counts)
    session.add(found)
    return found


def order(session: Session, tenant_id: int, e164: str, kind: OrderKind, **values: Any) -> NumberOrder:
    """Add an order of a number, at a connection, placed by somebody."""
    return _flushed(session, NumberOrder(tenant_id=tenant_id, e164=e164, kind=kind, **values))


def many(session: Session, model: type[SQLModel], rows: Iterable[Mapping[str, Any]], *, commit: bool = False) -> None:
    """Write rows by the thousand; with *commit* each BATCH of them is a transaction."""
    left = iter(rows)
    while some := list(islice(left, BATCH)):
        session.execute(sa.insert(model), some)
        if commit:
            session.commit()


def _flushed(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row
