import db.engine


def analyze() -> None:
    """Tell the database in use what it holds, as it notices by itself in time."""
    engine = db.engine.current()
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
