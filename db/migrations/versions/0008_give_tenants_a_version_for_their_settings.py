"""Give tenants a version, by which a save of settings notices another one in between."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenant", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
