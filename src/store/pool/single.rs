//! A single connection outside any pool.

use std::time::Duration;

use diesel::ConnectionResult;

use crate::store::Connection;
use crate::store::hosts::Hosts;
use crate::store::watchdog::Watchdog;

/// Postgres cannot be reached, or refuses the connection.
pub type ConnectError = diesel::ConnectionError;

/// How long a command waits for its connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens a connection without statement timeouts, for commands.
///
/// # Errors
/// No host of the URL can be reached, accepts the login and accepts writes.
pub async fn connect(database_url: &str) -> ConnectionResult<Connection> {
    let watchdog = Watchdog::new(None);
    Hosts::new(database_url)
        .connect(CONNECT_TIMEOUT, &watchdog)
        .await
}
