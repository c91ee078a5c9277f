"""Find what calls for attention fast: indexes of the tenant audit."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LIVE = "status NOT IN ('released', 'removed')"
NEWEST = (sa.text("created_at DESC"), sa.text("id DESC"))


def upgrade() -> None:
    _index("ix_phone_number_holdings", "phone_number", ("tenant_id", "connection_id", "currency", "price"), LIVE)
    _index("ix_phone_number_managed", "phone_number", ("tenant_id", "id"), f"is_managed AND {LIVE}")
    _index(
        "ix_phone_number_unassigned", "phone_number", ("tenant_id", "status", *NEWEST), f"agent_id IS NULL AND {LIVE}"
    )
    _index(
        "ix_phone_number_released",
        "phone_number",
        ("tenant_id", "released_at", "created_at"),
        "released_at IS NOT NULL",
    )
    _index(
        "ix_phone_number_restricted",
        "phone_number",
        ("tenant_id", *NEWEST),
        "(allowed_inbound <> '[]' OR allowed_outbound <> '[]')",
    )
    _index("ix_campaign_number_flagged", "campaign_number", ("tenant_id", "number_id"), "pool_status = 'spam_flagged'")
    _index("ix_audit_event_counted", "audit_event", ("tenant_id", "at", "action", "actor_id", "actor_name"))
    _index(
        "ix_number_order_webhooks",
        "number_order",
        ("tenant_id", "number_id", "id"),
        "state = 'confirmed' AND kind IN ('purchase', 'import', 'webhooks')",
    )


def _index(name: str, table: str, columns: tuple[object, ...], where: str = "") -> None:
    only = {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)} if where else {}
    op.create_index(name, table, list(columns), unique=False, **only)
