"""Judge numbers against the others of their pool, find falls of a whole pool, and count what machines answered."""

import sqlalchemy as sa
from alembic import op

from db.base.columns import UtcDateTime

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

WINDOW = ("tenant_id", "campaign_id", "number_id", "day", "attempts", "answered", "completed", "spam_reports")


def upgrade() -> None:
    for name in ("detected", "machines"):
        op.add_column("campaign_health", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
        op.add_column("health_line", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.drop_index("ix_campaign_health_window", "campaign_health")
    op.create_index("ix_campaign_health_window", "campaign_health", [*WINDOW, "detected", "machines"])
    for name in ("expected", "bound", "since_expected"):
        op.add_column("health_line", sa.Column(name, sa.Float(), nullable=True))
    op.add_column("health_line", sa.Column("since", sa.Date(), nullable=True))
    for name in ("since_attempts", "since_answered"):
        op.add_column("health_line", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "health_fall",
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_health_fall_tenant_id"),
        sa.PrimaryKeyConstraint("days", "campaign_id", name="pk_health_fall"),
    )
    op.create_index("ix_health_fall_tenant_id_days", "health_fall", ["tenant_id", "days"], unique=False)
    op.execute("DELETE FROM health_summary")  # what was added up before is judged anew
    op.add_column("campaign_number", sa.Column("left_at", UtcDateTime(), nullable=True))
