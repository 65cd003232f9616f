//! Errors of Postgres are classified by their code, whatever language their messages are in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use diesel_async::RunQueryDsl as _;
use serde_json::json;
use upload_broker::dev::postgres::{Options, Postgres};
use upload_broker::store::{pool, sqlstate};

use crate::support::app::App;
use crate::support::pg_bin;

#[tokio::test]
async fn transient_sqlstates_are_503_and_others_500_in_any_language() {
    const TIMEOUT: &str = "storniere Anfrage wegen Zeitüberschreitung der Anfrage";
    let app = App::start().await;
    for (code, words) in [
        ("57014", TIMEOUT),
        (
            "55P03",
            "storniere Anfrage wegen Zeitüberschreitung einer Sperre",
        ),
        ("40P01", "Verklemmung entdeckt"),
        ("40001", "konnte Zugriff nicht serialisieren"),
        (
            "57P01",
            "Verbindung wird abgebrochen aufgrund von Anweisung des Administrators",
        ),
        ("57P03", "das Datenbanksystem startet"),
        ("53300", "tut mir leid, schon zu viele Verbindungen"),
        ("53100", "kein Platz mehr auf dem Gerät"),
        (
            "25006",
            "INSERT kann nicht in einer Read-Only-Transaktion ausgeführt werden",
        ),
        ("08006", "Verbindungsfehler"),
    ] {
        app.reject_new_uploads(code, words).await;
        let reply = app.post("/uploads", json!({"path": "/a.csv"})).await;
        assert_eq!(reply.status, 503, "{code}: {reply:#?}");
        assert!(!reply.body.contains(words), "{code}: {reply:#?}");
        reply.expect_problem(503, "service-unavailable");
    }
    for (code, words) in [
        ("22012", "Division durch Null"),
        ("42501", "keine Berechtigung"),
        (
            "XX000",
            "canceling statement due to a fault (SQLSTATE 57014)",
        ),
    ] {
        app.reject_new_uploads(code, words).await;
        let reply = app.post("/uploads", json!({"path": "/a.csv"})).await;
        assert_eq!(reply.status, 500, "{code}: {reply:#?}");
        reply.expect_problem(500, "internal-error");
    }
}

/// A connection without TLS and without a host name.
#[tokio::test]
async fn sqlstate_is_available_over_unix_socket() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // The user that runs Postgres has access when the tests run as root, whatever the umask.
    let open = fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777));
    open.expect("a folder for all");
    let path = folder.path().to_str().expect("a path");
    let options = Options {
        bin: pg_bin(),
        durable: false,
        settings: vec![("unix_socket_directories".to_owned(), path.to_owned())],
        ..Options::new(folder.path().join("postgres"))
    };
    let server = Postgres::start(&options).unwrap_or_else(|error| panic!("{error}"));
    let by_tcp = server.url("postgres");
    let by_socket = by_tcp.replace("127.0.0.1", &path.replace('/', "%2F"));
    for url in [by_tcp, by_socket] {
        let mut connection = pool::connect(&url).await.expect("a connection");
        let failed = diesel::sql_query("SELECT 1 / 0")
            .execute(&mut connection)
            .await;
        let error = failed.expect_err("a division by zero");
        assert_eq!(sqlstate(&error), Some("22012"), "{error:?}");
    }
}
