//! The feed of events, and live streams of it.

use reqwest::Method;
use serde_json::Value;

use super::{TIMES, ask, replace};
use crate::support::app::{App, id};
use crate::support::event_stream::EventStream;

/// Reads pages of the feed, and follows it.
pub async fn make_requests(app: &App) {
    for filters in [
        "",
        "&prefix=/data/4/4",
        "&prefix=/nothing/",
        "&type=upload.failed",
    ] {
        ask(app, &format!("/events?limit=10{filters}")).await;
    }
    let page = app.get("/events?limit=10").await.json();
    let last = page.as_array().and_then(|page| page.last());
    let cursor = last.and_then(|last| last["cursor"].as_str());
    let cursor = cursor.expect("a cursor");
    ask(app, &format!("/events?limit=10&after={cursor}")).await;
    for _ in 0..TIMES {
        let mut old = EventStream::resume(app.request(Method::GET, "/events"), cursor).await;
        for _ in 0..150 {
            old.event().await;
        }
        let mut new = EventStream::open(app.request(Method::GET, "/events")).await;
        let upload = replace(app, "/hot.csv").await;
        let mut event = Value::Null;
        while event["upload_id"] != upload["id"] {
            event = new.event().await;
        }
        let history = app.request(Method::GET, &format!("/uploads/{}/events", id(&upload)));
        EventStream::open(history).await.event().await;
    }
}
