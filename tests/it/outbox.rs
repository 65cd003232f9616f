//! The way of an event from its row to a subscriber.

mod history;
mod load;
mod message;
mod outage;
mod refusals;
mod replay;
mod replicas;
mod throttling;

use std::sync::Arc;

use aws_credential_types::provider::SharedCredentialsProvider;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use upload_broker::notify::relay::Relay;
use upload_broker::notify::round::Round;
use upload_broker::notify::sns::Topic;
use uuid::{NoContext, Timestamp, Uuid};

use crate::support::app::App;
use crate::support::cloud;
use crate::support::setup::sdk;

/// Writes `count` events into the outbox in one transaction, each for an upload of its own and with
/// comments of `bytes` bytes.
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

/// A number that a query returns.
async fn number(app: &App, sql: &str) -> i64 {
    let client = app.sql().await;
    let row = client.query_one(sql, &[]).await;
    row.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
        .get(0)
}

/// Writes `uploads` uploads with `each` events each, numbered from 1, as a broker would have
/// written them. The events are due. The times of `/chain/1` come first and start at `start`, one
/// millisecond after the other.
pub async fn write_chains(
    sql: &tokio_postgres::Client,
    start: DateTime<Utc>,
    uploads: usize,
    each: usize,
) {
    let mut at = start;
    for number in 1..=uploads {
        let upload = Uuid::now_v7();
        let row = format!(
            "INSERT INTO uploads (id, tenant, path, bucket, key, status, name, metadata, \
             content_type, overwrite, headers, lifetime_seconds, created_at, updated_at, expires_at) \
             VALUES ('{upload}', 'default', '/chain/{number}', 'b', 'chain/{number}', 'Pending', \
             'n', '{{}}', 'text/csv', false, '{{}}', 60, now(), now(), now())"
        );
        sql.batch_execute(&row).await.expect("an upload");
        for sequence in 1..=each {
            let millis = u64::try_from(at.timestamp_millis()).expect("a time of ours");
            let (seconds, nanos) = (millis / 1_000, (millis % 1_000) * 1_000_000);
            let nanos = u32::try_from(nanos).expect("less than a second");
            let id = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, nanos));
            let row = format!(
                "INSERT INTO events (id, upload_id, sequence, tenant, kind, at, data, notify, due_at) \
                 VALUES ('{id}', '{upload}', {sequence}, 'default', 'dataset.uploaded', '{at}', \
                 '{{\"path\": \"/chain/{number}\"}}', true, '{at}')"
            );
            sql.batch_execute(&row).await.expect("an event");
            at += TimeDelta::milliseconds(1);
        }
    }
}

/// Makes a second relay beside the app's, which sends to SNS at `endpoint`. It is meant for an app
/// without a topic, whose own relay sends nothing.
fn relay(app: &App, endpoint: &str) -> Relay {
    let metrics = Arc::clone(&app.broker.metrics);
    let credentials = SharedCredentialsProvider::new(cloud::credentials());
    let config = sdk(endpoint, credentials);
    Relay {
        pool: app.broker.connections.pool.clone(),
        topic: Some(Topic::new(
            &config,
            &app.inbox.topic_arn,
            Arc::clone(&metrics),
        )),
        lease: app.broker.rules.lease,
        clock: app.clock.clone(),
        metrics,
        wake: Arc::new(Notify::new()),
    }
}

/// Runs one round of a relay.
async fn round(relay: &Relay) -> Round {
    let never = CancellationToken::new();
    relay.run_once(100, &never).await.expect("a round")
}

/// Counts the events that SNS has not accepted and that were not given up.
const WAITING: &str = "SELECT count(*) FROM events WHERE notify AND published_at IS NULL \
                       AND undeliverable_at IS NULL";
