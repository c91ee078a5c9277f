"""Queries over users, their memberships, and failed sign-ins."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db.base.rows import columns_for, values_for
from db.base.scope import Scope, Slice
from db.models import AuditEvent, Membership, Role, SignInThrottle, Tenant, User
from db.numbers.text_search import names_holding


@dataclass(frozen=True)
class MembershipRow:
    """A user in one tenant; for a user without any, the tenant fields are None."""

    user_id: int
    username: str
    name: str
    is_superadmin: bool
    is_active: bool
    sessions_valid_from: datetime
    last_tenant_id: int | None
    must_change_password: bool
    tenant_id: int | None
    tenant: str | None
    time_zone: str | None
    suspended_at: datetime | None
    role: Role | None


def memberships(session: Session, username: str, chosen: int | None) -> list[MembershipRow]:
    """Return the user with a row for each of its tenants, by name; no row when there is no such user.

    A superadmin has a row, without a role, for the *chosen* tenant too, or else for the last one.
    """
    rows = session.execute(_memberships(), {"username": username, "chosen": chosen})
    return [MembershipRow(*row) for row in rows]


@functools.cache  # every run asks; it takes longer to build than to answer
def _memberships() -> Any:
    chosen: Any = sa.bindparam("chosen", type_=sa.Integer)
    looked_at = sa.and_(User.is_superadmin, Tenant.id == sa.func.coalesce(chosen, User.last_tenant_id))
    columns = columns_for(
        MembershipRow,
        User,
        user_id=User.id,
        tenant_id=Tenant.id,
        tenant=Tenant.name,
        time_zone=Tenant.time_zone,
        suspended_at=Tenant.suspended_at,
        role=sa.case((Membership.tenant_id == Tenant.id, Membership.role)),
    )
    return (
        sa.select(*columns)
        .outerjoin(Membership, Membership.user_id == User.id)
        .outerjoin(Tenant, sa.or_(Tenant.id == Membership.tenant_id, looked_at))
        .where(User.username == sa.bindparam("username"))
        .order_by(Tenant.name)
    )


def find(session: Session, username: str) -> User | None:
    """Return the row of a user."""
    return session.scalar(sa.select(User).where(User.username == username))


def find_throttle(session: Session, username: str) -> SignInThrottle | None:
    """Return the failed sign-ins under *username*, locked for a change where the database can."""
    return session.scalar(sa.select(SignInThrottle).where(SignInThrottle.username == username).with_for_update())


def forget_throttles(session: Session, before: datetime) -> None:
    """Drop failed sign-ins whose last one was *before*."""
    session.execute(sa.delete(SignInThrottle).where(SignInThrottle.last_failure_at < before))


def get(session: Session, user_id: int) -> User:
    """Return the row of a user that a foreign key names."""
    return session.get_one(User, user_id)


@dataclass(frozen=True)
class UserQuery:
    """Which users are wanted. Empty means any; roles and superadmins are alternatives."""

    text: str = ""
    roles: tuple[Role, ...] = ()
    superadmins: bool = False
    active: bool | None = None


@dataclass(frozen=True)
class Place:
    """A role of a user in a tenant."""

    tenant_id: int
    tenant: str
    role: Role


@dataclass(frozen=True)
class UserRow:
    """A user, with a place in each tenant that is looked at, by name."""

    id: int
    username: str
    name: str
    is_active: bool
    is_superadmin: bool
    must_change_password: bool
    last_sign_in_at: datetime | None
    version: int
    places: tuple[Place, ...]


def count(session: Session, scope: Scope, query: UserQuery) -> int:
    """Return how many users match."""
    return int(session.scalar(sa.select(sa.func.count(User.id)).where(*_matching(scope, query))) or 0)


def search(session: Session, scope: Scope, query: UserQuery, part: Slice) -> list[UserRow]:
    """Return the *part* of the users in *scope* that match *query*, by name. All tenants include users of none."""
    found = session.scalars(
        sa.select(User)
        .where(*_matching(scope, query))
        .order_by(sa.func.lower(User.name), User.id)
        .limit(part.size)
        .offset(part.offset)
    ).all()
    places = _places(session, scope, [user.id for user in found])
    return [_row(user, places) for user in found]


def find_row(session: Session, scope: Scope, user_id: int) -> UserRow | None:
    """Return one user in *scope*."""
    user = session.scalar(sa.select(User).where(User.id == user_id, *_matching(scope, UserQuery())))
    return _row(user, _places(session, scope, [user_id])) if user else None


def _row(user: User, places: Mapping[int, Sequence[Place]]) -> UserRow:
    return UserRow(**values_for(UserRow, user, places=tuple(places.get(user.id, ()))))


def _places(session: Session, scope: Scope, user_ids: Sequence[int]) -> dict[int, list[Place]]:
    rows = session.execute(
        sa.select(Membership.user_id, Tenant.id, Tenant.name, Membership.role)
        .join(Tenant, Tenant.id == Membership.tenant_id)
        .where(Membership.user_id.in_(user_ids), scope.of(Membership.tenant_id))
        .order_by(Tenant.name)
    )
    places: dict[int, list[Place]] = {}
    for user_id, *place in rows:
        places.setdefault(user_id, []).append(Place(*place))
    return places


def _matching(scope: Scope, query: UserQuery) -> list[Any]:
    """The shared conditions of `count` and `search`."""
    members = sa.select(Membership.user_id).where(scope.of(Membership.tenant_id))
    conditions: list[Any] = [] if scope.tenant_id is None else [User.id.in_(members)]
    if query.roles or query.superadmins:
        having = User.id.in_(members.where(Membership.role.in_(query.roles)))
        conditions.append(sa.or_(having, User.is_superadmin) if query.superadmins else having)
    if query.text:
        conditions.append(sa.or_(names_holding(User.name, query.text), names_holding(User.username, query.text)))
    if query.active is not None:
        conditions.append(User.is_active.is_(query.active))
    return conditions


def find_by_id(session: Session, user_id: int) -> User | None:
    """Return the row of a user, locked for a change where the database can."""
    return session.scalar(sa.select(User).where(User.id == user_id).with_for_update())


def find_membership(session: Session, user_id: int, tenant_id: int) -> Membership | None:
    """Return a user's place in a tenant."""
    return session.get(Membership, (user_id, tenant_id), populate_existing=True)


def tenants_of(session: Session, user_id: int) -> list[int]:
    """Return the tenants that a user has a role in."""
    return list(session.scalars(sa.select(Membership.tenant_id).where(Membership.user_id == user_id)))


def tenants_of_admin(session: Session, user_id: int) -> list[int]:
    """Return the tenants that a user is an admin of, in a fixed order."""
    condition = (Membership.user_id == user_id, Membership.role == Role.ADMIN)
    return list(session.scalars(sa.select(Membership.tenant_id).where(*condition).order_by(Membership.tenant_id)))


def other_admins(session: Session, user_id: int, tenant_id: int) -> int:
    """Return how many active admins a tenant has besides a user."""
    return _count(
        session,
        sa.select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.tenant_id == tenant_id,
            Membership.role == Role.ADMIN,
            Membership.user_id != user_id,
            User.is_active,
        ),
    )


def other_superadmins(session: Session, user_id: int) -> int:
    """Return how many active superadmins there are besides a user."""
    return _count(session, sa.select(User.id).where(User.is_superadmin, User.is_active, User.id != user_id))


def first_superadmin(session: Session) -> str | None:
    """Return the user name of the active superadmin who was there first."""
    return session.scalar(sa.select(User.username).where(User.is_superadmin, User.is_active).order_by(User.id).limit(1))


def sign_ins(session: Session, user_id: int, limit: int) -> list[datetime]:
    """Return when a user signed in, the last time first."""
    condition = (AuditEvent.subject_type == "user", AuditEvent.subject_id == user_id)
    return list(
        session.scalars(
            sa.select(AuditEvent.at)
            .where(*condition, AuditEvent.action == "users:sign_in")
            .order_by(AuditEvent.id.desc())
            .limit(limit)
        )
    )


def _count(session: Session, rows: Any) -> int:
    return int(session.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0)
