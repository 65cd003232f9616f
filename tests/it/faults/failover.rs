//! Postgres dies and comes back, becomes read-only, or is replaced by a standby. The broker is
//! never restarted.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_postgres::Client;
use upload_broker::dev::postgres::{Options, Postgres};
use upload_broker::store::migrations;

use super::assert_unavailable;
use crate::support::app::{App, Setup};
use crate::support::database::{Database, connect};
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::observe::eventually;
use crate::support::pg_bin;
use crate::support::process::signal;

const NAME: &str = "failover-db";

/// A folder under `/tmp`, where the user that runs Postgres has access when the tests run as root.
fn folder() -> TempDir {
    let open = fs::Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new().permissions(open).tempdir();
    folder.expect("a temporary folder")
}

fn start(folder: &Path, settings: &[(&str, String)]) -> Postgres {
    // Committed data survives the process, though not a crash of the machine.
    let kept = ("synchronous_commit", "on".to_owned());
    let settings = settings.iter().chain([&kept]);
    let options = Options {
        bin: pg_bin(),
        durable: false,
        settings: settings
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        ..Options::new(folder)
    };
    Postgres::start(&options).unwrap_or_else(|error| panic!("{error}"))
}

/// A server with the broker's tables.
async fn migrated(folder: &Path) -> Postgres {
    let server = start(folder, &[]);
    server.ensure_database(NAME).await.expect("a database");
    let done = migrations::run(&server.url(NAME)).await;
    done.expect("the migrations");
    server
}

fn address(server: &Postgres) -> SocketAddr {
    ([127, 0, 0, 1], server.port()).into()
}

/// The server's URL with other hosts in it.
fn through(server: &Postgres, hosts: &str) -> String {
    let here = address(server).to_string();
    server.url(NAME).replace(&here, hosts)
}

async fn app(server: &Postgres, hosts: &str) -> App {
    Setup::new()
        .database(Database::elsewhere(server.url(NAME), NAME))
        .set("DATABASE_URL", through(server, hosts))
        .set("BROKER_DB_STATEMENT_TIMEOUT_SECONDS", 0.5)
        .start()
        .await
}

/// Creates an upload, and retries for as long as Postgres is unavailable; any other error fails the
/// test.
async fn create_when_available(app: &App, path: &str) -> Value {
    let mut created = Value::Null;
    eventually("Postgres is used again", async || {
        let reply = app.post("/uploads", json!({"path": path})).await;
        let served = reply.status == StatusCode::CREATED;
        if served {
            created = reply.json();
        } else if reply.json()["code"] != "overloaded" {
            assert_unavailable(app, reply, "Postgres");
        }
        served
    })
    .await;
    created
}

async fn wait_for_postgres_status(app: &App, word: &str) {
    eventually(word, async || {
        app.get("/readyz").await.json()["checks"]["postgres"] == word
    })
    .await;
}

async fn assert_upload_completes(app: &App, session: &Value) {
    app.put(session, "bytes").await.expect_ok();
    app.acknowledge(session).await.expect(StatusCode::OK);
    assert_eq!(app.event_types(session).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn broker_reconnects_to_restarted_postgres_after_kill() {
    let folder = folder();
    let server = migrated(folder.path()).await;
    let proxy = FaultyProxy::new(address(&server));
    let app = app(&server, &proxy.addr().to_string()).await;
    let session = app.create("a.csv", json!({})).await;

    let pid = fs::read_to_string(folder.path().join("cluster/data/postmaster.pid"));
    let pid = pid.expect("its pid").lines().next().unwrap().parse();
    signal("KILL", pid.expect("a number"));
    wait_for_postgres_status(&app, "unavailable").await;
    // The processes of open connections end a moment later than the server.
    let mut reply = None;
    eventually("no connection is left", async || {
        let answer = app.post("/uploads", json!({"path": "b.csv", "overwrite": true}));
        reply.insert(answer.await).status != StatusCode::CREATED
    })
    .await;
    assert_unavailable(&app, reply.expect("an answer"), "Postgres");

    drop(server);
    let server = start(folder.path(), &[]);
    proxy.set_mode(Mode::Forward(address(&server)));
    create_when_available(&app, "c.csv").await;
    wait_for_postgres_status(&app, "ok").await;
    assert_upload_completes(&app, &session).await;
}

#[tokio::test]
async fn silent_postgres_times_out_and_is_used_again_when_it_answers() {
    let folder = folder();
    let server = migrated(folder.path()).await;
    let proxy = FaultyProxy::new(address(&server));
    let app = app(&server, &proxy.addr().to_string()).await;
    let session = app.create("a.csv", json!({})).await;

    proxy.set_mode(Mode::Silent);
    let path = format!("/uploads/{}", crate::support::app::id(&session));
    let (one, two) = tokio::join!(app.post("/uploads", json!({"path": "b"})), app.get(&path));
    assert_unavailable(&app, one, "Postgres");
    assert_unavailable(&app, two, "Postgres");
    wait_for_postgres_status(&app, "unavailable").await;

    proxy.set_mode(Mode::Forward(address(&server)));
    create_when_available(&app, "c.csv").await;
    wait_for_postgres_status(&app, "ok").await;
    assert_upload_completes(&app, &session).await;
}

/// Makes the server read-only for all sessions, or writable again.
async fn read_only(client: &Client, word: &str) {
    let set = format!("ALTER SYSTEM SET default_transaction_read_only = {word}");
    client.batch_execute(&set).await.expect("a setting");
    client
        .batch_execute("SELECT pg_reload_conf()")
        .await
        .expect("a reload");
}

#[tokio::test]
async fn read_only_postgres_is_unavailable_until_it_is_writable() {
    let folder = folder();
    let server = migrated(folder.path()).await;
    let app = app(&server, &address(&server).to_string()).await;
    let session = app.create("a.csv", json!({})).await;
    app.put(&session, "bytes").await.expect_ok();
    let client = connect(&server.url(NAME)).await;

    read_only(&client, "on").await;
    eventually("writes are refused", async || {
        let reply = app.post("/uploads", json!({"path": "b"})).await;
        let refused = reply.status == StatusCode::SERVICE_UNAVAILABLE;
        if refused {
            assert_unavailable(&app, reply, "Postgres");
        }
        refused
    })
    .await;
    assert_unavailable(&app, app.acknowledge(&session).await, "Postgres");
    wait_for_postgres_status(&app, "unavailable").await;

    read_only(&client, "off").await;
    create_when_available(&app, "c.csv").await;
    wait_for_postgres_status(&app, "ok").await;
    app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(app.event_types(&session).await, ["dataset.uploaded"]);
}

/// A primary and its standby.
async fn pair(folder: &Path) -> (Postgres, Postgres) {
    let (one, two) = (folder.join("one"), folder.join("two"));
    let server = migrated(&one).await;
    server
        .stop()
        .expect("a clean end, so that its files are a backup");
    let copied = Command::new("cp").arg("-a").args([&one, &two]).status();
    assert!(copied.expect("cp").success());
    let signal = two.join("cluster/data/standby.signal");
    fs::write(signal, "").expect("a file that makes it a standby");
    let primary = start(&one, &[]);
    // libpq accepts a URL as connection string.
    let upstream = primary.url("postgres");
    let standby = start(&two, &[("primary_conninfo", upstream)]);
    (primary, standby)
}

#[tokio::test]
async fn broker_fails_over_to_promoted_standby() {
    let folder = folder();
    let (primary, standby) = pair(folder.path()).await;
    let (one, two) = (
        FaultyProxy::new(address(&primary)),
        FaultyProxy::new(address(&standby)),
    );
    // The standby is listed first: it accepts no writes, so the broker tries the next host.
    let hosts = format!("{},{}", two.addr(), one.addr());
    let app = app(&primary, &hosts).await;
    let session = app.create("a.csv", json!({})).await;
    let there = connect(&standby.url(NAME)).await;
    eventually("the standby has followed", async || {
        let count = there.query_one("SELECT count(*) FROM uploads", &[]).await;
        count.expect("a count").get::<_, i64>(0) == 1
    })
    .await;

    one.set_mode(Mode::Silent);
    let promote = "SELECT pg_promote(true)";
    let promoted = there.query_one(promote, &[]).await.expect("an answer");
    assert!(promoted.get::<_, bool>(0), "it is promoted");
    create_when_available(&app, "b.csv").await;
    wait_for_postgres_status(&app, "ok").await;
    assert_upload_completes(&app, &session).await;
    // The promoted standby has both rows.
    let count = there.query_one("SELECT count(*) FROM uploads", &[]).await;
    assert_eq!(count.expect("a count").get::<_, i64>(0), 2);
}

#[tokio::test]
async fn broker_skips_dead_hosts_in_database_url() {
    let folder = folder();
    let server = migrated(folder.path()).await;
    // The first host refuses connections, and the second accepts them and never answers.
    let silent = FaultyProxy::new(address(&server));
    silent.set_mode(Mode::Silent);
    let hosts = format!("127.0.0.1:1,{},{}", silent.addr(), address(&server));
    let app = app(&server, &hosts).await;
    let session = create_when_available(&app, "a.csv").await;
    assert_upload_completes(&app, &session).await;
}
