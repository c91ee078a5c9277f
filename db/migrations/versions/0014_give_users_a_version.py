"""Give users a version, by which a change of roles notices another one in between."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("app_user", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
