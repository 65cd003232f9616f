//! A client of Server-Sent Events, which reads them as browsers do.

use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;

/// How long a test waits for an event. A test of another database in the same Postgres server may hold
/// the feed back with an open transaction.
const TIMEOUT: Duration = Duration::from_secs(60);

/// An event that was received.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    pub id: String,
    /// `message` if it has no name.
    pub name: String,
    pub data: Value,
}

/// An open stream.
pub struct EventStream {
    response: Response,
    text: String,
    /// What the client would send as `Last-Event-ID`.
    pub last_id: String,
    /// How long the client would wait before it connects again.
    pub retry: Option<Duration>,
    /// The number of comments.
    pub comments: usize,
}

impl EventStream {
    /// Opens a stream, and waits until it has begun.
    pub async fn open(request: RequestBuilder) -> EventStream {
        let request = request.header("accept", "text/event-stream");
        let response = request.send().await.expect("a response");
        let status = response.status();
        assert_eq!(status, StatusCode::OK, "{:?}", response.text().await);
        let mut stream = EventStream {
            response,
            text: String::new(),
            last_id: String::new(),
            retry: None,
            comments: 0,
        };
        while stream.last_id.is_empty() {
            assert!(stream.receive().await, "the stream ends at its start");
            assert_eq!(stream.parse(), None, "an event before the start");
        }
        stream
    }

    /// Opens a stream after the last event of another one.
    pub async fn resume(request: RequestBuilder, last_id: &str) -> EventStream {
        EventStream::open(request.header("last-event-id", last_id)).await
    }

    /// The value of a header of the response.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Waits for the next event; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Received> {
        let next = async {
            loop {
                if let Some(event) = self.parse() {
                    return Some(event);
                }
                if !self.receive().await {
                    return None;
                }
            }
        };
        let next = tokio::time::timeout(TIMEOUT, next).await;
        next.expect("an event, or the end of the stream")
    }

    /// Waits for the next event of a dataset, and returns its data.
    pub async fn event(&mut self) -> Value {
        let event = self.next().await.expect("an event, and no end");
        assert_eq!(event.name, "message", "{event:#?}");
        event.data
    }

    /// Waits for this many events of datasets, and returns the path and the sequence number of each.
    pub async fn events(&mut self, count: usize) -> Vec<(String, i64)> {
        let mut found = Vec::new();
        for _ in 0..count {
            let event = self.event().await;
            let path = event["data"]["path"].as_str().expect("a path").to_owned();
            found.push((path, event["sequence"].as_i64().expect("a number")));
        }
        found
    }

    /// Fails if an event arrives within `time`.
    pub async fn expect_nothing(&mut self, time: Duration) {
        let next = tokio::time::timeout(time, self.next()).await;
        assert!(next.is_err(), "{next:#?}");
    }

    /// Reads until the broker ends the stream, and returns its reason.
    pub async fn end(&mut self) -> String {
        let end = self.next().await.expect("an end with a reason");
        assert_eq!(end.name, "end", "{end:#?}");
        assert_eq!(self.next().await, None, "the stream continues");
        end.data["reason"].as_str().expect("a reason").to_owned()
    }

    /// Receives more text. Returns whether there was some; a broken connection has none.
    async fn receive(&mut self) -> bool {
        match self.response.chunk().await {
            Ok(Some(bytes)) => {
                let text = std::str::from_utf8(&bytes).expect("whole characters");
                self.text.push_str(text);
                true
            }
            Ok(None) | Err(_) => false,
        }
    }

    /// Takes the next event out of the text.
    fn parse(&mut self) -> Option<Received> {
        while let Some((block, rest)) = self.text.split_once("\n\n") {
            let (block, rest) = (block.to_owned(), rest.to_owned());
            self.text = rest;
            let (mut name, mut data) = ("message".to_owned(), None);
            for line in block.lines() {
                let (field, value) = line.split_once(": ").expect("a field");
                match field {
                    "" => self.comments += 1,
                    "id" => value.clone_into(&mut self.last_id),
                    "event" => value.clone_into(&mut name),
                    "data" => data = Some(serde_json::from_str(value).expect("JSON")),
                    "retry" => {
                        let delay = value.parse().expect("milliseconds");
                        self.retry = Some(Duration::from_millis(delay));
                    }
                    other => panic!("an unknown field {other} in {block}"),
                }
            }
            if let Some(data) = data {
                let id = self.last_id.clone();
                return Some(Received { id, name, data });
            }
        }
        None
    }
}
