//! `postgres`: does Postgres respond, accept writes, and have a supported version?

use super::context::CheckContext;
use super::verdict::Verdict;
use crate::store::inspect::{Server, server};
use crate::store::pool::SessionError;
use crate::store::{Connection, pool};

/// The oldest version that has all features that the broker needs.
const OLDEST: i32 = 120_000;
/// The oldest version that its developers still maintain.
const MAINTAINED: i32 = 140_000;

/// Puts the connection into `connected`, if there is one.
pub(super) async fn check_postgres(
    context: &CheckContext,
    connected: &mut Option<(Connection, Server)>,
) -> Verdict {
    let database = &context.settings.database;
    let fix = "check DATABASE_URL, and that it names a server that accepts writes, not a standby";
    let connect = pool::connect(database.url.expose());
    let mut connection = match tokio::time::timeout(database.connect_timeout, connect).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return Verdict::error(&error, fix),
        Err(_) => {
            let bound = database.connect_timeout;
            return Verdict::failed(format!("Postgres does not respond within {bound:?}"), fix);
        }
    };
    let sessions = pool::ensure_dedicated_sessions(database.url.expose());
    if let Ok(Err(lent @ SessionError::Shared)) =
        tokio::time::timeout(database.connect_timeout, sessions).await
    {
        let fix = "use session mode in the pooler for this database, or set DATABASE_URL to Postgres itself";
        return Verdict::error(&lent, fix);
    }
    match server(&mut connection).await {
        Ok(server) => {
            let verdict = verdict(&server);
            *connected = Some((connection, server));
            verdict
        }
        Err(error) => Verdict::error(&error, "see the log of Postgres"),
    }
}

fn verdict(server: &Server) -> Verdict {
    let version = &server.version;
    let fix = "upgrade Postgres";
    if server.number < OLDEST {
        Verdict::failed(format!("Postgres {version} is too old"), fix)
    } else if server.number < MAINTAINED {
        Verdict::warning(format!("Postgres {version} is no longer maintained"), fix)
    } else {
        Verdict::ok(format!("Postgres {version} responds and accepts writes"))
    }
}
