"""Keep jobs with an outcome for each of their items."""

import sqlalchemy as sa
from alembic import op

from db.base.columns import Json, UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UNFINISHED = sa.text("state IN ('draft', 'waiting', 'running')")
STATES = ("draft", "waiting", "running", "done", "cancelled", "failed")
OUTCOMES = ("waiting", "ordered", "changed", "unchanged", "refused", "cancelled")


def _words(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("settings", Json, nullable=False),
        sa.Column("state", _words("state", STATES), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("monthly", Json, nullable=False),
        sa.Column("problem", sa.String(length=500), nullable=True),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_job_tenant_id"),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name="fk_job_user_id"),
        sa.ForeignKeyConstraint(["undoes"], ["job.id"], name="fk_job_undoes"),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_newest", "job", ["tenant_id", sa.text("id DESC")], unique=False)
    op.create_index(
        "ix_job_unfinished",
        "job",
        ["state"],
        unique=False,
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    )
    op.create_index("ix_job_undoes", "job", ["undoes"], unique=False)
    op.create_table(
        "job_item",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("number_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("settings", Json, nullable=False),
        sa.Column("outcome", _words("outcome", OUTCOMES), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("before", Json, nullable=False),
        sa.Column("after", Json, nullable=False),
        sa.Column("old", Json, nullable=False),
        sa.Column("new_version", sa.Integer(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_job_item_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "place", name="pk_job_item"),
    )
    op.create_index("ix_job_item_outcome", "job_item", ["job_id", "outcome", "place"], unique=False)
