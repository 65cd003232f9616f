//! Postgres: one file a table, functions over a connection.
