"""Keep when each order is looked at next, and which processes live."""

import sqlalchemy as sa
from alembic import op

from db.base.columns import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

AWAITED = sa.text("next_look_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("number_order", sa.Column("looks", sa.Integer(), server_default="0", nullable=False))
    op.add_column("number_order", sa.Column("last_looked_at", UtcDateTime(), nullable=True))
    op.add_column("number_order", sa.Column("next_look_at", UtcDateTime(), nullable=True))
    op.execute("UPDATE number_order SET next_look_at = CURRENT_TIMESTAMP WHERE state IN ('placed', 'unknown')")
    op.create_index(
        "ix_number_order_next_look_at",
        "number_order",
        ["next_look_at"],
        unique=False,
        sqlite_where=AWAITED,
        postgresql_where=AWAITED,
    )
    op.create_table(
        "replica",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("beats", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_replica"),
    )
