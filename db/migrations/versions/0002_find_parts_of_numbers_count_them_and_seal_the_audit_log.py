"""Find parts of numbers and labels, keep counts of numbers, and seal the audit log.

These live in triggers, so that whatever writes, in whatever way, they are right in its transaction.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE:
            op.execute(statement)
        return
    for statement in POSTGRESQL:
        op.execute(statement)
    if _trigrams_available():
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.execute(
            "CREATE INDEX ix_phone_number_trigrams ON phone_number USING gin ((e164 || ' ' || label) gin_trgm_ops)"
        )
    else:  # the start and the end of a number, and the start of a label, are what can be found fast
        op.execute("CREATE INDEX ix_phone_number_start ON phone_number (e164 varchar_pattern_ops)")
        op.execute("CREATE INDEX ix_phone_number_end ON phone_number (reverse(e164) text_pattern_ops)")
        op.execute("CREATE INDEX ix_phone_number_label_start ON phone_number (lower(label) text_pattern_ops)")


def _trigrams_available() -> bool:
    found = op.get_bind().exec_driver_sql("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
    return found.first() is not None


KIND = "tenant_id, status, provider, country, number_type, is_managed"


def _count(row: str, change: int) -> str:
    values = ", ".join(f"{row}.{column}" for column in KIND.split(", "))
    return f"""
        INSERT INTO number_count ({KIND}, n) VALUES ({values}, {change})
        ON CONFLICT ({KIND}) DO UPDATE SET n = n + ({change});
    """


_FORGET = (
    "INSERT INTO number_search (number_search, rowid, e164, label) VALUES ('delete', old.id, old.e164, old.label);"
)
_LEARN = "INSERT INTO number_search (rowid, e164, label) VALUES (new.id, new.e164, new.label);"

SQLITE = [
    """
    CREATE VIRTUAL TABLE number_search
    USING fts5(e164, label, content='phone_number', content_rowid='id', tokenize='trigram')
    """,
    f"""
    CREATE TRIGGER phone_number_inserted AFTER INSERT ON phone_number
    BEGIN {_LEARN} {_count("new", 1)} END
    """,
    f"""
    CREATE TRIGGER phone_number_deleted AFTER DELETE ON phone_number
    BEGIN {_FORGET} {_count("old", -1)} END
    """,
    f"""
    CREATE TRIGGER phone_number_renamed AFTER UPDATE OF e164, label ON phone_number
    WHEN old.e164 <> new.e164 OR old.label <> new.label
    BEGIN {_FORGET} {_LEARN} END
    """,
    f"""
    CREATE TRIGGER phone_number_moved AFTER UPDATE OF {KIND} ON phone_number
    BEGIN {_count("old", -1)} {_count("new", 1)} END
    """,
    """
    CREATE TRIGGER audit_event_not_updated BEFORE UPDATE ON audit_event
    BEGIN SELECT RAISE(ABORT, 'The audit log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_event_not_deleted BEFORE DELETE ON audit_event
    BEGIN SELECT RAISE(ABORT, 'The audit log is append-only'); END
    """,
]

_INSERTED = f"SELECT {KIND}, 1 AS change FROM inserted"
_DELETED = f"SELECT {KIND}, -1 AS change FROM deleted"


def _counter(name: str, when: str, tables: str, rows: str) -> list[str]:
    # One statement for all its rows: thousands of updates of one row in a transaction would crawl.
    return [
        f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO number_count ({KIND}, n)
            SELECT {KIND}, sum(change) FROM ({rows}) AS changes
            GROUP BY {KIND} HAVING sum(change) <> 0
            ORDER BY {KIND}
            ON CONFLICT ({KIND}) DO UPDATE SET n = number_count.n + excluded.n;
            RETURN NULL;
        END $$
        """,
        f"""
        CREATE TRIGGER {name} AFTER {when} ON phone_number REFERENCING {tables}
        FOR EACH STATEMENT EXECUTE FUNCTION {name}()
        """,
    ]


POSTGRESQL = [
    *_counter("phone_number_inserted", "INSERT", "NEW TABLE AS inserted", _INSERTED),
    *_counter("phone_number_deleted", "DELETE", "OLD TABLE AS deleted", _DELETED),
    *_counter(
        "phone_number_updated",
        "UPDATE",
        "NEW TABLE AS inserted OLD TABLE AS deleted",
        f"{_INSERTED} UNION ALL {_DELETED}",
    ),
    """
    CREATE FUNCTION audit_event_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'The audit log is append-only'; END $$
    """,
    """
    CREATE TRIGGER audit_event_not_changed BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_sealed()
    """,
    """
    CREATE TRIGGER audit_event_not_truncated BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_sealed()
    """,
]
