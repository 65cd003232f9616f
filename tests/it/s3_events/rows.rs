//! Events of objects that no upload waits for, and of objects whose upload row is not visible yet.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use upload_broker::arrivals::Round;

use super::scene::{Scene, received};
use crate::support::app::{Setup, id};

#[tokio::test]
async fn s3_event_of_a_cancelled_upload_changes_nothing() {
    let scene = Scene::silent(Setup::new()).await;
    let session = scene.app.create("a.csv", json!({})).await;
    let cancel = format!("/uploads/{}/cancel", id(&session));
    scene.app.post_empty(&cancel).await.expect(StatusCode::OK);
    // The URL still works until it expires.
    scene.app.put(&session, "id\n1\n").await.expect_ok();
    scene.send_event("ObjectCreated:Put", "a.csv").await;
    assert_eq!(
        scene.round().await,
        Round {
            done: 1,
            ..received(1)
        }
    );
    assert_eq!(scene.app.read(&session).await["status"], "Cancelled");
}

#[tokio::test]
async fn s3_events_of_unknown_objects_are_ignored() {
    let scene = Scene::silent(Setup::new()).await;
    let session = scene.sent("a.csv", json!({})).await;
    let bucket = &scene.app.bucket;
    bucket.put("by another program", "bytes").await;
    bucket
        .put_as("not an id", "not an id", "bytes", "text/csv")
        .await;
    // A copy keeps the metadata of its source.
    bucket
        .put_as(id(&session), "copy.csv", "id\n1\n", "text/csv")
        .await;
    // Ids that this broker generated long ago or never.
    for number in [
        "0190163d-8694-739b-aea5-966c26f8ad91",
        "f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
    ] {
        bucket.put_as(number, number, "bytes", "text/csv").await;
        scene.send_event("ObjectCreated:Put", number).await;
    }
    for key in ["by another program", "not an id", "copy.csv", "gone.csv"] {
        scene.send_event("ObjectCreated:Put", key).await;
    }
    let other = crate::support::events::raw("ObjectCreated:Put", "another-bucket", "a.csv");
    scene.events.send(&other.to_string()).await;
    let sum = scene.rounds(7).await;
    assert_eq!(sum.ignored, 7, "{sum:?}");
    assert_eq!(scene.app.read(&session).await["status"], "Pending");
    assert_eq!(scene.events.counts().await, (0, 0));
}

#[tokio::test]
async fn s3_event_before_its_row_is_visible_is_handled_later() {
    let scene = Scene::silent(Setup::new()).await;
    let upload = scene.invisible("a.csv").await;
    scene.send_event("ObjectCreated:Put", "a.csv").await;
    let early = Round {
        early: 1,
        ..received(1)
    };
    assert_eq!(scene.round().await, early);
    assert_eq!(scene.events.counts().await, (0, 1), "it waits");
    scene.show().await;
    let done = Round {
        done: 1,
        ..received(1)
    };
    assert_eq!(scene.round().await, done);
    assert_eq!(scene.app.event_types(&upload).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn s3_event_without_a_row_is_ignored_after_two_minutes() {
    let scene = Scene::silent(Setup::new()).await;
    scene.invisible("a.csv").await;
    scene.send_event("ObjectCreated:Put", "a.csv").await;
    let early = Round {
        early: 1,
        ..received(1)
    };
    assert_eq!(scene.round().await, early);
    scene.app.advance(TimeDelta::minutes(2));
    let ignored = Round {
        ignored: 1,
        ..received(1)
    };
    assert_eq!(scene.round().await, ignored);
    assert_eq!(scene.events.counts().await, (0, 0));
}
