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

/// Gives the role a new password, and returns it. Postgres makes it, so that it is in no statement: the client
/// of the test logs the text of each one, and the search of the logs for secrets would find it there.
async fn give_new_password(sql: &Client, role: &str) -> String {
    let statements = format!(
        "DROP TABLE IF EXISTS new_password;
         CREATE TEMPORARY TABLE new_password AS SELECT gen_random_uuid()::text AS value;
         DO $$ BEGIN
             EXECUTE format('ALTER ROLE {role} PASSWORD %L', (SELECT value FROM new_password));
         END $$"
    );
    sql.batch_execute(&statements).await.expect("a password");
    let password = sql.query_one("SELECT value FROM new_password", &[]);
    let password: String = password.await.expect("a password").get(0);
    register_secret("a password of Postgres", &password);
    password
}

/// Ends the connections of the role, as a rotation with a restart of the proxy in front of Postgres does.
async fn end_connections(sql: &Client, role: &str) {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
    sql.execute(end, &[&role]).await.expect("a rotation");
}

#[tokio::test]
async fn rotated_password_is_used_without_a_restart() {
    let place = Place::new().await;
    let sql = database::connect(place.database.url()).await;
    let role = unique("rotating").replace('-', "_");
    let create = format!("CREATE ROLE {role} LOGIN SUPERUSER");
    sql.batch_execute(&create).await.expect("a role");
    let password = give_new_password(&sql, &role).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    fs::write(&file, format!("{password}\n")).expect("a file");

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
    let password = give_new_password(&sql, &role).await;
    end_connections(&sql, &role).await;
    fs::write(&file, format!("{password}\n")).expect("a file");
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
