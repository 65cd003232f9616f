//! The database that an operator's command works with.

use std::process::ExitCode;

use super::output::{bad_config, fail};
use crate::config::{self, Database, Section as _};
use crate::store::Connection;
use crate::store::pool::connect;

/// One connection, by `DATABASE_URL`. Where there is none, it has been said why, and the command
/// ends with the code.
pub(super) async fn connection() -> Result<Connection, ExitCode> {
    let database = Database::load(config::env).map_err(|faults| bad_config(&faults))?;
    let connection = connect(database.url.expose()).await;
    connection.map_err(|error| fail("Cannot connect to Postgres", &error))
}
