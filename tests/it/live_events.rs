//! Live streams of events (`text/event-stream`), and pages of the feed.

mod connections;
mod credentials;
mod history;
mod isolation;
mod latency;
mod limits;
mod order;
mod pages;
mod restores;
mod stops;

use reqwest::Method;
use serde_json::Value;
use tokio_postgres::GenericClient;

use crate::support::app::{App, id};
use crate::support::event_stream::EventStream;
use crate::support::observe::eventually;

/// Waits until no event of the app is held back by an open transaction, also one of another test.
async fn all_readable(app: &App) {
    let client = app.sql().await;
    let held = "SELECT EXISTS \
                (SELECT FROM events WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()))";
    eventually("every event can be read", async || {
        let row = client.query_one(held, &[]).await.expect("an answer");
        !row.get::<_, bool>(0)
    })
    .await;
}

/// Opens a stream of `path` with the key of the app, which has only what happens from now on.
async fn open(app: &App, path: &str) -> EventStream {
    all_readable(app).await;
    EventStream::open(app.request(Method::GET, path)).await
}

/// Opens a stream of `path` with the key of the app, after the last event of another stream.
async fn resume(app: &App, path: &str, last_id: &str) -> EventStream {
    EventStream::resume(app.request(Method::GET, path), last_id).await
}

/// Inserts events of an upload with the given sequence numbers, as another replica would do it.
async fn insert(client: &impl GenericClient, upload: &Value, sequences: std::ops::Range<i32>) {
    let sql = format!(
        "INSERT INTO events (id, upload_id, sequence, tenant, kind, at, data, notify, due_at) \
         SELECT (lpad(to_hex(1800000000000 + n), 12, '0') || '70008000' \
                 || substr(replace(gen_random_uuid()::text, '-', ''), 1, 12))::uuid, \
             id, n, tenant, 'dataset.drifted', now(), jsonb_build_object('path', path, 'x', repeat('x', 2000)), \
             false, now() \
         FROM uploads, generate_series({}, {}) AS n WHERE id = '{}' ORDER BY n",
        sequences.start,
        sequences.end - 1,
        id(upload)
    );
    client.batch_execute(&sql).await.expect("events");
}

/// The path and the sequence number of each event.
fn named(events: &[(&str, i64)]) -> Vec<(String, i64)> {
    let owned = events.iter().map(|(path, n)| ((*path).to_owned(), *n));
    owned.collect()
}
