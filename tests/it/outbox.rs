//! The way of an event from its row to a subscriber.

mod history;
mod load;
mod message;
mod outage;

use crate::support::app::App;

/// Writes `count` events into the outbox, each of an upload of its own and with comments of
/// `bytes` bytes, in one transaction.
async fn write_events(app: &App, count: i64, bytes: i32) {
    let mut client = app.sql().await;
    let transaction = client.transaction().await.expect("a transaction");
    let uploads = "INSERT INTO uploads (id, tenant, path, bucket, key, status, name, metadata, \
         content_type, overwrite, headers, lifetime_seconds, created_at, updated_at, expires_at) \
         SELECT gen_random_uuid(), 'default', '/bulk/' || n, 'b', 'bulk/' || n, 'Pending', 'n', \
         '{}', 'text/csv', false, '{}', 60, now(), now(), now() FROM generate_series(1, $1::bigint) n";
    transaction.execute(uploads, &[&count]).await.expect("rows");
    let events = "INSERT INTO events (id, upload_id, sequence, tenant, kind, at, data, notify, due_at) \
         SELECT gen_random_uuid(), id, 1, tenant, 'dataset.uploaded', created_at, \
         jsonb_build_object('path', path, 'comments', repeat('x', $1::int)), true, '2020-01-01' \
         FROM uploads WHERE path LIKE '/bulk/%'";
    transaction.execute(events, &[&bytes]).await.expect("rows");
    transaction.commit().await.expect("a commit");
}

/// A number that the database says.
async fn number(app: &App, sql: &str) -> i64 {
    let client = app.sql().await;
    let row = client.query_one(sql, &[]).await;
    row.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
        .get(0)
}

/// Events that SNS has not taken.
const WAITING: &str = "SELECT count(*) FROM events WHERE notify AND published_at IS NULL";
