//! The embedded Postgres of `upload-broker dev`: it keeps its data, requires its password, rejects
//! a second owner, and starts again after it was killed.

use upload_broker::dev::postgres::{Error, Options, Postgres};

use crate::support::database::connect;
use crate::support::pg_bin;
use crate::support::process::signal;

/// A folder under `/tmp`, which the user of the server can access when the tests run as root.
fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let open = std::fs::Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new().permissions(open).tempdir();
    folder.expect("a temporary folder")
}

fn options(folder: &tempfile::TempDir) -> Options {
    Options {
        bin: pg_bin(),
        durable: false,
        ..Options::new(folder.path().join("postgres"))
    }
}

#[tokio::test]
async fn data_survives_stop_and_start() {
    let folder = folder();
    let server = Postgres::start(&options(&folder)).unwrap();
    server.ensure_database("broker").await.unwrap();
    server.ensure_database("broker").await.unwrap();
    let client = connect(&server.url("broker")).await;
    let sql = "CREATE TABLE kept AS SELECT 7 AS n";
    client.batch_execute(sql).await.unwrap();
    server.stop().unwrap();

    let server = Postgres::start(&options(&folder)).unwrap();
    let client = connect(&server.url("broker")).await;
    let row = client.query_one("SELECT n FROM kept", &[]).await.unwrap();
    assert_eq!(row.get::<_, i32>(0), 7);
}

#[tokio::test]
async fn wrong_password_is_rejected_and_debug_output_hides_the_password() {
    let folder = folder();
    let server = Postgres::start(&options(&folder)).unwrap();
    let url = url::Url::parse(&server.url("postgres")).unwrap();
    let mut wrong = url.clone();
    wrong.set_password(Some("wrong")).unwrap();
    let refused = tokio_postgres::connect(wrong.as_str(), tokio_postgres::NoTls).await;
    let refused = refused.err().expect("a refusal");
    let code = tokio_postgres::error::SqlState::INVALID_PASSWORD;
    assert_eq!(refused.code(), Some(&code), "{refused:?}");
    assert!(!format!("{server:?}").contains(url.password().unwrap()));
}

#[test]
fn second_start_in_same_folder_reports_that_a_server_is_running() {
    let folder = folder();
    let _first = Postgres::start(&options(&folder)).unwrap();
    let error = Postgres::start(&options(&folder)).unwrap_err();
    assert!(matches!(error, Error::Running { .. }), "{error}");
    assert!(error.to_string().contains("already runs"), "{error}");
}

#[tokio::test]
async fn killed_server_starts_again() {
    let folder = folder();
    let server = Postgres::start(&options(&folder)).unwrap();
    let stale = folder.path().join("postgres/cluster/data/postmaster.pid");
    let pid = std::fs::read_to_string(&stale).unwrap();
    signal("KILL", pid.lines().next().unwrap().parse().unwrap());
    server.stop().unwrap();
    assert!(stale.exists(), "the killed server left its mark");

    let server = Postgres::start(&options(&folder)).unwrap();
    connect(&server.url("postgres")).await;
}

#[test]
fn failed_start_shows_the_error_message_of_the_server() {
    let folder = folder();
    Postgres::start(&options(&folder)).unwrap().stop().unwrap();
    let version = folder.path().join("postgres/cluster/data/PG_VERSION");
    std::fs::write(version, "9.0\n").unwrap();
    let error = Postgres::start(&options(&folder)).unwrap_err().to_string();
    assert!(error.contains("incompatible"), "{error}");
}
