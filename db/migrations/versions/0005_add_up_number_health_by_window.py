"""Add up number health by window, so that a page reads lines and not days."""

import sqlalchemy as sa
from alembic import op

from db.base.columns import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "health_version",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_health_version_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_health_version"),
    )
    op.create_table(
        "health_summary",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("limits", sa.String(length=100), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_health_summary_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "days", name="pk_health_summary"),
    )
    op.create_table(
        "health_line",
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("number_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("spam_reports", sa.Integer(), nullable=False),
        sa.Column("attempts_before", sa.Integer(), nullable=False),
        sa.Column("answered_before", sa.Integer(), nullable=False),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("median", sa.Float(), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_health_line_tenant_id"),
        sa.PrimaryKeyConstraint("days", "campaign_id", "number_id", name="pk_health_line"),
    )
    op.create_index(
        "ix_health_line_tenant_id_days_number_id_completed",
        "health_line",
        ["tenant_id", "days", "number_id", "completed"],
        unique=False,
    )
    # The calls of one day by number, such as those of today against the cap, from the index alone.
    op.create_index("ix_campaign_health_day", "campaign_health", ["tenant_id", "day", "number_id", "attempts"])
    op.drop_index("ix_campaign_health_tenant_id_day", "campaign_health")
