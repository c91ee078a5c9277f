"""The base of all queries: engine, sessions, locks, column types, scope."""
