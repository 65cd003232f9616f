//! One hundred concurrent acknowledges of one upload cause one transition, one event, one
//! notification and one answer.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{App, id};
use crate::support::observe::TIMEOUT;
use crate::support::reply::Reply;

const CALLERS: usize = 100;

#[tokio::test]
async fn hundred_concurrent_acknowledges_make_one_transition_and_one_event() {
    let app = App::start().await;
    let session = app.create("data/a.csv", json!({"size": 1})).await;
    app.put(&session, "a").await.expect_ok();

    let by_id = format!("/uploads/{}/acknowledge", id(&session));
    let by_path = "/datasets/data/a.csv/action/acknowledge";
    let calls = (0..CALLERS).map(|n| {
        let path = if n % 2 == 0 { &by_id } else { by_path };
        Reply::of(app.request(Method::POST, path))
    });
    let answers = futures::future::join_all(calls).await;
    let stored = app.read(&session).await;
    assert_eq!(stored["status"], "Uploaded", "{stored:#}");
    for answer in answers {
        assert_eq!(answer.expect(StatusCode::OK), stored);
    }

    assert_eq!(app.event_types(&session).await, ["dataset.uploaded"]);
    let transitions = app.metric(r#"upload_transitions_total{to="Uploaded"}"#);
    assert_eq!(transitions.await, 1.0);
    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    let event = app.events(&session).await.remove(0);
    assert_eq!(message.json()["id"], event["id"]);
    let more = app.inbox.poll(Duration::from_secs(1)).await;
    assert!(more.is_empty(), "{more:#?}");
}
