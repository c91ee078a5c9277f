"""Keep how the last run through a call log goes or went: who began it, when, what it counted, and why it stopped."""

import sqlalchemy as sa
from alembic import op

from db.base.columns import Json, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("health_pull")  # nothing has written to it yet
    op.create_table(
        "health_pull",
        sa.Column("connection_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("done_until", sa.Date(), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("started_by", sa.Integer(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=True),
        sa.Column("counts", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection_id"],
            ["telephony_connection.tenant_id", "telephony_connection.id"],
            name="fk_health_pull_tenant_id_connection_id",
        ),
        sa.ForeignKeyConstraint(["started_by"], ["app_user.id"], name="fk_health_pull_started_by"),
        sa.PrimaryKeyConstraint("connection_id", name="pk_health_pull"),
    )
