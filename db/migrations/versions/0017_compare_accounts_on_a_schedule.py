"""Note which jobs the clock started, and how often a connection's account is compared."""

import sqlalchemy as sa
from alembic import op

from db.base.columns import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("scheduled", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("telephony_connection", sa.Column("compare_days", sa.Integer(), nullable=True))
    op.add_column("telephony_connection", sa.Column("compare_set_by", sa.Integer(), nullable=True))
    op.add_column("telephony_connection", sa.Column("compared_job_id", sa.Integer(), nullable=True))
    op.add_column("telephony_connection", sa.Column("compared_at", UtcDateTime(), nullable=True))
