//! One replica is killed with `kill -9` during each kind of work that it does under a lease. The
//! other replica, which runs all the time, has finished the work a lease and a period later. No
//! time is changed in the database to achieve that.
//!
//! The events of a relay are tested in `relay_crashes`, the completion of an upload in parts in
//! `parts::crashes`, and the default lease in `serve::crashes`.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde_json::json;

use super::crashes::waits_for_its_row;
use crate::support::app::id;
use crate::support::fleet::{Fleet, REPLICAS};
use crate::support::observe::eventually;

/// Both replicas work on rows only.
const NO_WALKS: [(&str, &str); 2] = [
    ("BROKER_SWEEP_PERIOD_SECONDS", "0"),
    ("BROKER_STALE_MULTIPART_PERIOD_SECONDS", "0"),
];

async fn fleet(settings: &[(&'static str, &str)]) -> Fleet {
    let settings: Vec<_> = (settings.iter())
        .map(|&(name, value)| (name, value.to_owned()))
        .collect();
    Fleet::start(&settings).await
}

/// Waits until one of the replicas calls S3, and kills it. Returns the index of the other replica,
/// which goes on.
async fn kill_the_working_replica(fleet: &Fleet) -> usize {
    for replica in &fleet.replicas {
        replica.s3.block();
    }
    let doomed = tokio::select! {
        () = fleet.replicas[0].s3.request_waits() => 0,
        () = fleet.replicas[1].s3.request_waits() => 1,
    };
    fleet.replicas[doomed].kill().await;
    fleet.replicas[doomed].s3.close().await;
    let other = REPLICAS - 1 - doomed;
    fleet.replicas[other].s3.restore();
    other
}

/// The status of the only upload.
async fn status(fleet: &Fleet) -> String {
    let client = fleet.sql().await;
    let row = client.query_one("SELECT status FROM uploads", &[]).await;
    row.expect("the row").get(0)
}

#[tokio::test]
async fn check_of_overdue_upload_is_taken_over_from_killed_replica() {
    let fleet = fleet(&NO_WALKS).await;
    let caller = fleet.caller(0);
    let session = caller.create("/a.csv").await;
    caller.put(&session, "a").await.expect_ok();
    kill_the_working_replica(&fleet).await;
    eventually("it is Uploaded", async || {
        status(&fleet).await == "Uploaded"
    })
    .await;
}

#[tokio::test]
async fn delete_is_taken_over_from_killed_replica() {
    let fleet = fleet(&NO_WALKS).await;
    let uploaded = fleet.caller(0).upload("/a.csv", "a").await;
    // This is what a request leaves that dies after its first step.
    let deleting = format!(
        "UPDATE uploads SET status = 'Deleting', sequence = 2, updated_at = now() WHERE id = '{0}'; \
         INSERT INTO events (id, upload_id, sequence, tenant, kind, at, data, notify, due_at) \
         SELECT gen_random_uuid(), upload_id, 2, tenant, 'dataset.deleting', now(), data, false, now() \
         FROM events WHERE upload_id = '{0}'",
        id(&uploaded)
    );
    let client = fleet.sql().await;
    client.batch_execute(&deleting).await.expect("a delete");
    kill_the_working_replica(&fleet).await;
    eventually("it is Deleted", async || status(&fleet).await == "Deleted").await;
    assert!(fleet.place.bucket.head("a.csv").await.is_none());
}

#[tokio::test]
async fn final_check_is_taken_over_from_killed_replica() {
    let fleet = fleet(&NO_WALKS).await;
    let caller = fleet.caller(0);
    let session = caller.create("/a.csv").await;
    let cancel = format!("/uploads/{}/cancel", id(&session));
    caller.post_empty(&cancel).await.expect(StatusCode::OK);
    caller.put(&session, "too late").await.expect_ok();
    kill_the_working_replica(&fleet).await;
    eventually("what came is removed", async || {
        fleet.place.bucket.head("a.csv").await.is_none()
    })
    .await;
}

/// The end of the last complete walk at `place`.
async fn finished_at(fleet: &Fleet, place: &str) -> Option<DateTime<Utc>> {
    let finished = "SELECT finished_at FROM sweeps WHERE bucket = $1";
    let row = fleet.sql().await.query_opt(finished, &[&place]).await;
    let at: Option<std::time::SystemTime> = row.expect("a walk")?.get(0);
    at.map(DateTime::from)
}

/// One walk finishes, the next one is killed in the middle, and the other replica must finish it.
async fn assert_walk_is_taken_over(setting: &'static str, suffix: &str) {
    let other = NO_WALKS.into_iter().filter(|(name, _)| *name != setting);
    let settings: Vec<_> = other.chain([(setting, "1")]).collect();
    let fleet = fleet(&settings).await;
    let place = format!("{}{suffix}", fleet.place.bucket.name);
    eventually("the first walk", async || {
        finished_at(&fleet, &place).await.is_some()
    })
    .await;
    kill_the_working_replica(&fleet).await;
    let before = finished_at(&fleet, &place).await;
    eventually("the one that was killed is finished", async || {
        finished_at(&fleet, &place).await > before
    })
    .await;
}

#[tokio::test]
async fn sweep_is_taken_over_from_killed_replica() {
    assert_walk_is_taken_over("BROKER_SWEEP_PERIOD_SECONDS", "").await;
}

#[tokio::test]
async fn walk_over_multipart_uploads_is_taken_over_from_killed_replica() {
    assert_walk_is_taken_over("BROKER_STALE_MULTIPART_PERIOD_SECONDS", ":multipart").await;
}

/// Retention holds no lease, only its transaction, which ends with the replica.
#[tokio::test]
async fn retention_is_taken_over_from_killed_replica() {
    let retention = ("BROKER_RETENTION_UPLOADS_DAYS", "1");
    let settings: Vec<_> = NO_WALKS.into_iter().chain([retention]).collect();
    let fleet = fleet(&settings).await;
    let (doomed, other) = (&fleet.replicas[0], &fleet.replicas[1]);
    // Only the replica that will be killed can do the work.
    other.stop().await;
    let caller = fleet.caller(0);
    let session = caller.create("/a.csv").await;
    let cancel = format!("/uploads/{}/cancel", id(&session));
    caller.post_empty(&cancel).await.expect(StatusCode::OK);
    let mut client = fleet.sql().await;
    let lock = client.transaction().await.expect("a transaction");
    let held = "SELECT 1 FROM events FOR UPDATE";
    lock.batch_execute(held).await.expect("a lock");
    let old = "UPDATE uploads SET created_at = '2020-01-01', expires_at = '2020-01-01', \
               updated_at = '2020-01-02', settled_at = '2020-01-02'";
    fleet.sql().await.batch_execute(old).await.expect("years");
    waits_for_its_row(&fleet).await;
    doomed.kill().await;
    lock.rollback().await.expect("a rollback");
    other.start().await;
    let caller = fleet.caller(1);
    eventually("the old upload is gone", async || {
        caller.get("/uploads").await.expect(StatusCode::OK) == json!([])
    })
    .await;
}
