"""Keep prices as decimals. What was kept as text and is no amount becomes an unknown price."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ("phone_number", "number_order")
HOLDINGS = (
    "CREATE INDEX ix_phone_number_holdings ON phone_number (tenant_id, connection_id, currency, price) "
    "WHERE status NOT IN ('released', 'removed')"
)


def upgrade() -> None:
    op.drop_index("ix_phone_number_holdings", "phone_number")  # PostgreSQL would write its condition in another way
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in TABLES:
        if is_postgresql:
            op.alter_column(
                table,
                "price",
                type_=sa.Numeric(),
                postgresql_using="CASE WHEN price ~ '^[0-9]+([.][0-9]+)?$' THEN price::numeric END",
            )
        else:  # SQLite has no decimals: the text stays, and is read as one
            op.execute(
                f"UPDATE {table} SET price = NULL "
                "WHERE price GLOB '*[^0-9.]*' OR price GLOB '*.*.*' OR price GLOB '.*' OR price GLOB '*.' OR price = ''"
            )
    op.execute(HOLDINGS)
