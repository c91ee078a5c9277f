"""Keep the outcome of the last test of a connection: when it was asked, whether it worked, what was said."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("telephony_connection", sa.Column("tested_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("telephony_connection", sa.Column("test_passed", sa.Boolean(), nullable=True))
    op.add_column("telephony_connection", sa.Column("test_result", sa.String(500), nullable=True))
