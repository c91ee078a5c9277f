"""Every table. A reference between two things of a tenant carries the tenant, so none can cross."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from db.columns import Json, UtcDateTime, words

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING


class Role(StrEnum):
    """What a user may do in one tenant."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


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


class CampaignStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class PoolStatus(StrEnum):
    """Where a number stands in a campaign's pool."""

    ACTIVE = "active"
    PAUSED = "paused"
    CAPPED = "capped"
    COOLING = "cooling"
    SPAM_FLAGGED = "spam_flagged"
    REMOVED = "removed"


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


def _now() -> datetime:
    return datetime.now(UTC)


def _instant(**options: Any) -> Any:
    return Field(default_factory=_now, sa_type=UtcDateTime, **options)


def _maybe_instant() -> Any:
    return Field(default=None, sa_type=UtcDateTime)


def _of_tenant(child: str, parent: str) -> sa.ForeignKeyConstraint:
    """A reference to *parent* that holds only inside one tenant."""
    return sa.ForeignKeyConstraint(["tenant_id", child], [f"{parent}.tenant_id", f"{parent}.id"])


class Tenant(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, unique=True)
    time_zone: str = Field(default="UTC", max_length=64)
    suspended_at: datetime | None = _maybe_instant()
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    created_at: datetime = _instant()
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class User(SQLModel, table=True):
    __tablename__ = "app_user"

    id: int | None = Field(default=None, primary_key=True)
    username: str = Field(max_length=64, unique=True)
    name: str = Field(max_length=80)
    password_hash: str = Field(max_length=100)
    is_superadmin: bool = False
    is_active: bool = True
    must_change_password: bool = False
    sessions_valid_from: datetime = _instant()
    last_sign_in_at: datetime | None = _maybe_instant()
    last_tenant_id: int | None = None
    created_at: datetime = _instant()


class Membership(SQLModel, table=True):
    user_id: int = Field(primary_key=True, foreign_key="app_user.id")
    tenant_id: int = Field(primary_key=True, foreign_key="tenant.id", index=True)
    role: Role = Field(sa_type=words(Role, "role"))


class SignInThrottle(SQLModel, table=True):
    """Failed sign-ins by user name, known or not, so that an answer never tells which exist."""

    __tablename__ = "sign_in_throttle"

    username: str = Field(max_length=64, primary_key=True)
    failures: int = 0
    last_failure_at: datetime = _instant()
    locked_until: datetime | None = _maybe_instant()


class Connection(SQLModel, table=True):
    """A tenant's account at a telephony vendor. `credentials` is a Fernet token, never plain."""

    __tablename__ = "telephony_connection"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "id"), sa.UniqueConstraint("tenant_id", "name"))

    id: int | None = Field(default=None, primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    name: str = Field(max_length=80)
    provider: str = Field(max_length=32)
    credentials: str | None = Field(default=None, sa_type=sa.Text)
    default_country: str | None = Field(default=None, max_length=2)
    voice_url: str | None = Field(default=None, max_length=500)
    status_callback_url: str | None = Field(default=None, max_length=500)
    is_active: bool = True
    is_sandbox: bool = False
    created_at: datetime = _instant()
    version: int = 1
    tested_at: datetime | None = _maybe_instant()
    test_passed: bool | None = None
    test_result: str | None = Field(default=None, max_length=500)


class Agent(SQLModel, table=True):
    __table_args__ = (sa.UniqueConstraint("tenant_id", "id"), sa.UniqueConstraint("tenant_id", "name"))

    id: int | None = Field(default=None, primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    name: str = Field(max_length=80)
    is_active: bool = True
    created_at: datetime = _instant()
    version: int = 1


class PhoneNumber(SQLModel, table=True):
    """A number on record. `e164` holds national digits only for vendors whose lines have no E.164 form."""

    __tablename__ = "phone_number"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "id"),
        _of_tenant("connection_id", "telephony_connection"),
        _of_tenant("agent_id", "agent"),
        sa.CheckConstraint("released_at IS NULL OR status IN ('released', 'removed')", name="released_is_gone"),
        sa.CheckConstraint("length(e164) >= 3", name="e164_is_a_number"),
    )

    id: int | None = Field(default=None, primary_key=True)
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
    created_at: datetime = _instant()
    updated_at: datetime = _instant()
    released_at: datetime | None = _maybe_instant()
    buy_back_until: datetime | None = _maybe_instant()
    price: str | None = Field(default=None, max_length=20)
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

    `asked_at` is committed before the provider is asked, so that nothing is ever asked twice unseen.
    `previous` holds the webhooks that it replaces.
    """

    __tablename__ = "number_order"
    __table_args__ = (
        _of_tenant("connection_id", "telephony_connection"),
        _of_tenant("number_id", "phone_number"),
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
        sa.Index(None, "tenant_id", "state"),
        sa.Index(None, "number_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    kind: OrderKind = Field(sa_type=words(OrderKind, "kind"))
    state: OrderState = Field(default=OrderState.PLACED, sa_type=words(OrderState, "state"))
    e164: str = Field(max_length=20)
    connection_id: int
    number_id: int | None = None
    provider_sid: str | None = Field(default=None, max_length=64)
    configuration: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    previous: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    price: str | None = Field(default=None, max_length=20)
    currency: str | None = Field(default=None, max_length=3)
    problem: str | None = Field(default=None, max_length=500)
    placed_by: int = Field(foreign_key="app_user.id")
    placed_at: datetime = _instant()
    asked_at: datetime | None = _maybe_instant()
    settled_at: datetime | None = _maybe_instant()


class Campaign(SQLModel, table=True):
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "id"),
        sa.UniqueConstraint("tenant_id", "name"),
        _of_tenant("primary_number_id", "phone_number"),
    )

    id: int | None = Field(default=None, primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    name: str = Field(max_length=80)
    status: CampaignStatus = Field(default=CampaignStatus.ACTIVE, sa_type=words(CampaignStatus, "status"))
    primary_number_id: int | None = None
    created_at: datetime = _instant()
    version: int = 1


class CampaignNumber(SQLModel, table=True):
    """A number's place in a campaign's pool."""

    __tablename__ = "campaign_number"
    __table_args__ = (
        _of_tenant("campaign_id", "campaign"),
        _of_tenant("number_id", "phone_number"),
        sa.CheckConstraint("weight IS NULL OR weight >= 0", name="weight_not_negative"),
        sa.Index(None, "tenant_id", "number_id"),
        sa.Index(
            "ix_campaign_number_flagged",
            "tenant_id",
            "number_id",
            sqlite_where=sa.text("pool_status = 'spam_flagged'"),
            postgresql_where=sa.text("pool_status = 'spam_flagged'"),
        ),
    )

    campaign_id: int = Field(primary_key=True)
    number_id: int = Field(primary_key=True)
    tenant_id: int
    pool_status: PoolStatus = Field(default=PoolStatus.ACTIVE, sa_type=words(PoolStatus, "pool_status"))
    weight: float | None = None
    added_at: datetime = _instant()


class CampaignHealth(SQLModel, table=True):
    """One day of calls of one number in one campaign. Idempotent by its key."""

    __tablename__ = "campaign_health"
    __table_args__ = (
        _of_tenant("campaign_id", "campaign"),
        _of_tenant("number_id", "phone_number"),
        sa.CheckConstraint("attempts >= 0 AND answered >= 0 AND answered <= attempts", name="answered_of_attempts"),
        sa.CheckConstraint("completed >= 0 AND short_calls >= 0 AND failed >= 0 AND spam_reports >= 0", name="counts"),
        sa.Index(None, "tenant_id", "number_id", "day"),
        sa.Index("ix_campaign_health_day", "tenant_id", "day", "number_id", "attempts"),
        sa.Index(
            "ix_campaign_health_window",
            *("tenant_id", "campaign_id", "number_id", "day", "attempts", "answered", "completed", "spam_reports"),
        ),
    )

    campaign_id: int = Field(primary_key=True)
    number_id: int = Field(primary_key=True)
    day: date = Field(primary_key=True)
    tenant_id: int
    attempts: int = 0
    answered: int = 0
    completed: int = 0
    short_calls: int = 0
    failed: int = 0
    spam_reports: int = 0


class HealthVersion(SQLModel, table=True):
    """How often a tenant's campaign health was written, so that a summary knows when it is old."""

    __tablename__ = "health_version"

    tenant_id: int = Field(primary_key=True, foreign_key="tenant.id")
    n: int = 0


class HealthSummary(SQLModel, table=True):
    """When a tenant's lines over a window of so many days were added up, and from what; see `health_line`."""

    __tablename__ = "health_summary"

    tenant_id: int = Field(primary_key=True, foreign_key="tenant.id")
    days: int = Field(primary_key=True)
    until: date
    version: int
    limits: str = Field(max_length=100)
    made_at: datetime = _instant()
    seconds: float


class HealthLine(SQLModel, table=True):
    """A number in one campaign over a window of so many days and the one before, added up from `campaign_health`.

    Rates are shares in 0..1. `verdict` is what the calls alone say.
    """

    __tablename__ = "health_line"
    __table_args__ = (sa.Index(None, "tenant_id", "days", "number_id", "completed"),)

    days: int = Field(primary_key=True)
    campaign_id: int = Field(primary_key=True)
    number_id: int = Field(primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id")
    attempts: int
    answered: int
    completed: int
    spam_reports: int
    attempts_before: int
    answered_before: int
    low: float | None = None
    high: float | None = None
    median: float | None = None
    verdict: str = Field(max_length=16)


class HealthPull(SQLModel, table=True):
    """How far a connection's call log was read, and how its last run goes or went.

    Every day from `first_day` to `done_until` was read to its end; before the first of them is, `done_until`
    is the day before it. `run` names the run, so that one that was given up cannot write any more. While it is
    under way it has no `ended_at`, and says by `updated_at` that it lives.
    """

    __tablename__ = "health_pull"
    __table_args__ = (_of_tenant("connection_id", "telephony_connection"),)

    connection_id: int = Field(primary_key=True)
    tenant_id: int
    first_day: date
    done_until: date
    run: str = Field(max_length=32)
    started_by: int | None = Field(default=None, foreign_key="app_user.id")
    started_at: datetime = _instant()
    updated_at: datetime = _instant()
    ended_at: datetime | None = _maybe_instant()
    problem: str | None = Field(default=None, max_length=500)
    counts: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class ApiKey(SQLModel, table=True):
    """A tenant's key to the HTTP API: its SHA-256, and the few letters by which a reader knows it."""

    __tablename__ = "api_key"

    id: int | None = Field(default=None, primary_key=True)
    tenant_id: int = Field(foreign_key="tenant.id", index=True)
    name: str = Field(max_length=80)
    shown: str = Field(max_length=16)
    hashed: str = Field(max_length=64, unique=True)
    created_by: int = Field(foreign_key="app_user.id")
    created_at: datetime = _instant()
    last_used_at: datetime | None = _maybe_instant()
    revoked_at: datetime | None = _maybe_instant()


_LAST = (sa.text("at DESC"), sa.text("id DESC"))


class AuditEvent(SQLModel, table=True):
    """Who changed what, from which value to which. Triggers refuse any update or delete."""

    __tablename__ = "audit_event"
    __table_args__ = (
        sa.Index("ix_audit_event_newest", "tenant_id", *_LAST),
        sa.Index("ix_audit_event_newest_of_all", *_LAST),
        sa.Index("ix_audit_event_counted", "tenant_id", "at", "action", "actor_id", "actor_name"),
        sa.Index("ix_audit_event_actor", "tenant_id", "actor_name", *_LAST),
        sa.Index("ix_audit_event_actor_of_all", "actor_name", *_LAST),
        sa.Index("ix_audit_event_action", "tenant_id", "action", *_LAST),
        sa.Index("ix_audit_event_action_of_all", "action", *_LAST),
        sa.Index("ix_audit_event_kind", "tenant_id", "subject_type", *_LAST),
        sa.Index("ix_audit_event_kind_of_all", "subject_type", *_LAST),
        sa.Index("ix_audit_event_label", "subject_label", "tenant_id", *_LAST),
        sa.Index("ix_audit_event_subject", "subject_type", "subject_id", "tenant_id", *_LAST),
    )

    id: int | None = Field(default=None, primary_key=True)
    tenant_id: int | None = Field(default=None, foreign_key="tenant.id")
    at: datetime = _instant()
    actor_id: int | None = Field(default=None, foreign_key="app_user.id")
    actor_name: str = Field(max_length=80)
    action: str = Field(max_length=64)
    subject_type: str = Field(max_length=32)
    subject_id: int | None = None
    subject_label: str = Field(default="", max_length=120)
    subject_version: int | None = None
    before: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    after: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class AuditName(SQLModel, table=True):
    """What things other than numbers were called when something happened to them; kept by triggers on `audit_event`.

    `tenant_id` is 0 for what belongs to no tenant.
    """

    __tablename__ = "audit_name"

    tenant_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True, max_length=120)


LIVE = sa.text("phone_number.status NOT IN ('released', 'removed')")
"""Written with its literals, as the partial indexes are: a bound value could not use them."""

_live = "status NOT IN ('released', 'removed')"
_restricted = "(allowed_inbound <> '[]' OR allowed_outbound <> '[]')"
_number = PhoneNumber.__table__
_newest = (_number.c.created_at.desc(), _number.c.id.desc())

for _name, _where, *_columns in (
    ("uq_phone_number_live_e164", _live, "e164"),
    ("ix_phone_number_e164", None, "e164"),
    ("ix_phone_number_newest", _live, "tenant_id", *_newest),
    ("ix_phone_number_newest_of_all", _live, *_newest),
    ("ix_phone_number_status", None, "tenant_id", "status", "provider", *_newest),
    ("ix_phone_number_agent", None, "tenant_id", "agent_id", *_newest),
    ("ix_phone_number_connection", None, "tenant_id", "connection_id", *_newest),
    ("ix_phone_number_country", None, "tenant_id", "country", *_newest),
    ("ix_phone_number_by_e164", None, "tenant_id", "e164", "id"),
    ("ix_phone_number_by_label", None, "tenant_id", "label", "id"),
    ("ix_phone_number_holdings", _live, "tenant_id", "connection_id", "currency", "price"),
    ("ix_phone_number_managed", f"is_managed AND {_live}", "tenant_id", "id"),
    ("ix_phone_number_unassigned", f"agent_id IS NULL AND {_live}", "tenant_id", "status", *_newest),
    ("ix_phone_number_released", "released_at IS NOT NULL", "tenant_id", "released_at", "created_at"),
    ("ix_phone_number_restricted", _restricted, "tenant_id", *_newest),
):
    _only = {f"{_kind}_where": sa.text(_where) for _kind in ("sqlite", "postgresql") if _where}
    sa.Index(
        _name,
        *(_number.c[_column] if isinstance(_column, str) else _column for _column in _columns),
        unique=_name.startswith("uq"),
        **_only,
    )
