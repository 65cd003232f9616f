//! A password of Postgres in a file, which the platform replaces while the broker runs.

use std::fs;

use reqwest::StatusCode;
use tokio_postgres::Client;
use upload_broker::config::DatabaseUrl;

use crate::support::database;
use crate::support::leaks::register_secret;
use crate::support::process::TIMEOUT;
use crate::support::serving::Place;
use crate::support::unique;

/// Gives the role a password, and ends its connections, as a rotation with a restart of the proxy
/// in front of Postgres does.
async fn rotate(sql: &Client, role: &str, password: &str) {
    register_secret("a password of Postgres", password);
    let statements = format!(
        "ALTER ROLE {role} PASSWORD '{password}'; \
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"
    );
    sql.batch_execute(&statements).await.expect("a rotation");
}

#[tokio::test]
async fn rotated_password_is_used_without_a_restart() {
    let place = Place::new().await;
    let sql = database::connect(place.database.url()).await;
    let role = unique("rotating").replace('-', "_");
    let create = format!("CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'password-of-the-first-day'");
    sql.batch_execute(&create).await.expect("a role");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    fs::write(&file, "password-of-the-first-day\n").expect("a file");

    let url = DatabaseUrl::parse(place.database.url()).expect("a URL");
    let server = &url.servers()[0];
    let run = place
        .serve()
        .unset("DATABASE_URL")
        .set("BROKER_DB_HOST", &server.host)
        .set("BROKER_DB_PORT", server.port)
        .set("BROKER_DB_NAME", place.database.name())
        .set("BROKER_DB_USER", &role)
        .set("BROKER_DB_PASSWORD_FILE", file.display());
    let (process, caller) = place.start(run).await;
    caller.upload("/before.csv", "x").await;

    // Until the new password is in the file, the broker cannot connect; then it can.
    rotate(&sql, &role, "password-of-the-second-day").await;
    fs::write(&file, "password-of-the-second-day\n").expect("a file");
    let is_ready = async {
        while caller.get("/readyz").await.status != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    let recovered = tokio::time::timeout(TIMEOUT, is_ready).await;
    assert!(recovered.is_ok(), "not ready: {}", process.log());
    caller.upload("/after.csv", "x").await;
    process.stop("TERM").await.ok();
}
