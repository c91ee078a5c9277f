"""The migrated schema is the models' schema, on both databases."""

import re
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import SQLModel

import db.base.engine
import db.models

OURS = set(SQLModel.metadata.tables)


def test_the_migrated_schema_equals_the_models(database: sa.Engine, tmp_path: Path) -> None:
    if database.dialect.name == "sqlite":
        fresh = db.base.engine.make_engine(f"sqlite:///{tmp_path / 'models.db'}")
        SQLModel.metadata.create_all(fresh)
        assert sqlite_schema(database) == sqlite_schema(fresh)
        fresh.dispose()
        return
    with database.connect() as connection:
        connection.exec_driver_sql("CREATE SCHEMA models")
        connection.exec_driver_sql("SET search_path TO models")
        SQLModel.metadata.create_all(connection)
        assert postgresql_schema(connection, "public") == postgresql_schema(connection, "models")


def test_migrating_again_changes_nothing(database: sa.Engine) -> None:
    before = sorted(sa.inspect(database).get_table_names())
    db.base.engine.migrate(database)
    assert sorted(sa.inspect(database).get_table_names()) == before


def test_each_migration_is_named_by_a_sentence() -> None:
    names = [path.stem for path in (db.base.engine.MIGRATIONS / "versions").glob("*.py")]
    assert names
    assert all(re.fullmatch(r"\d{4}(_[a-z0-9]+){3,}", name) for name in names)


def sqlite_schema(engine: sa.Engine) -> dict[str, list[str]]:
    """Return the statement behind each of our tables and indexes, in its parts."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type <> 'trigger'"
        )
        return {name: _parts(sql) for name, table, sql in rows if table in OURS}


def _parts(statement: str) -> list[str]:
    """Return what stands between the outer brackets, part by part, in an order of its own."""
    head, body = "".join(statement.split()).split("(", 1)
    return [head, *sorted(re.split(r",(?![^()]*\))", body.replace("'", "").removesuffix(")")))]


def postgresql_schema(connection: sa.Connection, schema: str) -> dict[str, set[str]]:
    """Return columns, constraints and indexes of our tables as PostgreSQL writes them."""
    tables = ", ".join(f"'{name}'" for name in OURS)
    columns = f"""
        SELECT concat_ws(' ', table_name, column_name, data_type, character_maximum_length, is_nullable)
        FROM information_schema.columns WHERE table_schema = '{schema}' AND table_name IN ({tables})
    """  # noqa: S608
    constraints = f"""
        SELECT c.conname || ' ' || pg_get_constraintdef(c.oid) FROM pg_constraint c
        JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE n.nspname = '{schema}' AND t.relname IN ({tables}) AND c.contype <> 'n'
    """  # noqa: S608
    indexes = f"""
        SELECT indexdef FROM pg_indexes WHERE schemaname = '{schema}' AND tablename IN ({tables})
        AND indexname NOT IN {SEARCH_INDEXES}
    """  # noqa: S608
    return {
        kind: {str(row[0]).replace(f"{schema}.", "") for row in connection.exec_driver_sql(statement)}
        for kind, statement in (("columns", columns), ("constraints", constraints), ("indexes", indexes))
    }


# Which of these there are depends on pg_trgm, so they are the migration's alone.
SEARCH_INDEXES = (
    "ix_phone_number_trigrams",
    "ix_phone_number_start",
    "ix_phone_number_end",
    "ix_phone_number_label_start",
)
