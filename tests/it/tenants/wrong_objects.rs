//! An object that the URL of an upload has written without being accepted counts against the quota
//! as long as it exists.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::refusal::Code;
use upload_broker::janitor::Round;
use upload_broker::usecases::tenants::{Change, Changes};

use super::scene::{Scene, quota};
use crate::janitor::sweep_in;
use crate::support::app::{Setup, id};
use crate::support::events::Events;
use crate::support::observe::eventually;
use crate::support::reply::Reply;

/// After the end of a URL and the grace.
const URL_IS_OVER: TimeDelta = TimeDelta::hours(1);

impl Scene {
    /// Creates an upload without a size and sends `bytes`.
    async fn sent(&self, path: &str, bytes: &str, more: Value) -> Value {
        let session = self.create(path, more).await;
        self.acme.put(&session, bytes).await.expect_ok();
        session
    }

    /// Acknowledges with a wrong size of one byte, so that the upload fails.
    async fn fail(&self, session: &Value) {
        let path = format!("/uploads/{}/acknowledge", id(session));
        let reply = self.post(&path, json!({"size": 1})).await;
        reply.expect_problem(422, Code::ObjectMismatch.as_str());
    }

    /// Asserts that exactly so many bytes are left.
    async fn assert_room_for(&self, bytes: u64) {
        let fits = self.create("/fits", json!({"size": bytes})).await;
        self.cancel(&fits).await;
        let more = json!({"size": bytes + 1});
        assert_eq!(self.no_room("/fits", more).await, "bytes");
    }
}

#[tokio::test]
async fn wrong_object_counts_until_it_is_deleted() {
    let scene = Scene::new(quota(Some(10), None)).await;
    let wrong = scene.sent("/a.csv", "sixsix", json!({})).await;
    assert_eq!(scene.used().await, (0, 1));
    scene.fail(&wrong).await;
    assert_eq!(scene.used().await, (6, 0));
    scene.assert_room_for(4).await;
    scene.delete(&format!("/uploads/{}", id(&wrong))).await;
    assert_eq!(scene.used().await, (0, 0));
    scene.assert_room_for(10).await;
}

/// The object is not the upload's own, so the upload never counted with it.
#[tokio::test]
async fn object_of_another_upload_counts_only_once() {
    let scene = Scene::new(quota(Some(100), None)).await;
    let late = scene.create("/a.csv", json!({})).await;
    scene.upload("/a.csv", "first", json!({})).await;
    let reply = scene.acme.acknowledge(&late).await;
    reply.expect_problem(409, "dataset-exists");
    assert_eq!(scene.used().await, (5, 0));
}

#[tokio::test]
async fn wrong_object_stops_counting_when_a_dataset_replaces_it() {
    let scene = Scene::new(quota(Some(100), None)).await;
    let wrong = scene.sent("/a.csv", "sixsix", json!({})).await;
    scene.fail(&wrong).await;
    let beside = scene.sent("/b.csv", "seven77", json!({})).await;
    scene.fail(&beside).await;
    assert_eq!(scene.used().await, (13, 0));
    scene
        .upload("/a.csv", "four", json!({"overwrite": true}))
        .await;
    assert_eq!(scene.used().await, (4 + 7, 0), "the other one still stands");
    // The object that is deleted now was replaced before, so it gives back nothing a second time.
    scene.delete(&format!("/uploads/{}", id(&wrong))).await;
    assert_eq!(scene.used().await, (4 + 7, 0));
}

/// A URL without a size can write any number of bytes again.
#[tokio::test]
async fn object_changed_after_the_failure_is_counted_by_the_final_check() {
    let scene = Scene::new(quota(Some(100), None)).await;
    let overwrite = json!({"overwrite": true});
    let larger = scene.sent("/a.csv", "one", overwrite.clone()).await;
    let removed = scene.sent("/b.csv", "one", overwrite).await;
    scene.fail(&larger).await;
    scene.fail(&removed).await;
    let later = "as many bytes as it likes";
    scene.acme.put(&larger, later).await.expect_ok();
    scene.app.bucket.remove("acme/b.csv").await;
    assert_eq!(scene.used().await, (6, 0));

    scene.app.advance(URL_IS_OVER);
    let looked = Round {
        finally_checked: 2,
        ..Round::default()
    };
    assert_eq!(scene.app.janitor().await, looked);
    assert_eq!(scene.used().await, (later.len() as u64, 0));
    assert!(scene.app.bucket.head("acme/a.csv").await.is_some(), "kept");
    let kept = r#"janitor_last_looks_total{outcome="kept"}"#;
    assert_eq!(scene.app.metric(kept).await, 1.0);
    assert_eq!(scene.app.janitor().await, Round::default(), "once");
    // It can be deleted as before, and needs no more checks afterwards.
    scene.delete(&format!("/uploads/{}", id(&larger))).await;
    assert_eq!(scene.used().await, (0, 0));
    assert_eq!(scene.app.janitor().await, Round::default());
}

/// Even without a wrong acknowledge, a too large object that is never acknowledged counts.
#[tokio::test]
async fn too_large_object_counts_after_the_janitor_has_checked_it() {
    let limits = Changes {
        max_size: Change::Set(4),
        ..quota(Some(100), None)
    };
    let scene = Scene::new(limits).await;
    let large = scene.sent("/a.csv", "too many", json!({})).await;
    scene.app.advance(URL_IS_OVER);
    assert_eq!(scene.app.janitor().await.expired, 1);
    assert_eq!(scene.used().await, (8, 0));
    let reply = scene.acme.acknowledge(&large).await;
    let problem = reply.expect_problem(409, "invalid-status");
    assert_eq!(problem["upload_status"], "Error", "{problem:#}");
    assert_eq!(scene.used().await, (8, 0));
    // Its client deletes it like any other failed upload.
    scene.delete(&format!("/uploads/{}", id(&large))).await;
    assert!(scene.app.bucket.head("acme/a.csv").await.is_none());
    assert_eq!(scene.used().await, (0, 0));
}

/// An object that differs from the declaration may still be replaced by the right one.
#[tokio::test]
async fn mismatching_object_counts_after_janitor_check_and_can_be_replaced() {
    let scene = Scene::new(quota(Some(100), None)).await;
    let mut sent = Vec::new();
    for path in ["/a.csv", "/b.csv"] {
        let session = scene.create(path, json!({"size": 4})).await;
        let key = format!("acme{path}");
        let bucket = &scene.app.bucket;
        bucket
            .put_as(id(&session), &key, "too many", "text/csv")
            .await;
        sent.push(session);
    }
    let (wrong, right) = (&sent[0], &sent[1]);
    scene.app.advance(URL_IS_OVER);
    assert_eq!(scene.app.janitor().await.expired, 2);
    assert_eq!(scene.used().await, (16, 0));
    // It fails when it is acknowledged, and counts as before.
    let reply = scene.acme.acknowledge(wrong).await;
    reply.expect_problem(422, "object-mismatch");
    assert_eq!(scene.used().await, (16, 0));
    // The right bytes arrive late and replace the wrong ones.
    let bucket = &scene.app.bucket;
    bucket
        .put_as(id(right), "acme/b.csv", "four", "text/csv")
        .await;
    scene.acme.acknowledge(right).await.expect(StatusCode::OK);
    assert_eq!(scene.used().await, (8 + 4, 0));
}

#[tokio::test]
async fn too_large_object_after_expiry_counts_after_its_s3_event() {
    let events = Events::new().await;
    let setup = Setup::new().set("BROKER_S3_EVENTS_QUEUE_URL", &events.url);
    let limits = Changes {
        max_size: Change::Set(4),
        ..quota(Some(100), None)
    };
    let scene = Scene::with(setup, limits).await;
    events.follow(&scene.app.bucket).await;
    let late = scene.create("/a.csv", json!({})).await;
    scene.app.advance(URL_IS_OVER);
    assert_eq!(scene.app.janitor().await.expired, 1);
    assert_eq!(scene.used().await, (0, 0));
    scene
        .app
        .bucket
        .put_as(id(&late), "acme/a.csv", "too many", "text/csv")
        .await;
    eventually("it counts", async || scene.used().await == (8, 0)).await;
    let now = scene.acme.get(&format!("/uploads/{}", id(&late))).await;
    assert_eq!(now.expect(StatusCode::OK)["status"], "Error");
}

/// Without events the sweep finds the object.
#[tokio::test]
async fn wrong_object_after_expiry_counts_after_the_sweep() {
    let scene = Scene::new(quota(Some(100), None)).await;
    let late = scene.create("/a.csv", json!({"size": 4})).await;
    scene.app.advance(URL_IS_OVER);
    assert_eq!(scene.app.janitor().await.expired, 1);
    let bucket = &scene.app.bucket;
    bucket
        .put_as(id(&late), "acme/a.csv", "too many", "text/csv")
        .await;
    let found = sweep_in(&scene.app, &bucket.name).await;
    assert_eq!(found[0]["what"], "unacknowledged-object", "{found:#?}");
    assert_eq!(found[0]["status"], "Expired", "{found:#?}");
    assert_eq!(scene.used().await, (8, 0));
}

/// A URL that may overwrite and has no size can do this.
#[tokio::test]
async fn object_over_a_proven_one_counts_with_its_size_after_the_sweep() {
    let scene = Scene::new(quota(Some(100), None)).await;
    let overwrite = json!({"overwrite": true});
    let session = scene.create("/a.csv", overwrite.clone()).await;
    scene.finish(&session, "one").await;
    let sweep = async || sweep_in(&scene.app, &scene.app.bucket.name).await;
    for (bytes, counted) in [
        ("more than that", 14),
        ("and still more of it", 20),
        ("1", 3),
    ] {
        scene.acme.put(&session, bytes).await.expect_ok();
        let found = sweep().await;
        assert_eq!(found[0]["what"], "other-etag", "{found:#?}");
        assert_eq!(scene.used().await, (counted, 0), "after {bytes:?}");
    }
    // When the proven bytes are written again, the dataset has no drift any more.
    scene
        .acme
        .put(&session, "and still more of it")
        .await
        .expect_ok();
    sweep().await;
    scene.acme.put(&session, "one").await.expect_ok();
    let found = sweep().await;
    assert_eq!(found[0]["what"], "restored", "{found:#?}");
    assert_eq!(scene.used().await, (3, 0));
    // What another upload writes counts for that upload, with its declared size.
    let more = json!({"overwrite": true, "size": 8});
    let next = scene.create("/a.csv", more).await;
    scene.acme.put(&next, "the next").await.expect_ok();
    sweep().await;
    assert_eq!(scene.used().await, (3 + 8, 1));
    scene.acme.acknowledge(&next).await.expect(StatusCode::OK);
    assert_eq!(scene.used().await, (8, 0));
}

#[tokio::test]
async fn forced_delete_releases_quota_of_the_removed_object() {
    let scene = Scene::new(quota(Some(100), None)).await;
    scene.upload("/a.csv", "dataset", json!({})).await;
    let wrong = scene
        .sent("/a.csv", "sixsix", json!({"overwrite": true}))
        .await;
    scene.fail(&wrong).await;
    assert_eq!(scene.used().await, (7 + 6, 0));
    let path = "/datasets/a.csv?force=remove";
    let reply = Reply::of(scene.acme.request(reqwest::Method::DELETE, path)).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert!(scene.app.bucket.head("acme/a.csv").await.is_none());
    assert_eq!(scene.used().await, (0, 0));
}

/// Everyone with access to the bucket can copy an object with its metadata. The fate of the copy
/// does not affect the upload whose id it carries.
#[tokio::test]
async fn deleting_a_copy_at_another_key_releases_no_quota() {
    let scene = Scene::new(quota(Some(100), None)).await;
    let wrong = scene.sent("/a.csv", "sixsix", json!({})).await;
    scene.fail(&wrong).await;
    assert_eq!(scene.used().await, (6, 0));
    scene.app.upload("/mine.csv", "mine", json!({})).await;
    scene.app.bucket.copy("acme/a.csv", "mine.csv").await;
    let reply = scene.app.delete("/datasets/mine.csv?force=remove").await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert!(scene.app.bucket.head("mine.csv").await.is_none());
    assert_eq!(
        scene.used().await,
        (6, 0),
        "its own object stands there yet"
    );
    assert!(scene.app.bucket.head("acme/a.csv").await.is_some());
}
