//! The work of a statement does not grow with the table: Postgres explains every statement of
//! requests, relay and janitor as it executes them, on tables with a long history.

mod documents;
mod feed;
mod history;
mod jobs;
mod uppy;
mod webhooks;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use upload_broker::dev::postgres::{Options, Postgres};
use upload_broker::store::migrations;

use crate::support::app::{App, Setup, id};
use crate::support::database::Database;
use crate::support::pg_bin;
use crate::support::reply::Reply;

const NAME: &str = "plans";
/// The number of rows that a step of a plan may read: a few pages of the ten entries that are asked
/// for here, the rows of a batch, and the remaining rows of other requests.
const MOST_ROWS: f64 = 300.0;
/// The number of blocks that a statement may touch.
const MOST_BLOCKS: f64 = 1_500.0;
/// The number of rows that Postgres may expect a statement to return. A statement that returns a few
/// rows, and is planned for many, is slow on a large table: Postgres sorts, starts parallel workers,
/// or compiles it.
const MOST_EXPECTED_ROWS: f64 = 2_000.0;
/// How often each request is made. From the sixth time on, Postgres may use one generic plan for
/// all of them.
const TIMES: usize = 7;

/// A Postgres server that logs the plan of each statement that it executes.
fn server(folder: &Path) -> Postgres {
    let settings = [
        ("session_preload_libraries", "auto_explain"),
        ("auto_explain.log_min_duration", "0"),
        ("auto_explain.log_analyze", "on"),
        ("auto_explain.log_buffers", "on"),
        ("auto_explain.log_format", "json"),
        ("auto_explain.log_nested_statements", "on"),
        ("log_line_prefix", "%a "),
        ("jit", "off"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let options = Options {
        bin: pg_bin(),
        durable: false,
        settings: settings.to_vec(),
        ..Options::new(folder)
    };
    Postgres::start(&options).unwrap_or_else(|error| panic!("{error}"))
}

/// A folder under `/tmp`, which the user of the server can access when the tests run as root.
fn folder() -> TempDir {
    let open = fs::Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new().permissions(open).tempdir();
    folder.expect("a temporary folder")
}

/// The plans of the broker's statements in the server's log.
fn plans(log: &str) -> Vec<Value> {
    let mut plans = Vec::new();
    let mut lines = log.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with("upload-broker ") || !line.ends_with(" plan:") {
            continue;
        }
        let mut text = String::new();
        while let Some(more) = lines.next_if(|more| more.starts_with('\t')) {
            text.push_str(more);
        }
        plans.push(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")));
    }
    plans
}

/// Describes the first step of a plan that reads more rows than allowed.
fn expensive_step(step: &Value) -> Option<String> {
    let number = |name: &str| step[name].as_f64().unwrap_or_default();
    let once = number("Actual Rows")
        + number("Rows Removed by Filter")
        + number("Rows Removed by Join Filter")
        + number("Rows Removed by Index Recheck");
    // Rows are those of one loop, and heap fetches those of all loops.
    let rows = once * number("Actual Loops").max(1.0) + number("Heap Fetches");
    if rows > MOST_ROWS {
        return Some(format!("{rows} rows in {}: {step:#}", step["Node Type"]));
    }
    let below = step["Plans"].as_array();
    below.into_iter().flatten().find_map(expensive_step)
}

async fn ask(app: &App, path: &str) {
    for _ in 0..TIMES {
        app.get(path).await.expect(StatusCode::OK);
    }
}

/// Uploads an object that replaces the one at a path.
async fn replace(app: &App, path: &str) -> Value {
    let session = app
        .create(path, json!({"overwrite": true, "size": 1}))
        .await;
    app.put(&session, "x").await.expect_ok();
    app.acknowledge(&session).await.expect(StatusCode::OK)
}

async fn make_every_request(app: &App) {
    for n in 0..TIMES {
        let upload = replace(app, "/hot.csv").await;
        let path = format!("/uploads/{}", id(&upload));
        app.get(&path).await.expect(StatusCode::OK);
        app.get(&format!("{path}/events"))
            .await
            .expect(StatusCode::OK);
        app.get("/datasets/hot.csv").await.expect(StatusCode::OK);
        app.get("/datasets?include=upload&limit=10")
            .await
            .expect(StatusCode::OK);
        let by_path = app.create("/hot.csv", json!({"overwrite": true})).await;
        app.put(&by_path, "y").await.expect_ok();
        let acknowledge = "/datasets/hot.csv/action/acknowledge";
        app.post_empty(acknowledge).await.expect(StatusCode::OK);
        let cascade = format!("/datasets/hot.csv?cascade={}", n % 2 == 0);
        let deleted = app.delete(&cascade).await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:#?}");
        let open = app.create(&format!("/open/{n}.csv"), json!({})).await;
        let open = format!("/uploads/{}", id(&open));
        app.get(&format!("{open}?refresh_urls=true"))
            .await
            .expect(StatusCode::OK);
        app.post_empty(&format!("{open}/cancel"))
            .await
            .expect(StatusCode::OK);
        let taken = app
            .post("/uploads", json!({"path": "/data/4/304.csv"}))
            .await;
        taken.expect_problem(409, "dataset-exists");
        for path in ["/once.csv", "/twice.csv"] {
            let request = app.request(Method::POST, "/uploads");
            let request = request.json(&json!({"path": path}));
            let request = request.header("idempotency-key", format!("{n}{path}"));
            Reply::of(request).await.expect(StatusCode::CREATED);
        }
        let batch = json!({"uploads": [{"path": "/b/1"}, {"path": "/b/2"}]});
        let request = app.request(Method::POST, "/uploads/batch").json(&batch);
        let request = request.header("idempotency-key", format!("batch-{n}"));
        Reply::of(request).await.expect(StatusCode::OK);
    }
    let cursor = app.get("/uploads?limit=10").await;
    let link = cursor.header("link").expect("a next page").to_owned();
    let next = link.trim_start_matches('<').split('>').next();
    ask(app, next.expect("a path")).await;
    for filters in [
        "",
        "&status=Uploaded",
        "&status=Pending",
        "&status=Error",
        "&status=Pending&status=Error&status=Processing",
        "&path=/hot.csv",
        "&path=/hot.csv&status=Uploaded",
        "&path=/hot.csv&status=Superseded&status=Error",
        "&path=/nothing",
        "&prefix=/",
        "&prefix=/data/4/4",
        "&prefix=/nothing/",
        "&prefix=/data/1/&status=Error",
    ] {
        ask(app, &format!("/uploads?limit=10{filters}")).await;
    }
    let source = app.get("/uploads?path=/data/1/1.csv").await.json();
    for filters in ["", "&status=Uploaded", "&prefix=/data/", "&path=/nothing"] {
        let source = id(&source[0]);
        ask(
            app,
            &format!("/uploads?limit=10&derived_from={source}{filters}"),
        )
        .await;
    }
    documents::make_requests(app).await;
    for filters in [
        "",
        "&prefix=/",
        "&prefix=/data/4/4",
        "&prefix=/nothing/",
        "&action=upload.created",
        "&action=key.revoked",
        "&action=key.revoked&action=key.created",
    ] {
        ask(app, &format!("/audit?limit=10{filters}")).await;
    }
    jobs::make_requests(app).await;
    feed::make_requests(app).await;
    uppy::make_requests(app).await;
    webhooks::wait_for_attempt(app).await;
    app.janitor().await;
}

#[tokio::test]
async fn no_statement_reads_more_rows_because_of_a_long_history() {
    let folder = folder();
    let server = server(folder.path());
    server.ensure_database(NAME).await.expect("a database");
    let url = server.url(NAME);
    migrations::run(&url).await.expect("the migrations");
    let app = Setup::new()
        .database(Database::elsewhere(url, NAME))
        .rules(jobs::RULES)
        .start()
        .await;
    let client = app.sql().await;
    for history in [
        history::HISTORY,
        documents::HISTORY,
        jobs::HISTORY,
        uppy::HISTORY,
    ] {
        client.batch_execute(history).await.expect("a history");
    }
    webhooks::add(&client).await;
    client
        .batch_execute("VACUUM ANALYZE")
        .await
        .expect("statistics");
    make_every_request(&app).await;
    drop(app);
    let log = fs::read_to_string(server.log()).expect("the server's log");
    let plans = plans(&log);
    let texts: String = plans
        .iter()
        .map(|plan| plan["Query Text"].to_string())
        .collect();
    for statement in [
        "INSERT INTO uploads",
        "FOR NO KEY UPDATE",
        "SKIP LOCKED",
        "INSERT INTO webhook_deliveries",
        "FROM webhook_deliveries AS next",
        "UPDATE webhook_deliveries",
        "pg_snapshot_xmin(pg_current_snapshot()) ORDER BY events.xid",
        "SELECT min(held.at)",
        "LIKE",
        "arrival_check_at",
    ] {
        assert!(texts.contains(statement), "no plan of {statement}");
    }
    let mut expensive: Vec<String> = (plans.iter())
        .filter_map(|plan| {
            let blocks = ["Shared Hit Blocks", "Shared Read Blocks"]
                .map(|name| plan["Plan"][name].as_f64().unwrap_or_default());
            let blocks: f64 = blocks.iter().sum();
            let too_many = blocks > MOST_BLOCKS;
            let expected = plan["Plan"]["Plan Rows"].as_f64().unwrap_or_default();
            let expects_many = expected > MOST_EXPECTED_ROWS;
            let found = expensive_step(&plan["Plan"]);
            let found = found.or(too_many.then(|| format!("{blocks} blocks: {:#}", plan["Plan"])));
            let found = found
                .or(expects_many.then(|| format!("{expected} rows expected: {:#}", plan["Plan"])));
            found.map(|found| format!("{}\n{found}", plan["Query Text"]))
        })
        .collect();
    expensive.sort();
    expensive.dedup_by_key(|text| text.lines().next().map(str::to_owned));
    assert!(expensive.is_empty(), "{}", expensive.join("\n\n"));
}
