//! What an endpoint gets, and what not.

use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::{add, setup, waiting};
use crate::support::app::{App, Setup, id};
use crate::support::observe::{TIMEOUT, eventually};
use crate::support::receiver::{Delivery, Receiver};
use crate::support::reply::Reply;

fn types(all: &[Delivery]) -> Vec<Value> {
    all.iter().map(|one| one.event()["type"].clone()).collect()
}

async fn nothing_waits(app: &App) {
    eventually("nothing waits", async || waiting(app).await == 0).await;
}

/// The body is the message that SNS gets, and the type need not be one that SNS gets.
#[tokio::test]
async fn endpoint_gets_every_event_as_subscribers_of_sns_do() {
    let receiver = Receiver::new();
    let app = Setup::new()
        .set("BROKER_WEBHOOKS_ALLOW_PRIVATE", true)
        .start()
        .await;
    add(&app, &receiver.url(), &[]).await;
    let upload = app
        .upload("/a.csv", "a", json!({"metadata": {"k": "ü"}}))
        .await;
    app.delete(&format!("/uploads/{}", id(&upload)))
        .await
        .expect_ok();
    let all = receiver.wait_for(3).await;
    assert_eq!(
        types(&all),
        ["dataset.uploaded", "dataset.deleting", "dataset.deleted"]
    );
    let message = app.inbox.receive_until(1, TIMEOUT).await.remove(0);
    assert_eq!(all[0].body, message.body);
    for delivery in &all {
        assert_eq!(delivery.header("webhook-id"), delivery.event()["id"]);
        let media = delivery.header("content-type");
        assert_eq!(media, "application/cloudevents+json");
        let agent = delivery.header("user-agent");
        assert!(agent.starts_with("upload-broker/"), "{agent}");
    }
    nothing_waits(&app).await;
    assert_eq!(receiver.all().len(), 3, "each was sent once");
}

#[tokio::test]
async fn endpoint_gets_only_the_chosen_types() {
    let (some, every) = (Receiver::new(), Receiver::new());
    let app = setup().start().await;
    let chosen = "dataset.processed,dataset.deleted";
    add(&app, &some.url(), &["--types", chosen]).await;
    add(&app, &every.url(), &[]).await;
    let upload = app.upload("/a.csv", "a", json!({})).await;
    let path = format!("/uploads/{}", id(&upload));
    app.post(
        &format!("{path}/processing"),
        json!({"status": "Processed"}),
    )
    .await
    .expect(StatusCode::OK);
    app.delete(&path).await.expect_ok();
    every.wait_for(5).await;
    nothing_waits(&app).await;
    assert_eq!(types(&some.all()), ["dataset.processed", "dataset.deleted"]);
}

#[tokio::test]
async fn endpoint_gets_only_events_of_its_tenant() {
    let (acme, default) = (Receiver::new(), Receiver::new());
    let app = setup().start().await;
    let (_, key) = app.issue_key("acme", &Scope::ALL, None).await;
    add(&app, &acme.url(), &["--tenant", "acme"]).await;
    add(&app, &default.url(), &[]).await;
    app.upload("/of-default.csv", "a", json!({})).await;
    let request = app.http.post(format!("{}/uploads", app.url));
    let request = request
        .bearer_auth(&key)
        .json(&json!({"path": "/of-acme.csv"}));
    let session = Reply::of(request).await.expect(StatusCode::CREATED);
    app.put(&session, "a").await.expect_ok();
    let path = format!("{}/uploads/{}/acknowledge", app.url, id(&session));
    Reply::of(app.http.post(path).bearer_auth(&key))
        .await
        .expect(StatusCode::OK);
    let (of_acme, of_default) = (acme.wait_for(1).await, default.wait_for(1).await);
    nothing_waits(&app).await;
    assert_eq!(of_acme[0].event()["tenant"], "acme");
    assert_eq!(of_acme[0].event()["subject"], "/of-acme.csv");
    assert_eq!(of_default[0].event()["tenant"], "default");
    assert_eq!((acme.all().len(), default.all().len()), (1, 1));
}

/// More events than one round sends, several of them at a time.
#[tokio::test]
async fn events_of_many_uploads_arrive_once_each() {
    let receiver = Receiver::new();
    let app = setup().start().await;
    add(&app, &receiver.url(), &[]).await;
    let uploads = (0..40).map(|n| {
        let app = &app;
        async move {
            let path = format!("/{n}.csv");
            let upload = app.upload(&path, "a", json!({})).await;
            let path = format!("/uploads/{}", id(&upload));
            app.delete(&path).await.expect_ok();
        }
    });
    futures::future::join_all(uploads).await;
    let all = receiver.wait_for(120).await;
    nothing_waits(&app).await;
    assert_eq!(receiver.all().len(), 120);
    super::assert_in_order(&all);
}
