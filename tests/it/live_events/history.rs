//! The live stream of one upload.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{insert, open, resume};
use crate::support::app::{App, id};
use crate::support::reply::Reply;

#[tokio::test]
async fn stream_of_an_upload_has_its_history_and_then_what_happens() {
    let app = App::start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let other = app.upload("/b.csv", "x", json!({})).await;
    let path = format!("/uploads/{}/events", id(&upload));
    let mut stream = open(&app, &path).await;
    let first = stream.event().await;
    assert_eq!(first["type"], "dataset.uploaded", "{first:#}");
    let client = app.sql().await;
    insert(&client, &other, 2..3).await;
    insert(&client, &upload, 2..3).await;
    let second = stream.event().await;
    assert_eq!(second["sequence"], 2, "{second:#}");
    let mut again = resume(&app, &path, &stream.last_id).await;
    insert(&client, &upload, 3..4).await;
    assert_eq!(again.event().await["sequence"], 3);
    let third = stream.event().await;
    // The same as the JSON form.
    let listed = app.get(&path).await.expect(StatusCode::OK);
    assert_eq!(listed[2], third);
    assert_eq!(listed.as_array().map(Vec::len), Some(3), "{listed:#}");
}

#[tokio::test]
async fn stream_of_an_upload_is_in_the_order_of_its_history_when_transactions_overlap() {
    let app = App::start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let path = format!("/uploads/{}/events", id(&upload));
    let mut stream = open(&app, &path).await;
    stream.event().await;
    // The transaction of the third event begins before that of the second one.
    let (mut client, other) = (app.sql().await, app.sql().await);
    let later = client.transaction().await.expect("a transaction");
    later
        .batch_execute("SELECT pg_current_xact_id()")
        .await
        .expect("an id");
    insert(&other, &upload, 2..3).await;
    insert(&later, &upload, 3..4).await;
    later.commit().await.expect("a commit");
    assert_eq!(stream.event().await["sequence"], 2);
    assert_eq!(stream.event().await["sequence"], 3);
}

#[tokio::test]
async fn stream_of_an_upload_rejects_ids_of_other_streams() {
    let app = App::start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let other = app.upload("/b.csv", "x", json!({})).await;
    let feed = open(&app, "/events").await;
    let of_other = open(&app, &format!("/uploads/{}/events", id(&other))).await;
    for last_id in [&feed.last_id, &of_other.last_id, "nonsense"] {
        let request = app.request(Method::GET, &format!("/uploads/{}/events", id(&upload)));
        let request = request.header("accept", "text/event-stream");
        let reply = Reply::of(request.header("last-event-id", last_id)).await;
        let problem = reply.expect_problem(422, "invalid-request");
        assert_eq!(
            problem["errors"][0]["pointer"], "/last-event-id",
            "{problem:#}"
        );
    }
    let request = app.request(Method::GET, "/events");
    let request = request.header("accept", "text/event-stream");
    let reply = Reply::of(request.header("last-event-id", &of_other.last_id)).await;
    reply.expect_problem(422, "invalid-request");
}
