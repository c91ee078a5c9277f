"""What all queries stand on: engine, sessions, locks, column types, scope."""
