//! `postgres`: does it answer, take writes, and is it recent enough?

use super::patient::Patient;
use super::verdict::Verdict;
use crate::store::inspect::{Server, server};
use crate::store::pool::SessionError;
use crate::store::{Connection, pool};

/// The oldest that has all that is used here.
const OLDEST: i32 = 120_000;
/// The oldest that its makers still mend.
const MAINTAINED: i32 = 140_000;

/// Leaves the connection in `seen`, where there is one.
pub(super) async fn check(patient: &Patient, seen: &mut Option<(Connection, Server)>) -> Verdict {
    let database = &patient.settings.database;
    let fix = "check DATABASE_URL, and that it names the server that takes writes, not a standby";
    let connect = pool::connect(database.url.expose());
    let mut connection = match tokio::time::timeout(database.connect_timeout, connect).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return Verdict::fault(&error, fix),
        Err(_) => {
            let bound = database.connect_timeout;
            return Verdict::failed(format!("Postgres does not answer within {bound:?}"), fix);
        }
    };
    let sessions = pool::ensure_dedicated_sessions(database.url.expose());
    if let Ok(Err(lent @ SessionError::Shared)) =
        tokio::time::timeout(database.connect_timeout, sessions).await
    {
        let fix = "put the pooler into session mode for this database, or name Postgres itself in DATABASE_URL";
        return Verdict::fault(&lent, fix);
    }
    match server(&mut connection).await {
        Ok(server) => {
            let verdict = verdict(&server);
            *seen = Some((connection, server));
            verdict
        }
        Err(error) => Verdict::fault(&error, "see Postgres' own log"),
    }
}

fn verdict(server: &Server) -> Verdict {
    let version = &server.version;
    let fix = "upgrade it";
    if server.number < OLDEST {
        Verdict::failed(format!("Postgres {version} is too old"), fix)
    } else if server.number < MAINTAINED {
        Verdict::warning(format!("Postgres {version} gets no fixes any more"), fix)
    } else {
        Verdict::ok(format!("Postgres {version} answers, and takes writes"))
    }
}
