//! The database connection of operator commands.

use std::process::ExitCode;

use super::output::{report_failure, report_invalid_settings};
use crate::config::{self, Database, Section as _};
use crate::store::Connection;
use crate::store::pool;

/// Opens one connection to `DATABASE_URL`. On failure, reports the cause and returns the exit code
/// of the command.
pub(super) async fn connect() -> Result<Connection, ExitCode> {
    let database =
        Database::load(config::env).map_err(|faults| report_invalid_settings(&faults))?;
    let connection = pool::connect(database.url.expose()).await;
    connection.map_err(|error| report_failure("Cannot connect to Postgres", &error))
}
