"""The database: models, engine, migrations, and one module of queries per noun."""
