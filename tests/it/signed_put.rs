//! Pre-signed PUT URLs: the store itself rejects everything that was not signed and stores nothing
//! of it. The tests run against ministack and against the embedded store, which must agree.

mod below_a_path;
mod expiry;
mod object;
mod preconditions;
mod refusals;

use std::collections::BTreeMap;

use reqwest::Url;
use serde_json::Value;

use crate::support::app::App;
use crate::support::reply::Reply;

/// Runs each test twice: once with each store.
macro_rules! at_both_stores {
    ($($test:ident),+ $(,)?) => {
        mod ministack {$(
            #[tokio::test]
            async fn $test() {
                super::$test(crate::support::app::Setup::new()).await;
            }
        )+}
        mod embedded {$(
            #[tokio::test]
            async fn $test() {
                let store = crate::support::store::Store::start().await;
                super::$test(crate::support::app::Setup::new().store(&store)).await;
            }
        )+}
    };
}
use at_both_stores;

/// A PUT request as a session describes it, to be changed before it is sent.
#[derive(Clone)]
struct Put {
    url: Url,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Put {
    fn of(session: &Value, body: &str) -> Put {
        let upload = &session["upload"];
        let url = upload["url"].as_str().expect("a URL");
        Put {
            url: url.parse().expect("a URL"),
            headers: serde_json::from_value(upload["headers"].clone()).expect("headers"),
            body: body.to_owned(),
        }
    }

    fn with(mut self, name: &str, value: &str) -> Put {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    fn without(mut self, name: &str) -> Put {
        let removed = self.headers.remove(name);
        assert!(removed.is_some(), "no {name} among {:?}", self.headers);
        self
    }

    /// Sends the request and returns the status and the `<Code>` of S3's answer.
    async fn send(self, app: &App) -> (u16, String) {
        let mut put = app.http.put(self.url).body(self.body);
        for (name, value) in &self.headers {
            put = put.header(name, value);
        }
        let reply = Reply::of(put).await;
        let code = (reply.body.split_once("<Code>"))
            .and_then(|(_, rest)| rest.split_once("</Code>"))
            .map_or("", |(code, _)| code);
        (reply.status.as_u16(), code.to_owned())
    }
}

/// The value of a query parameter of the URL.
fn parameter(session: &Value, name: &str) -> Option<String> {
    let put = Put::of(session, "");
    let mut pairs = put.url.query_pairs();
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
