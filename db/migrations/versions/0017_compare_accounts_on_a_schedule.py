"""Note which jobs the clock started, and how often a connection's account is compared."""

import sqlalchemy as sa
from alembic import op

from db.base.columns import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OUTCOMES = ("waiting", "ordered", "changed", "unchanged", "refused", "cancelled", "different")


def upgrade() -> None:
    op.add_column("job", sa.Column("scheduled", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("job", sa.Column("comparison_id", sa.Integer(), nullable=True))
    op.add_column("telephony_connection", sa.Column("compare_days", sa.Integer(), nullable=True))
    op.add_column("telephony_connection", sa.Column("compare_set_by", sa.Integer(), nullable=True))
    op.add_column("telephony_connection", sa.Column("compare_since", UtcDateTime(), nullable=True))
    op.add_column("telephony_connection", sa.Column("compared_job_id", sa.Integer(), nullable=True))
    op.add_column("telephony_connection", sa.Column("compared_at", UtcDateTime(), nullable=True))
    outcomes = ", ".join(f"'{outcome}'" for outcome in OUTCOMES)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("ck_job_item_outcome", "job_item")
        op.execute(f"ALTER TABLE job_item ADD CONSTRAINT ck_job_item_outcome CHECK (outcome IN ({outcomes}))")
        return
    table = op.get_bind().scalar(sa.text("SELECT sql FROM sqlite_master WHERE name = 'job_item'"))
    before, _, after = table.partition("CHECK (outcome IN (")
    op.execute("ALTER TABLE job_item RENAME TO job_item_before")  # SQLite changes no constraint of a table
    op.execute(f"{before}CHECK (outcome IN ({outcomes}){after.partition(')')[2]}")
    op.execute("INSERT INTO job_item SELECT * FROM job_item_before")
    op.execute("DROP TABLE job_item_before")
    op.create_index("ix_job_item_outcome", "job_item", ["job_id", "outcome", "place"], unique=False)
