"""Read call logs as jobs: what a run knew of itself, its job knows."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("health_pull", sa.Column("job_id", sa.Integer(), nullable=True))
    # The clock reads on in the name of whoever last started it, which the log of events knows where it did so itself.
    op.execute("""
        UPDATE health_pull SET started_by = (
            SELECT actor_id FROM audit_event
            WHERE audit_event.tenant_id = health_pull.tenant_id AND action = 'health:pull' AND actor_id IS NOT NULL
            ORDER BY id DESC LIMIT 1
        ) WHERE started_by IS NULL
    """)
    for column in ("run", "started_at", "updated_at", "ended_at", "problem"):
        op.drop_column("health_pull", column)
