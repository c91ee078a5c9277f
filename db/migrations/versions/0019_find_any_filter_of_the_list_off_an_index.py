"""Find any filter of the list of numbers off an index: those in its order have all that can be filtered by."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

LIVE = "status NOT IN ('released', 'removed')"
NEWEST = (sa.text("created_at DESC"), sa.text("id DESC"))
KIND = ("status", "provider", "country", "number_type", "is_managed")


def upgrade() -> None:
    for gone in ("newest", "newest_of_all", "status", "country", "agent", "connection", "unassigned"):
        op.drop_index(f"ix_phone_number_{gone}", "phone_number")
    for narrower in ("by_e164", "by_label"):
        op.drop_index(f"ix_phone_number_{narrower}", "phone_number")
    _index("newest", "tenant_id", *NEWEST, *KIND, "connection_id", "agent_id")
    _index("newest_of_all", *NEWEST, "tenant_id", *KIND, "connection_id", "agent_id")
    _index("kind", "tenant_id", *KIND, *NEWEST)
    _index("agent", "tenant_id", "agent_id", *NEWEST, *KIND, "connection_id")
    _index("connection", "tenant_id", "connection_id", *NEWEST, *KIND, "agent_id")
    _index("by_e164", "tenant_id", "e164", "id", where=LIVE)
    _index("by_label", "tenant_id", "label", "id", where=LIVE)
    _index("by_label_of_all", "label", "id", where=LIVE)


def _index(name: str, *columns: object, where: str | None = None) -> None:
    only = sa.text(where) if where else None
    op.create_index(f"ix_phone_number_{name}", "phone_number", list(columns), sqlite_where=only, postgresql_where=only)
