"""Phone numbers, with the connections and agents that they refer to, and what was ordered about them."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db.base.columns import Amount, Json, words
from db.base.tables import instant, maybe_instant, of_tenant, table_of


class NumberStatus(StrEnum):
    """Where a number stands. Released and removed numbers stay findable and may be added again."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    RELEASED = "released"
    REMOVED = "removed"


GONE = (NumberStatus.RELEASED, NumberStatus.REMOVED)


class NumberType(StrEnum):
    """The kind of line, in the words of the numbering plans."""

    LOCAL = "local"
    MOBILE = "mobile"
    TOLL_FREE = "toll_free"
    NATIONAL = "national"
    VOIP = "voip"
    SHARED_COST = "shared_cost"
    OTHER = "other"


class OrderKind(StrEnum):
    PURCHASE = "purchase"
    IMPORT = "import"
    RELEASE = "release"
    WEBHOOKS = "webhooks"


class OrderState(StrEnum):
    """`placed` and `unknown` are open: the provider may or may not have acted."""

    PLACED = "placed"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Connection(SQLModel, table=True):
    """A tenant's account at a telephony provider. `credentials` is a Fernet token, never plain.

    Every `compare_days` it is compared with the records, `compare_since` a moment and for the user `compare_set_by`.
    The job `compared_job_id` is the last comparison of all its numbers, from `compared_at`.
    """

    __tablename__ = "telephony_connection"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "id"), sa.UniqueConstraint("tenant_id", "name"))

    id: int = Field(default=None, primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    name: str = Field(max_length=80)
    provider: str = Field(max_length=32)
    credentials: str | None = Field(default=None, sa_type=sa.Text)
    default_country: str | None = Field(default=None, max_length=2)
    voice_url: str | None = Field(default=None, max_length=500)
    status_callback_url: str | None = Field(default=None, max_length=500)
    is_active: bool = True
    is_sandbox: bool = False
    created_at: datetime = instant()
    version: int = 1
    tested_at: datetime | None = maybe_instant()
    test_passed: bool | None = None
    test_result: str | None = Field(default=None, max_length=500)
    compare_days: int | None = None
    compare_set_by: int | None = None
    compare_since: datetime | None = maybe_instant()
    compared_job_id: int | None = None
    compared_at: datetime | None = maybe_instant()


class Agent(SQLModel, table=True):
    __table_args__ = (sa.UniqueConstraint("tenant_id", "id"), sa.UniqueConstraint("tenant_id", "name"))

    id: int = Field(default=None, primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    name: str = Field(max_length=80)
    is_active: bool = True
    created_at: datetime = instant()
    version: int = 1


class PhoneNumber(SQLModel, table=True):
    """A number on record. `e164` holds national digits only for providers whose lines have no E.164 form."""

    __tablename__ = "phone_number"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "id"),
        of_tenant("connection_id", "telephony_connection"),
        of_tenant("agent_id", "agent"),
        sa.CheckConstraint("released_at IS NULL OR status IN ('released', 'removed')", name="released_is_gone"),
        sa.CheckConstraint("length(e164) >= 3", name="e164_is_a_number"),
    )

    id: int = Field(default=None, primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    e164: str = Field(max_length=20)
    status: NumberStatus = Field(default=NumberStatus.ACTIVE, sa_type=words(NumberStatus, "status"))
    provider: str = Field(max_length=32)
    connection_id: int | None = None
    is_managed: bool = False
    provider_sid: str | None = Field(default=None, max_length=64)
    country: str = Field(default="", max_length=2)
    number_type: NumberType = Field(default=NumberType.OTHER, sa_type=words(NumberType, "number_type"))
    label: str = Field(default="", max_length=64)
    agent_id: int | None = None
    allowed_inbound: list[str] = Field(default_factory=list, sa_type=Json)
    allowed_outbound: list[str] = Field(default_factory=list, sa_type=Json)
    provider_fields: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    notes: str = Field(default="", max_length=2000)
    created_at: datetime = instant()
    updated_at: datetime = instant()
    released_at: datetime | None = maybe_instant()
    buy_back_until: datetime | None = maybe_instant()
    price: Decimal | None = Field(default=None, sa_type=Amount)
    currency: str | None = Field(default=None, max_length=3)
    version: int = 1


class NumberTag(SQLModel, table=True):
    __tablename__ = "number_tag"
    __table_args__ = (
        sa.ForeignKeyConstraint(["tenant_id", "number_id"], ["phone_number.tenant_id", "phone_number.id"]),
        sa.Index(None, "tenant_id", "tag", "number_id"),
    )

    number_id: int = Field(primary_key=True)
    tag: str = Field(primary_key=True, max_length=32)
    tenant_id: int


class NumberCount(SQLModel, table=True):
    """How many numbers a tenant has of each kind; kept by triggers on `phone_number`."""

    __tablename__ = "number_count"

    tenant_id: int = Field(primary_key=True, foreign_key="tenant.id")
    status: NumberStatus = Field(primary_key=True, sa_type=words(NumberStatus, "status"))
    provider: str = Field(primary_key=True, max_length=32)
    country: str = Field(primary_key=True, max_length=2)
    number_type: NumberType = Field(primary_key=True, sa_type=words(NumberType, "number_type"))
    is_managed: bool = Field(primary_key=True)
    n: int = 0


_SETS_WEBHOOKS = "state = 'confirmed' AND kind IN ('purchase', 'import', 'webhooks')"


class NumberOrder(SQLModel, table=True):
    """Something asked of a provider that costs or changes something; committed before the asking.

    `asked_at` is committed before the provider is asked, so that nothing is ever asked twice unseen; it is empty
    while the provider has not taken the order. `previous` holds the webhooks that it replaces. `next_look_at` is
    when it is looked at again, whatever became of it, and empty when it never is.
    """

    __tablename__ = "number_order"
    __table_args__ = (
        of_tenant("connection_id", "telephony_connection"),
        of_tenant("number_id", "phone_number"),
        sa.Index(
            "uq_number_order_open_e164",
            "e164",
            unique=True,
            sqlite_where=sa.text("state IN ('placed', 'unknown')"),
            postgresql_where=sa.text("state IN ('placed', 'unknown')"),
        ),
        sa.Index(
            "ix_number_order_webhooks",
            *("tenant_id", "number_id", "id"),
            sqlite_where=sa.text(_SETS_WEBHOOKS),
            postgresql_where=sa.text(_SETS_WEBHOOKS),
        ),
        sa.Index(
            None,
            "next_look_at",
            sqlite_where=sa.text("next_look_at IS NOT NULL"),
            postgresql_where=sa.text("next_look_at IS NOT NULL"),
        ),
        sa.Index(None, "tenant_id", "state"),
        sa.Index(None, "number_id"),
    )

    id: int = Field(default=None, primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    kind: OrderKind = Field(sa_type=words(OrderKind, "kind"))
    state: OrderState = Field(default=OrderState.PLACED, sa_type=words(OrderState, "state"))
    e164: str = Field(max_length=20)
    connection_id: int
    number_id: int | None = None
    provider_sid: str | None = Field(default=None, max_length=64)
    configuration: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    previous: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    price: Decimal | None = Field(default=None, sa_type=Amount)
    currency: str | None = Field(default=None, max_length=3)
    problem: str | None = Field(default=None, max_length=500)
    placed_by: int = Field(foreign_key="app_user.id")
    placed_at: datetime = instant()
    asked_at: datetime | None = maybe_instant()
    settled_at: datetime | None = maybe_instant()
    looks: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    last_looked_at: datetime | None = maybe_instant()
    next_look_at: datetime | None = maybe_instant()


UNSETTLED = sa.text("number_order.state IN ('placed', 'unknown')")
"""The orders that are open, written with literals as `LIVE` is."""


LIVE = sa.text("phone_number.status NOT IN ('released', 'removed')")
"""Written with its literals, as the partial indexes are: a bound value could not use them."""


_live = "status NOT IN ('released', 'removed')"


_restricted = "(allowed_inbound <> '[]' OR allowed_outbound <> '[]')"


_number = table_of(PhoneNumber)


_newest: tuple[Any, ...] = (_number.c.created_at.desc(), _number.c.id.desc())


_kind = ("status", "provider", "country", "number_type", "is_managed")


for _name, _where, *_columns in (
    ("uq_phone_number_live_e164", _live, "e164"),
    ("ix_phone_number_e164", None, "e164"),
    # Those in the order of the list have all that it can be filtered by: see `db.numbers.ways`.
    ("ix_phone_number_newest", None, "tenant_id", *_newest, *_kind, "connection_id", "agent_id"),
    ("ix_phone_number_newest_of_all", None, *_newest, "tenant_id", *_kind, "connection_id", "agent_id"),
    ("ix_phone_number_agent", None, "tenant_id", "agent_id", *_newest, *_kind, "connection_id"),
    ("ix_phone_number_connection", None, "tenant_id", "connection_id", *_newest, *_kind, "agent_id"),
    ("ix_phone_number_kind", None, "tenant_id", *_kind, *_newest),
    ("ix_phone_number_by_e164", _live, "tenant_id", "e164", "id"),
    ("ix_phone_number_by_label", _live, "tenant_id", "label", "id"),
    ("ix_phone_number_by_label_of_all", _live, "label", "id"),
    ("ix_phone_number_holdings", _live, "tenant_id", "connection_id", "currency", "price"),
    ("ix_phone_number_managed", f"is_managed AND {_live}", "tenant_id", "id"),
    ("ix_phone_number_released", "released_at IS NOT NULL", "tenant_id", "released_at", "created_at"),
    ("ix_phone_number_restricted", _restricted, "tenant_id", *_newest),
):
    _only: dict[str, Any] = {f"{_kind}_where": sa.text(_where) for _kind in ("sqlite", "postgresql") if _where}
    sa.Index(
        _name,
        *(_number.c[_column] if isinstance(_column, str) else _column for _column in _columns),
        unique=_name.startswith("uq"),
        **_only,
    )
