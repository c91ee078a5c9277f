"""Tenants, users and their roles, and the keys of programs."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel

from db.base.columns import Json, words
from db.base.tables import instant, maybe_instant


class Role(StrEnum):
    """What a user may do in one tenant."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


class Tenant(SQLModel, table=True):
    id: int = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, unique=True)
    time_zone: str = Field(default="UTC", max_length=64)
    suspended_at: datetime | None = maybe_instant()
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    created_at: datetime = instant()
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class User(SQLModel, table=True):
    __tablename__ = "app_user"

    id: int = Field(default=None, primary_key=True)
    username: str = Field(max_length=64, unique=True)
    name: str = Field(max_length=80)
    password_hash: str = Field(max_length=100)
    is_superadmin: bool = False
    is_active: bool = True
    must_change_password: bool = False
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    sessions_valid_from: datetime = instant()
    last_sign_in_at: datetime | None = maybe_instant()
    last_tenant_id: int | None = None
    created_at: datetime = instant()


class Membership(SQLModel, table=True):
    user_id: int = Field(primary_key=True, foreign_key="app_user.id")
    tenant_id: int = Field(primary_key=True, foreign_key="tenant.id", index=True)
    role: Role = Field(sa_type=words(Role, "role"))


class SignInThrottle(SQLModel, table=True):
    """Failed sign-ins by user name, known or not, so that an answer never tells which exist."""

    __tablename__ = "sign_in_throttle"

    username: str = Field(max_length=64, primary_key=True)
    failures: int = 0
    last_failure_at: datetime = instant()
    locked_until: datetime | None = maybe_instant()


class KeyScope(StrEnum):
    """What a program may do with a key: send campaign health, read numbers, or change many of them."""

    HEALTH = "health"
    READ = "read"
    WRITE = "write"


class ApiKey(SQLModel, table=True):
    """A tenant's key to the HTTP API: its SHA-256, and the few letters by which a reader knows it."""

    __tablename__ = "api_key"

    id: int = Field(default=None, primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id", index=True)
    name: str = Field(max_length=80)
    shown: str = Field(max_length=16)
    hashed: str = Field(max_length=64, unique=True)
    scopes: list[str] = Field(
        default_factory=lambda: [KeyScope.HEALTH.value],
        sa_type=Json,
        sa_column_kwargs={"server_default": '["health"]'},
    )
    created_by: int = Field(foreign_key="app_user.id")
    created_at: datetime = instant()
    last_used_at: datetime | None = maybe_instant()
    revoked_at: datetime | None = maybe_instant()
