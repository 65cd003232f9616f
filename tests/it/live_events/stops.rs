//! A stop of the process ends its streams at once.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::support::event_stream::EventStream;
use crate::support::serving::{Caller, Place};

#[tokio::test]
async fn stop_ends_streams_at_once_and_another_replica_continues_them() {
    let place = Place::new().await;
    let (process, caller) = place.start(place.serve()).await;
    let (other, elsewhere) = place.start(place.serve()).await;
    let elsewhere = Caller::new(elsewhere.url, caller.key.clone());
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(EventStream::open(caller.request(Method::GET, "/events")).await);
    }
    caller.upload("/a.csv", "x").await;
    for stream in &mut streams {
        assert_eq!(stream.event().await["data"]["path"], "/a.csv");
    }
    let start = Instant::now();
    process.signal("TERM");
    for stream in &mut streams {
        assert_eq!(stream.end().await, "stop");
        let retry = stream.retry.expect("a delay");
        assert!(retry >= Duration::from_secs(1), "{retry:?}");
    }
    process.wait().await.ok();
    // The shutdown timeout is 25 s.
    assert!(
        start.elapsed() < Duration::from_secs(15),
        "{:?}",
        start.elapsed()
    );
    elsewhere.upload("/b.csv", "x").await;
    for stream in &streams {
        let request = elsewhere.request(Method::GET, "/events");
        let mut next = EventStream::resume(request, &stream.last_id).await;
        assert_eq!(next.event().await["data"]["path"], "/b.csv");
    }
    other.stop("TERM").await.ok();
}
