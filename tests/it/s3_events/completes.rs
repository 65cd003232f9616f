//! The object arrives, its event arrives, and the upload becomes Uploaded exactly once, whatever
//! other events say.

use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::arrivals::Round;
use upload_broker::domain::principal::Scope;

use super::scene::{Scene, received, running};
use crate::support::app::{Setup, id};
use crate::support::events::notify_topic;
use crate::support::inbox::Inbox;
use crate::support::observe::{TIMEOUT, eventually};

#[tokio::test]
async fn upload_is_proven_by_its_s3_event_without_acknowledge() {
    let scene = running().await;
    let session = scene.sent("/data/a.csv", json!({"size": 5})).await;
    let mut now = Value::Null;
    eventually("it is Uploaded", async || {
        now = scene.app.read(&session).await;
        now["status"] == "Uploaded"
    })
    .await;
    assert_eq!(now["verification"]["by"], "s3-event", "{now:#}");
    assert_eq!(now["verification"]["level"], "size", "{now:#}");
    let message = scene.app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    assert_eq!(message.json()["data"]["upload_id"], session["id"]);
    assert_eq!(message.json()["data"]["verification"]["by"], "s3-event");
    eventually("the queue is empty", async || {
        scene.events.counts().await == (0, 0)
    })
    .await;
    // The client may still acknowledge and gets the same answer.
    let again = scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(again, now);
    assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
    let ready = scene.app.get("/readyz").await.expect(StatusCode::OK);
    assert_eq!(ready["s3_events"], "ok", "{ready:#}");
    let done = scene.app.metric(r#"s3_events_total{outcome="done"}"#).await;
    assert_eq!(done, 1.0);
}

/// Keys as the store itself encodes them in its events.
#[tokio::test]
async fn uploads_with_special_characters_in_their_keys_are_proven_by_s3_events() {
    let scene = Scene::new().await;
    let paths = [
        "two words.csv",
        "one+one.csv",
        "100%.csv",
        "%41%2B.csv",
        "日本/é ü.csv",
        "a&b=c;d.csv",
        "quote'\"<>.csv",
    ];
    let mut sessions = Vec::new();
    for path in paths {
        sessions.push(scene.sent(path, json!({})).await);
    }
    let sum = scene.rounds(1 + paths.len() as u64).await;
    assert_eq!(sum.ignored, 1, "the test event of S3: {sum:?}");
    assert_eq!(sum.done, paths.len() as u64, "{sum:?}");
    for (path, session) in paths.iter().zip(&sessions) {
        let now = scene.app.read(session).await;
        assert_eq!(now["status"], "Uploaded", "{path}: {now:#}");
    }
    assert_eq!(scene.events.counts().await, (0, 0));
}

#[tokio::test]
async fn s3_event_in_an_sns_envelope_proves_the_upload() {
    let scene = Scene::silent(Setup::new()).await;
    // Without raw delivery, SNS puts an envelope around each event.
    let topic = Inbox::new().await;
    let subscribe = topic.sns.subscribe().topic_arn(&topic.topic_arn);
    let subscribe = subscribe.protocol("sqs").endpoint(&scene.events.arn);
    subscribe.send().await.expect("a subscription");
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sns:Publish", "Resource": topic.topic_arn,
    }]});
    let set = topic.sns.set_topic_attributes().topic_arn(&topic.topic_arn);
    let set = set
        .attribute_name("Policy")
        .attribute_value(policy.to_string());
    set.send().await.expect("a policy");
    notify_topic(&scene.app.bucket, &topic.topic_arn).await;
    let session = scene.sent("a + b.csv", json!({})).await;
    let sum = scene.rounds(2).await;
    assert_eq!((sum.ignored, sum.done), (1, 1), "{sum:?}");
    assert_eq!(scene.app.read(&session).await["status"], "Uploaded");
}

#[tokio::test]
async fn eventbridge_event_proves_the_upload() {
    let scene = Scene::silent(Setup::new()).await;
    let session = scene.sent("a + b.csv", json!({})).await;
    let event = json!({
        "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created", "source": "aws.s3", "account": "111122223333",
        "time": "2025-03-01T10:00:00Z", "region": "us-east-1",
        "resources": [format!("arn:aws:s3:::{}", scene.app.bucket.name)],
        "detail": {
            "version": "0", "bucket": {"name": scene.app.bucket.name},
            "object": {"key": "a + b.csv", "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184",
                "sequencer": "00617F08299329D189"},
            "request-id": "N4N7GDK58NMKJ12R", "requester": "123456789012",
            "source-ip-address": "1.2.3.4", "reason": "PutObject"},
    });
    scene.events.send(&event.to_string()).await;
    assert_eq!(
        scene.round().await,
        Round {
            done: 1,
            ..received(1)
        }
    );
    assert_eq!(scene.app.read(&session).await["status"], "Uploaded");
}

#[tokio::test]
async fn duplicated_and_reordered_s3_events_prove_the_upload_once() {
    let scene = Scene::silent(Setup::new()).await;
    let session = scene.sent("a.csv", json!({})).await;
    for name in [
        "ObjectRemoved:Delete",
        "ObjectCreated:Put",
        "ObjectCreated:Put",
    ] {
        for _ in 0..3 {
            scene.send_event(name, "a.csv").await;
        }
    }
    // The object exists, whatever the events say.
    let sum = scene.rounds(9).await;
    assert_eq!(sum.done, 9, "{sum:?}");
    assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
    let now = scene.app.read(&session).await;
    assert_eq!(now["status"], "Uploaded", "{now:#}");
    assert_eq!(now["drift"], Value::Null, "{now:#}");
}

#[tokio::test]
async fn acknowledge_and_s3_event_at_once_make_one_transition() {
    let scene = Scene::silent(Setup::new()).await;
    for number in 0..10 {
        let path = format!("{number}.csv");
        let session = scene.sent(&path, json!({})).await;
        scene.send_event("ObjectCreated:Put", &path).await;
        let (round, reply) = tokio::join!(scene.round(), scene.app.acknowledge(&session));
        assert_eq!(
            round,
            Round {
                done: 1,
                ..received(1)
            }
        );
        let answered = reply.expect(StatusCode::OK);
        assert_eq!(answered["status"], "Uploaded", "{answered:#}");
        assert_eq!(scene.app.read(&session).await, answered);
        assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
    }
}

#[tokio::test]
async fn s3_event_of_a_mismatching_object_fails_the_upload() {
    let scene = Scene::silent(Setup::new()).await;
    let session = scene.app.create("a.csv", json!({"size": 1})).await;
    let bucket = &scene.app.bucket;
    bucket
        .put_as(id(&session), "a.csv", "too long", "text/csv")
        .await;
    scene.send_event("ObjectCreated:Put", "a.csv").await;
    assert_eq!(
        scene.round().await,
        Round {
            done: 1,
            ..received(1)
        }
    );
    let now = scene.app.read(&session).await;
    assert_eq!(now["status"], "Error", "{now:#}");
    assert_eq!(now["error"]["code"], "object-mismatch", "{now:#}");
    assert_eq!(scene.app.event_types(&session).await, ["upload.failed"]);
    assert_eq!(scene.events.counts().await, (0, 0));
}

#[tokio::test]
async fn s3_events_are_handled_for_uploads_of_any_tenant() {
    let mut scene = Scene::silent(Setup::new()).await;
    let ours = scene.app.key.clone();
    scene.app.key = scene.app.issue_key("acme", &Scope::ALL, None).await.1;
    let session = scene.sent("/a.csv", json!({})).await;
    scene.send_event("ObjectCreated:Put", "acme/a.csv").await;
    assert_eq!(
        scene.round().await,
        Round {
            done: 1,
            ..received(1)
        }
    );
    assert_eq!(scene.app.event_types(&session).await, ["dataset.uploaded"]);
    scene.app.bucket.put("acme/a.csv", "others").await;
    scene.send_event("ObjectCreated:Put", "acme/a.csv").await;
    assert_eq!(
        scene.round().await,
        Round {
            done: 1,
            ..received(1)
        }
    );
    assert_eq!(scene.app.read(&session).await["drift"]["kind"], "replaced");
    scene.app.key = ours;
}
