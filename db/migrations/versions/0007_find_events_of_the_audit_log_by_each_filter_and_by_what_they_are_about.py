"""Find events of the audit log by each filter alone, and by part of the name of what they are about."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FILTERS = {"actor": "actor_name", "action": "action", "kind": "subject_type"}
LAST = (sa.text("at DESC"), sa.text("id DESC"))


def upgrade() -> None:
    op.create_index("ix_audit_event_newest_of_all", "audit_event", [*LAST])
    for name, column in FILTERS.items():
        op.create_index(f"ix_audit_event_{name}", "audit_event", ["tenant_id", column, *LAST])
        op.create_index(f"ix_audit_event_{name}_of_all", "audit_event", [column, *LAST])
    op.create_index("ix_audit_event_label", "audit_event", ["subject_label", "tenant_id", *LAST])
    op.drop_index("ix_audit_event_subject", "audit_event")
    op.create_index("ix_audit_event_subject", "audit_event", ["subject_type", "subject_id", "tenant_id", *LAST])
    op.create_table(
        "audit_name",
        sa.Column("tenant_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="pk_audit_name"),
    )
    op.execute(f"INSERT INTO audit_name (tenant_id, name) SELECT DISTINCT {NAMED} FROM audit_event WHERE {IS_NAMED}")
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


# Numbers have an index over their parts already, and there are far more of them than of names.
NAMED = "coalesce(tenant_id, 0), subject_label"
IS_NAMED = "subject_type NOT IN ('number', 'order')"

SQLITE = [
    """
    CREATE TRIGGER audit_event_named AFTER INSERT ON audit_event WHEN new.subject_type NOT IN ('number', 'order')
    BEGIN
        INSERT INTO audit_name (tenant_id, name) VALUES (coalesce(new.tenant_id, 0), new.subject_label)
        ON CONFLICT DO NOTHING;
    END
    """,
]

POSTGRESQL = [
    f"""
    CREATE FUNCTION audit_event_named() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO audit_name (tenant_id, name) SELECT DISTINCT {NAMED} FROM inserted WHERE {IS_NAMED}
        ORDER BY 1, 2 ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER audit_event_named AFTER INSERT ON audit_event REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_named()
    """,
]
