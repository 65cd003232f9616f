//! `postgres-tls`: is the connection to Postgres encrypted, and is the server authenticated?

use super::verdict::Verdict;
use crate::config::{Database, TlsMode};
use crate::store::inspect::Server;

pub(super) fn verdict(database: &Database, server: &Server) -> Verdict {
    let fix =
        "use sslmode=verify-full in DATABASE_URL, with sslrootcert=FILE or the system's roots";
    let mode = database.url.options().tls;
    match &server.tls {
        Some(tls) if mode == TlsMode::VerifyFull => {
            Verdict::ok(format!("{tls}, and the certificate is verified"))
        }
        Some(tls) if mode == TlsMode::VerifyCa => Verdict::ok(format!(
            "{tls}, and the certificate is verified except for its host name"
        )),
        Some(tls) => Verdict::warning(
            format!("{tls}, but any server is trusted, because the certificate is not verified"),
            fix,
        ),
        None if server.local => {
            Verdict::ok("no TLS, but the connection does not leave this machine")
        }
        None => Verdict::warning("the connection to Postgres is not encrypted", fix),
    }
}
