//! `GET /uploads/{id}/events`: the events of an upload, oldest first.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::app::{App, id};
use crate::support::observe::eventually;

#[tokio::test]
async fn history_lists_every_event_of_an_upload_in_order() {
    let app = App::start().await;
    let session = app.create("a.csv", json!({})).await;
    assert!(app.events(&session).await.is_empty());
    app.put(&session, "a").await.expect_ok();
    app.advance(TimeDelta::seconds(3));
    app.acknowledge(&session).await.expect_ok();
    eventually("the notification is sent", async || {
        app.events(&session).await[0]["published_at"].is_string()
    })
    .await;
    app.advance(TimeDelta::seconds(3));
    app.delete(&format!("/uploads/{}", id(&session)))
        .await
        .expect_ok();

    let types = app.event_types(&session).await;
    assert_eq!(
        types,
        ["dataset.uploaded", "dataset.deleting", "dataset.deleted"]
    );
    let events = app.events(&session).await;
    let members = [
        "data",
        "id",
        "published_at",
        "sequence",
        "time",
        "type",
        "undeliverable_at",
        "upload_id",
    ];
    for event in &events {
        let mut names: Vec<_> = event.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, members, "{event:#}");
    }
    let statuses = events.iter().map(|event| event["data"]["status"].as_str());
    let statuses: Vec<_> = statuses.map(Option::unwrap).collect();
    assert_eq!(
        statuses,
        ["Uploaded", "Deleting", "Deleted"],
        "frozen facts"
    );
    assert_eq!(events[1]["published_at"], Value::Null, "not notified");
    assert!(events[0]["time"].as_str() < events[1]["time"].as_str());

    let unknown = format!("/uploads/{}/events", uuid::Uuid::now_v7());
    app.get(&unknown)
        .await
        .expect_problem(404, "upload-not-found");
}
