//! `postgres-tls`: is the line to Postgres encrypted, and do we know who is at its end?

use super::verdict::Verdict;
use crate::config::{Database, TlsMode};
use crate::store::inspect::Server;

pub(super) fn verdict(database: &Database, server: &Server) -> Verdict {
    let fix = "sslmode=verify-full in DATABASE_URL, with sslrootcert=FILE or the system's roots";
    let mode = database.url.options().tls;
    match &server.tls {
        Some(tls) if mode == TlsMode::VerifyFull => {
            Verdict::ok(format!("{tls}, and the certificate is checked"))
        }
        Some(tls) if mode == TlsMode::VerifyCa => Verdict::ok(format!(
            "{tls}, and the certificate is checked, but for the host name in it"
        )),
        Some(tls) => Verdict::warning(
            format!("{tls}, but whoever answers is trusted: the certificate is not checked"),
            fix,
        ),
        None if server.local => Verdict::ok("no TLS, and the line does not leave this machine"),
        None => Verdict::warning("the line to Postgres is not encrypted", fix),
    }
}
