"""Keep API keys and how far each call log was read."""

import sqlalchemy as sa
from alembic import op

from db.base.columns import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("shown", sa.String(length=16), nullable=False),
        sa.Column("hashed", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_api_key_tenant_id"),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name="fk_api_key_created_by"),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("hashed", name="uq_api_key_hashed"),
    )
    op.create_index("ix_api_key_tenant_id", "api_key", ["tenant_id"], unique=False)
    op.create_table(
        "health_pull",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("done_until", sa.Date(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["telephony_connection.tenant_id", "telephony_connection.id"],
            name="fk_health_pull_tenant_id_connection_id",
        ),
        sa.PrimaryKeyConstraint("connection_id", name="pk_health_pull"),
    )
    # The page of number health reads whole windows of a tenant from this index alone.
    op.create_index(
        "ix_campaign_health_window",
        "campaign_health",
        ["tenant_id", "campaign_id", "number_id", "day", "attempts", "answered", "completed", "spam_reports"],
        unique=False,
    )
