//! The feed as JSON.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{all_readable, insert, resume};
use crate::support::app::App;
use crate::support::reply::Reply;

fn next(reply: &Reply) -> Option<String> {
    let link = reply.header("link")?;
    let (path, _) = link.trim_start_matches('<').split_once('>')?;
    Some(path.to_owned())
}

fn sequences(page: &Value) -> Vec<i64> {
    let events = page.as_array().expect("an array");
    let sequences = events.iter().map(|event| event["sequence"].as_i64());
    sequences.map(|number| number.expect("a number")).collect()
}

#[tokio::test]
async fn pages_have_all_events_in_order_and_lead_to_the_stream() {
    let app = App::start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    let client = app.sql().await;
    insert(&client, &upload, 2..8).await;
    all_readable(&app).await;
    let mut path = "/events?limit=3".to_owned();
    let (mut found, mut last) = (Vec::new(), Value::Null);
    loop {
        let reply = app.get(&path).await;
        let link = next(&reply);
        let page = reply.expect(StatusCode::OK);
        found.extend(sequences(&page));
        last = page
            .as_array()
            .and_then(|page| page.last())
            .cloned()
            .unwrap_or(last);
        match link {
            Some(link) => path = link,
            None => break,
        }
    }
    assert_eq!(found, [1, 2, 3, 4, 5, 6, 7]);
    let cursor = last["cursor"].as_str().expect("a cursor");
    let mut stream = resume(&app, "/events", cursor).await;
    insert(&client, &upload, 8..9).await;
    assert_eq!(stream.event().await["sequence"], 8);
    let more = app.get(&format!("/events?after={cursor}")).await;
    let more = more.expect(StatusCode::OK);
    assert_eq!(sequences(&more), [8]);
    let mut streamed = more[0].clone();
    streamed
        .as_object_mut()
        .expect("an object")
        .remove("cursor");
    let mut again = super::open(&app, &format!("/events?after={cursor}")).await;
    assert_eq!(again.event().await, streamed, "both have the same JSON");
}

#[tokio::test]
async fn page_without_visible_events_leads_to_the_next_one() {
    let app = App::start().await;
    let upload = app.upload("/a.csv", "x", json!({})).await;
    insert(&app.sql().await, &upload, 2..6).await;
    app.upload("/b.csv", "x", json!({})).await;
    all_readable(&app).await;
    let reply = app.get("/events?limit=3&prefix=/b").await;
    let link = next(&reply).expect("a next page");
    assert_eq!(reply.expect(StatusCode::OK), json!([]));
    let page = app.get(&link).await.expect(StatusCode::OK);
    assert_eq!(page[0]["data"]["path"], "/b.csv", "{page:#}");
}

#[tokio::test]
async fn invalid_parameters_are_named() {
    let app = App::start().await;
    for (query, pointer) in [
        ("after=nonsense", "/after"),
        ("type=dataset.unknown", "/type"),
        ("limit=0", "/limit"),
        ("cursor=x", "/cursor"),
    ] {
        let reply = app.get(&format!("/events?{query}")).await;
        let problem = reply.expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem:#}");
    }
}
