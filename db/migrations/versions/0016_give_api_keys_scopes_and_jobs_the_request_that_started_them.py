"""Give API keys scopes, and jobs the key and the request that started them."""

import sqlalchemy as sa
from alembic import op

from db.base.columns import Json

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_key", sa.Column("scopes", Json, server_default='["health"]', nullable=False))
    op.add_column("job", sa.Column("api_key_id", sa.Integer(), nullable=True))
    op.add_column("job", sa.Column("request_key", sa.String(length=128), nullable=True))
    op.add_column("job", sa.Column("request_hash", sa.String(length=64), nullable=True))
    op.create_index("ix_job_request", "job", ["tenant_id", "request_key"], unique=True)
