//! What an upload's URL has written although nobody promised it takes its room, for as long as it
//! stands there.

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

/// After the end of a URL, and the grace.
const URL_IS_OVER: TimeDelta = TimeDelta::hours(1);

impl Scene {
    /// An upload that says nothing of its size, and sends `bytes`.
    async fn sent(&self, path: &str, bytes: &str, more: Value) -> Value {
        let session = self.create(path, more).await;
        self.acme.put(&session, bytes).await.expect_ok();
        session
    }

    /// Says that it was one byte, and that is not so.
    async fn fail(&self, session: &Value) {
        let path = format!("/uploads/{}/acknowledge", id(session));
        let reply = self.post(&path, json!({"size": 1})).await;
        reply.expect_problem(422, Code::ObjectMismatch.as_str());
    }

    /// Room for so many bytes, and no more.
    async fn has_room_for(&self, bytes: u64) {
        let fits = self.create("/fits", json!({"size": bytes})).await;
        self.cancel(&fits).await;
        let more = json!({"size": bytes + 1});
        assert_eq!(self.no_room("/fits", more).await, "bytes");
    }
}

#[tokio::test]
async fn it_counts_until_it_is_deleted() {
    let scene = Scene::new(quota(Some(10), None)).await;
    let wrong = scene.sent("/a.csv", "sixsix", json!({})).await;
    assert_eq!(scene.used().await, (0, 1));
    scene.fail(&wrong).await;
    assert_eq!(scene.used().await, (6, 0));
    scene.has_room_for(4).await;
    scene.delete(&format!("/uploads/{}", id(&wrong))).await;
    assert_eq!(scene.used().await, (0, 0));
    scene.has_room_for(10).await;
}

/// Nothing of its own stands there: it did not even begin to take room.
#[tokio::test]
async fn what_is_somebody_elses_counts_for_them_alone() {
    let scene = Scene::new(quota(Some(100), None)).await;
    let late = scene.create("/a.csv", json!({})).await;
    scene.upload("/a.csv", "first", json!({})).await;
    let reply = scene.acme.acknowledge(&late).await;
    reply.expect_problem(409, "dataset-exists");
    assert_eq!(scene.used().await, (5, 0));
}

#[tokio::test]
async fn a_dataset_takes_its_place() {
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
    // What is deleted now was replaced before: it gives nothing back twice.
    scene.delete(&format!("/uploads/{}", id(&wrong))).await;
    assert_eq!(scene.used().await, (4 + 7, 0));
}

/// A URL that was not told a size writes once more what it likes.
#[tokio::test]
async fn what_comes_later_counts_at_the_last_look() {
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
        settled: 2,
        ..Round::default()
    };
    assert_eq!(scene.app.janitor().await, looked);
    assert_eq!(scene.used().await, (later.len() as u64, 0));
    assert!(scene.app.bucket.head("acme/a.csv").await.is_some(), "kept");
    let kept = r#"janitor_last_looks_total{outcome="kept"}"#;
    assert_eq!(scene.app.metric(kept).await, 1.0);
    assert_eq!(scene.app.janitor().await, Round::default(), "once");
    // It can be deleted as before, and needs no more looks then.
    scene.delete(&format!("/uploads/{}", id(&larger))).await;
    assert_eq!(scene.used().await, (0, 0));
    assert_eq!(scene.app.janitor().await, Round::default());
}

/// Nobody needs to say anything false: too much that is never acknowledged takes room too.
#[tokio::test]
async fn what_is_too_large_counts_once_the_janitor_has_seen_it() {
    let limits = Changes {
        max_size: Change::To(4),
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
    // Its client deletes it as any other that failed.
    scene.delete(&format!("/uploads/{}", id(&large))).await;
    assert!(scene.app.bucket.head("acme/a.csv").await.is_none());
    assert_eq!(scene.used().await, (0, 0));
}

/// What is not as declared may still be put right.
#[tokio::test]
async fn what_is_wrong_counts_once_the_janitor_has_seen_it_and_can_be_put_right() {
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
    // It fails when it is acknowledged after all, and counts no more and no less.
    let reply = scene.acme.acknowledge(wrong).await;
    reply.expect_problem(422, "object-mismatch");
    assert_eq!(scene.used().await, (16, 0));
    // The right bytes come late, in place of the wrong ones.
    let bucket = &scene.app.bucket;
    bucket
        .put_as(id(right), "acme/b.csv", "four", "text/csv")
        .await;
    scene.acme.acknowledge(right).await.expect(StatusCode::OK);
    assert_eq!(scene.used().await, (8 + 4, 0));
}

#[tokio::test]
async fn what_comes_after_the_end_counts_when_s3_tells_of_it() {
    let events = Events::new().await;
    let setup = Setup::new().set("BROKER_S3_EVENTS_QUEUE_URL", &events.url);
    let limits = Changes {
        max_size: Change::To(4),
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

/// Without events the sweep finds it.
#[tokio::test]
async fn what_comes_after_the_end_counts_when_the_sweep_finds_it() {
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

/// As a URL that may overwrite and was told no size can.
#[tokio::test]
async fn what_takes_the_place_of_a_proven_object_counts_once_it_is_seen() {
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
    // The promised bytes again: it has not drifted any more.
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
    // What another upload writes counts for that one, as it was declared.
    let more = json!({"overwrite": true, "size": 8});
    let next = scene.create("/a.csv", more).await;
    scene.acme.put(&next, "the next").await.expect_ok();
    sweep().await;
    assert_eq!(scene.used().await, (3 + 8, 1));
    scene.acme.acknowledge(&next).await.expect(StatusCode::OK);
    assert_eq!(scene.used().await, (8, 0));
}

#[tokio::test]
async fn a_forced_delete_gives_back_what_it_removes() {
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

/// Whoever may write into the bucket may copy an object with its metadata: what becomes of the copy
/// is nothing to the upload that it names.
#[tokio::test]
async fn a_copy_elsewhere_gives_back_nothing() {
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
