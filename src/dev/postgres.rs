//! A Postgres server of our own, started as a child process.
