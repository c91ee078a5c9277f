"""Create the tables of tenants, users, numbers and what they refer to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Instant = sa.DateTime(timezone=True)
Json = sa.JSON().with_variant(JSONB(), "postgresql")


def words(*values: str, name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "app_user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("password_hash", sa.String(100), nullable=False),
        sa.Column("is_superadmin", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("sessions_valid_from", Instant, nullable=False),
        sa.Column("last_sign_in_at", Instant, nullable=True),
        sa.Column("last_tenant_id", sa.Integer(), nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_app_user"),
        sa.UniqueConstraint("username", name="uq_app_user_username"),
    )
    op.create_table(
        "sign_in_throttle",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failure_at", Instant, nullable=False),
        sa.Column("locked_until", Instant, nullable=True),
        sa.PrimaryKeyConstraint("username", name="pk_sign_in_throttle"),
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("suspended_at", Instant, nullable=True),
        sa.Column("settings", Json, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenant"),
        sa.UniqueConstraint("name", name="uq_tenant_name"),
    )
    op.create_table(
        "agent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_agent_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_agent"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_agent_tenant_id_id"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_agent_tenant_id_name"),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(80), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject_type", sa.String(32), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("subject_label", sa.String(120), nullable=False),
        sa.Column("subject_version", sa.Integer(), nullable=True),
        sa.Column("before", Json, nullable=False),
        sa.Column("after", Json, nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name="fk_audit_event_actor_id"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_audit_event_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_event"),
    )
    op.create_index("ix_audit_event_newest", "audit_event", ["tenant_id", sa.text("at DESC"), sa.text("id DESC")])
    op.create_index("ix_audit_event_subject", "audit_event", ["subject_type", "subject_id", sa.text("id DESC")])
    op.create_table(
        "membership",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("role", words("admin", "operator", "viewer", name="role"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_membership_tenant_id"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_membership_user_id"),
        sa.PrimaryKeyConstraint("user_id", "tenant_id", name="pk_membership"),
    )
    op.create_index("ix_membership_tenant_id", "membership", ["tenant_id"], unique=False)
    op.create_table(
        "number_count",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("status", words("active", "inactive", "released", "removed", name="status"), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column(
            "number_type",
            words("local", "mobile", "toll_free", "national", "voip", "shared_cost", "other", name="number_type"),
            nullable=False,
        ),
        sa.Column("is_managed", sa.Boolean(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_number_count_tenant_id"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "status", "provider", "country", "number_type", "is_managed", name="pk_number_count"
        ),
    )
    op.create_table(
        "telephony_connection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("credentials", sa.Text(), nullable=True),
        sa.Column("default_country", sa.String(2), nullable=True),
        sa.Column("voice_url", sa.String(500), nullable=True),
        sa.Column("status_callback_url", sa.String(500), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_sandbox", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_telephony_connection_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_telephony_connection"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_telephony_connection_tenant_id_id"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_telephony_connection_tenant_id_name"),
    )
    op.create_table(
        "phone_number",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("e164", sa.String(20), nullable=False),
        sa.Column("status", words("active", "inactive", "released", "removed", name="status"), nullable=False),
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=True),
        sa.Column("is_managed", sa.Boolean(), nullable=False),
        sa.Column("provider_sid", sa.String(64), nullable=True),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column(
            "number_type",
            words("local", "mobile", "toll_free", "national", "voip", "shared_cost", "other", name="number_type"),
            nullable=False,
        ),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        sa.Column("allowed_inbound", Json, nullable=False),
        sa.Column("allowed_outbound", Json, nullable=False),
        sa.Column("provider_fields", Json, nullable=False),
        sa.Column("notes", sa.String(2000), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
        sa.Column("released_at", Instant, nullable=True),
        sa.Column("buy_back_until", Instant, nullable=True),
        sa.Column("price", sa.String(20), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "released_at IS NULL OR status IN ('released', 'removed')", name=op.f("ck_phone_number_released_is_gone")
        ),
        sa.CheckConstraint("length(e164) >= 3", name=op.f("ck_phone_number_e164_is_a_number")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agent_id"], ["agent.tenant_id", "agent.id"], name="fk_phone_number_tenant_id_agent_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["telephony_connection.tenant_id", "telephony_connection.id"],
            name="fk_phone_number_tenant_id_connection_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_phone_number_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_phone_number"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_phone_number_tenant_id_id"),
    )
    op.create_index(
        "ix_phone_number_agent",
        "phone_number",
        ["tenant_id", "agent_id", sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.create_index("ix_phone_number_by_e164", "phone_number", ["tenant_id", "e164", "id"], unique=False)
    op.create_index("ix_phone_number_by_label", "phone_number", ["tenant_id", "label", "id"], unique=False)
    op.create_index(
        "ix_phone_number_connection",
        "phone_number",
        ["tenant_id", "connection_id", sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_phone_number_country",
        "phone_number",
        ["tenant_id", "country", sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.create_index("ix_phone_number_e164", "phone_number", ["e164"], unique=False)
    op.create_index(
        "ix_phone_number_newest",
        "phone_number",
        ["tenant_id", sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
        sqlite_where=sa.text("status NOT IN ('released', 'removed')"),
        postgresql_where=sa.text("status NOT IN ('released', 'removed')"),
    )
    op.create_index(
        "ix_phone_number_newest_of_all",
        "phone_number",
        [sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
        sqlite_where=sa.text("status NOT IN ('released', 'removed')"),
        postgresql_where=sa.text("status NOT IN ('released', 'removed')"),
    )
    op.create_index(
        "ix_phone_number_status",
        "phone_number",
        ["tenant_id", "status", "provider", sa.text("created_at DESC"), sa.text("id DESC")],
        unique=False,
    )
    op.create_index(
        "uq_phone_number_live_e164",
        "phone_number",
        ["e164"],
        unique=True,
        sqlite_where=sa.text("status NOT IN ('released', 'removed')"),
        postgresql_where=sa.text("status NOT IN ('released', 'removed')"),
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("status", words("draft", "active", "paused", "ended", name="status"), nullable=False),
        sa.Column("primary_number_id", sa.Integer(), nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "primary_number_id"],
            ["phone_number.tenant_id", "phone_number.id"],
            name="fk_campaign_tenant_id_primary_number_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_campaign_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_campaign"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_campaign_tenant_id_id"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_campaign_tenant_id_name"),
    )
    op.create_table(
        "number_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("kind", words("purchase", "import", "release", "webhooks", name="kind"), nullable=False),
        sa.Column("state", words("placed", "confirmed", "failed", "unknown", name="state"), nullable=False),
        sa.Column("e164", sa.String(20), nullable=False),
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("number_id", sa.Integer(), nullable=True),
        sa.Column("provider_sid", sa.String(64), nullable=True),
        sa.Column("configuration", Json, nullable=False),
        sa.Column("previous", Json, nullable=False),
        sa.Column("price", sa.String(20), nullable=True),
        sa.Column("currency", sa.String(3), nullable=True),
        sa.Column("problem", sa.String(500), nullable=True),
        sa.Column("placed_by", sa.Integer(), nullable=False),
        sa.Column("placed_at", Instant, nullable=False),
        sa.Column("asked_at", Instant, nullable=True),
        sa.Column("settled_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(["placed_by"], ["app_user.id"], name="fk_number_order_placed_by"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["telephony_connection.tenant_id", "telephony_connection.id"],
            name="fk_number_order_tenant_id_connection_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "number_id"],
            ["phone_number.tenant_id", "phone_number.id"],
            name="fk_number_order_tenant_id_number_id",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_number_order_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_number_order"),
    )
    op.create_index("ix_number_order_number_id", "number_order", ["number_id"], unique=False)
    op.create_index("ix_number_order_tenant_id_state", "number_order", ["tenant_id", "state"], unique=False)
    op.create_index(
        "uq_number_order_open_e164",
        "number_order",
        ["e164"],
        unique=True,
        sqlite_where=sa.text("state IN ('placed', 'unknown')"),
        postgresql_where=sa.text("state IN ('placed', 'unknown')"),
    )
    op.create_table(
        "number_tag",
        sa.Column("number_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(32), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "number_id"],
            ["phone_number.tenant_id", "phone_number.id"],
            name="fk_number_tag_tenant_id_number_id",
        ),
        sa.PrimaryKeyConstraint("number_id", "tag", name="pk_number_tag"),
    )
    op.create_index(
        "ix_number_tag_tenant_id_tag_number_id", "number_tag", ["tenant_id", "tag", "number_id"], unique=False
    )
    op.create_table(
        "campaign_health",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("number_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("short_calls", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("spam_reports", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "attempts >= 0 AND answered >= 0 AND answered <= attempts",
            name=op.f("ck_campaign_health_answered_of_attempts"),
        ),
        sa.CheckConstraint(
            "completed >= 0 AND short_calls >= 0 AND failed >= 0 AND spam_reports >= 0",
            name=op.f("ck_campaign_health_counts"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "campaign_id"],
            ["campaign.tenant_id", "campaign.id"],
            name="fk_campaign_health_tenant_id_campaign_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "number_id"],
            ["phone_number.tenant_id", "phone_number.id"],
            name="fk_campaign_health_tenant_id_number_id",
        ),
        sa.PrimaryKeyConstraint("campaign_id", "number_id", "day", name="pk_campaign_health"),
    )
    op.create_index("ix_campaign_health_tenant_id_day", "campaign_health", ["tenant_id", "day"], unique=False)
    op.create_index(
        "ix_campaign_health_tenant_id_number_id_day", "campaign_health", ["tenant_id", "number_id", "day"], unique=False
    )
    op.create_table(
        "campaign_number",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("number_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column(
            "pool_status",
            words("active", "paused", "capped", "cooling", "spam_flagged", "removed", name="pool_status"),
            nullable=False,
        ),
        sa.Column("weight", sa.Float(), nullable=True),
        sa.Column("added_at", Instant, nullable=False),
        sa.CheckConstraint("weight IS NULL OR weight >= 0", name=op.f("ck_campaign_number_weight_not_negative")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "campaign_id"],
            ["campaign.tenant_id", "campaign.id"],
            name="fk_campaign_number_tenant_id_campaign_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "number_id"],
            ["phone_number.tenant_id", "phone_number.id"],
            name="fk_campaign_number_tenant_id_number_id",
        ),
        sa.PrimaryKeyConstraint("campaign_id", "number_id", name="pk_campaign_number"),
    )
    op.create_index(
        "ix_campaign_number_tenant_id_number_id", "campaign_number", ["tenant_id", "number_id"], unique=False
    )
