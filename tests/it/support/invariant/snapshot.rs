//! The contents of Postgres, S3 and the subscriber, after the replicas have finished all work.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::Value;

use crate::support::fleet::Fleet;
use crate::support::inbox::Message;
use crate::support::observe::within;

/// A row of `uploads`.
#[derive(Clone, Debug)]
pub struct Row {
    pub key: String,
    pub name: String,
    pub status: String,
    pub sequence: i32,
    pub etag: Option<String>,
    pub error: Option<String>,
    pub overwrite: bool,
}

/// A row of `events`.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: String,
    pub sequence: i32,
    pub kind: String,
    pub notify: bool,
    pub status: String,
}

/// An object, and the upload that its metadata names.
#[derive(Clone, Debug)]
pub struct Object {
    pub etag: String,
    pub upload: Option<String>,
}

/// The contents after a run.
#[derive(Debug, Default)]
pub struct Snapshot {
    pub uploads: BTreeMap<String, Row>,
    pub events: BTreeMap<String, Vec<Event>>,
    pub objects: BTreeMap<String, Object>,
    /// The delivered messages by event id.
    pub delivered: BTreeMap<String, Vec<Value>>,
}

/// The number of rows that the janitor and the relay still have to process.
const OPEN: &str = "SELECT \
    (SELECT count(*) FROM uploads WHERE status = 'Pending'), \
    (SELECT count(*) FROM uploads WHERE status = 'Deleting' \
        OR (status IN ('Deleted', 'Cancelled') AND settled_at IS NULL \
            AND expires_at < now() + interval '10 seconds')), \
    (SELECT count(*) FROM events WHERE notify AND published_at IS NULL)";

/// The longest wait. Work that failed during an outage is retried with an increasing back-off.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// Waits until the loops of the replicas have finished the work that clients and dead replicas have left.
pub async fn wait_until_idle(fleet: &Fleet) {
    let client = fleet.sql().await;
    let mut open = (0, 0, 0);
    let what = "the janitor has no work left, and every event is published";
    within(IDLE_TIMEOUT, what, async || {
        let row = client.query_one(OPEN, &[]).await.expect("counts");
        let now: (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        if now != open {
            open = now;
        } else if now.1 + now.2 > 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        now == (0, 0, 0)
    })
    .await;
}

impl Snapshot {
    /// Reads Postgres, S3 and the queue of the subscriber.
    pub async fn read(fleet: &Fleet, mut messages: Vec<Message>) -> Snapshot {
        loop {
            let more = fleet.inbox.poll(Duration::ZERO).await;
            if more.is_empty() && fleet.inbox.waiting().await == 0 {
                break;
            }
            messages.extend(more);
        }
        let mut snapshot = Snapshot {
            objects: objects(fleet).await,
            ..Snapshot::default()
        };
        for message in messages {
            let event = message.json();
            let id = event["id"].as_str().expect("an event id").to_owned();
            snapshot.delivered.entry(id).or_default().push(event);
        }
        snapshot.rows(fleet).await;
        snapshot
    }

    async fn rows(&mut self, fleet: &Fleet) {
        let client = fleet.sql().await;
        let sql = "SELECT id::text, key, name, status, sequence, object_etag, error_code, overwrite \
                   FROM uploads";
        for row in client.query(sql, &[]).await.expect("uploads") {
            let upload = Row {
                key: row.get(1),
                name: row.get(2),
                status: row.get(3),
                sequence: row.get(4),
                etag: row.get(5),
                error: row.get(6),
                overwrite: row.get(7),
            };
            self.uploads.insert(row.get(0), upload);
        }
        let sql = "SELECT upload_id::text, id::text, sequence, kind, notify, \
                   coalesce(data->>'status', '') FROM events ORDER BY upload_id, sequence";
        for row in client.query(sql, &[]).await.expect("events") {
            let event = Event {
                id: row.get(1),
                sequence: row.get(2),
                kind: row.get(3),
                notify: row.get(4),
                status: row.get(5),
            };
            self.events.entry(row.get(0)).or_default().push(event);
        }
    }
}

/// Returns every object of the bucket. Only HEAD returns the metadata that names the upload.
async fn objects(fleet: &Fleet) -> BTreeMap<String, Object> {
    let bucket = &fleet.place.bucket;
    let list = bucket.client.list_objects_v2().bucket(&bucket.name);
    let mut pages = list.into_paginator().send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.expect("a page of the bucket").contents;
        keys.extend(
            page.unwrap_or_default()
                .into_iter()
                .filter_map(|one| one.key),
        );
    }
    let heads = futures::stream::iter(keys).map(async |key| {
        let head = bucket.head(&key).await.expect("a listed object");
        let upload = head
            .metadata()
            .and_then(|all| all.get("upload-id").cloned());
        let etag = head.e_tag().unwrap_or_default().to_owned();
        (key, Object { etag, upload })
    });
    heads.buffer_unordered(8).collect().await
}
