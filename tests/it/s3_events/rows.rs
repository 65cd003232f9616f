//! Objects that no upload waits for, and objects whose upload is not to be seen yet.

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use upload_broker::arrivals::Round;

use super::scene::{Scene, received};
use crate::support::app::{Setup, id};

#[tokio::test]
async fn an_upload_that_waits_no_more() {
    let scene = Scene::silent(Setup::new()).await;
    let session = scene.app.create("a.csv", json!({})).await;
    let cancel = format!("/uploads/{}/cancel", id(&session));
    scene.app.act(&cancel).await.expect(StatusCode::OK);
    // The URL is good until it ends by itself.
    scene.app.put(&session, "id\n1\n").await.expect_ok();
    scene.tell("ObjectCreated:Put", "a.csv").await;
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
async fn what_no_upload_has_to_do_with_is_ignored() {
    let scene = Scene::silent(Setup::new()).await;
    let session = scene.sent("a.csv", json!({})).await;
    let bucket = &scene.app.bucket;
    bucket.put("by another program", "bytes").await;
    bucket
        .put_as("not an id", "not an id", "bytes", "text/csv")
        .await;
    // A copy takes its metadata along.
    bucket
        .put_as(id(&session), "copy.csv", "id\n1\n", "text/csv")
        .await;
    // Ids that this broker made long ago, or never.
    for number in [
        "0190163d-8694-739b-aea5-966c26f8ad91",
        "f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
    ] {
        bucket.put_as(number, number, "bytes", "text/csv").await;
        scene.tell("ObjectCreated:Put", number).await;
    }
    for key in ["by another program", "not an id", "copy.csv", "gone.csv"] {
        scene.tell("ObjectCreated:Put", key).await;
    }
    let other = crate::support::events::raw("ObjectCreated:Put", "another-bucket", "a.csv");
    scene.events.send(&other.to_string()).await;
    let sum = scene.rounds(7).await;
    assert_eq!(sum.ignored, 7, "{sum:?}");
    assert_eq!(scene.app.read(&session).await["status"], "Pending");
    assert_eq!(scene.events.counts().await, (0, 0));
}

#[tokio::test]
async fn an_event_that_comes_before_its_row() {
    let scene = Scene::silent(Setup::new()).await;
    let upload = scene.invisible("a.csv").await;
    scene.tell("ObjectCreated:Put", "a.csv").await;
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
    assert_eq!(scene.app.told(&upload).await, ["dataset.uploaded"]);
}

#[tokio::test]
async fn a_row_that_never_comes_is_not_waited_for_for_ever() {
    let scene = Scene::silent(Setup::new()).await;
    scene.invisible("a.csv").await;
    scene.tell("ObjectCreated:Put", "a.csv").await;
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
