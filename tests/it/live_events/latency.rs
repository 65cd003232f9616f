//! How long an event takes from its commit to the client.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::json;
use upload_broker::dev::postgres::{Options, Postgres};
use upload_broker::store::migrations;

use super::{insert, open};
use crate::support::app::Setup;
use crate::support::database::Database;
use crate::support::pg_bin;

const NAME: &str = "latency";
/// The documented time is 1.5 s; the machine may be busy with other tests.
const MOST: Duration = Duration::from_secs(5);

#[tokio::test]
async fn event_of_another_replica_arrives_soon_after_its_commit() {
    let open_to_all = fs::Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new().permissions(open_to_all).tempdir();
    let folder = folder.expect("a temporary folder");
    // A server of its own, because tests of other databases hold transactions open.
    let options = Options {
        bin: pg_bin(),
        durable: false,
        ..Options::new(folder.path())
    };
    let server = Postgres::start(&options).unwrap_or_else(|error| panic!("{error}"));
    server.ensure_database(NAME).await.expect("a database");
    let url = server.url(NAME);
    migrations::run(&url).await.expect("the migrations");
    let setup = Setup::new().database(Database::elsewhere(url, NAME));
    let app = setup.start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let client = app.sql().await;
    let mut stream = open(&app, "/events").await;
    let mut times = Vec::new();
    for n in 2..22 {
        insert(&client, &upload, n..n + 1).await;
        let committed = Instant::now();
        assert_eq!(stream.event().await["sequence"], n);
        times.push(committed.elapsed());
    }
    let most = times.iter().max().copied().unwrap_or_default();
    eprintln!("event of another replica: at most {most:?} of {times:?}");
    assert!(most < MOST, "{times:?}");
    drop(app);
}
