//! The database is restored into another Postgres cluster, or to an earlier time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{all_readable, insert, named, open, resume};
use crate::support::app::App;
use crate::support::observe::eventually;

/// What a restore into a cluster leaves that has counted fewer transactions.
const RESTORE: &str = "
    UPDATE events SET xid = (9000000000000 - sequence)::text::xid8;
    UPDATE event_feed SET system_identifier = 42;
";

/// Changes a field of a cursor, which is JSON in Base64.
fn with_field(cursor: &str, field: &str, value: i64) -> String {
    let json = URL_SAFE_NO_PAD.decode(cursor).expect("Base64");
    let mut json: Value = serde_json::from_slice(&json).expect("JSON");
    json["f"][field] = value.into();
    URL_SAFE_NO_PAD.encode(json.to_string())
}

#[tokio::test]
async fn events_get_an_order_in_the_cluster_that_they_are_restored_into() {
    let app = App::start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let client = app.sql().await;
    insert(&client, &upload, 2..5).await;
    let mut stream = open(&app, "/events").await;
    client.batch_execute(RESTORE).await.expect("a restore");
    let reset = stream.next().await.expect("an event");
    assert_eq!(reset.name, "reset", "{reset:#?}");
    assert_eq!(reset.data, json!({"reason": "restored"}));
    insert(&client, &upload, 5..6).await;
    // Events may be repeated after a reset.
    while stream.event().await["sequence"] != 5 {}
    let page = app.get("/events").await.expect(StatusCode::OK);
    let page = page.as_array().expect("an array");
    let order: Vec<_> = page
        .iter()
        .map(|event| event["sequence"].as_i64())
        .collect();
    assert_eq!(order, (1..=5).map(Some).collect::<Vec<_>>(), "{page:#?}");
}

#[tokio::test]
async fn request_after_a_restore_gets_503_until_the_events_have_an_order() {
    let app = App::start().await;
    app.upload("/a.csv", "x", json!({})).await;
    let client = app.sql().await;
    client.batch_execute(RESTORE).await.expect("a restore");
    // No stream is open, so that the request itself starts the renumbering.
    let first = app.get("/events").await;
    if first.status != StatusCode::OK {
        first.expect_problem(503, "service-unavailable");
    }
    eventually("the feed is available again", async || {
        app.get("/events").await.status == StatusCode::OK
    })
    .await;
    all_readable(&app).await;
    let page = app.get("/events").await.expect(StatusCode::OK);
    assert_eq!(page.as_array().map(Vec::len), Some(1), "{page:#}");
}

#[tokio::test]
async fn stream_with_a_position_of_another_database_gets_a_reset() {
    let app = App::start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let client = app.sql().await;
    let last_id = open(&app, "/events").await.last_id;
    // Another cluster, and the same cluster at a later time.
    for foreign in [
        with_field(&last_id, "c", 42),
        with_field(&last_id, "x", 9_000_000_000_000),
    ] {
        let page = app.get(&format!("/events?after={foreign}")).await;
        let problem = page.expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "/after", "{problem:#}");
        all_readable(&app).await;
        let mut stream = resume(&app, "/events", &foreign).await;
        let reset = stream.next().await.expect("an event");
        assert_eq!(reset.name, "reset", "{reset:#?}");
        let next = app.events(&upload).await.len() + 1;
        let next = i32::try_from(next).expect("a number");
        insert(&client, &upload, next..next + 1).await;
        assert_eq!(stream.events(1).await, named(&[("/a.csv", next.into())]));
    }
}
