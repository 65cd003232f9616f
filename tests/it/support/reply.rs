//! An answer, read to its end, with checks that show all of it when they fail.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An HTTP answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    /// Sends the request and reads the answer.
    pub async fn of(request: reqwest::RequestBuilder) -> Reply {
        let answer = request.send().await.expect("an answer");
        Reply {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer.text().await.expect("the whole answer"),
        }
    }

    /// The body as JSON, of an answer with this status.
    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{self:#?}");
        self.json()
    }

    /// A problem of this status and code, as the contract has it.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:#?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:#?}"
        );
        let problem = self.json();
        assert_eq!(problem["code"], code, "{self:#?}");
        assert_eq!(problem["type"], format!("/problems/{code}"), "{self:#?}");
        assert_eq!(problem["status"], status, "{self:#?}");
        for member in ["title", "detail", "instance", "request_id"] {
            assert!(problem[member].is_string(), "{member} in {self:#?}");
        }
        assert_eq!(
            self.header("x-request-id"),
            problem["request_id"].as_str(),
            "{self:#?}"
        );
        problem
    }

    /// Any success.
    #[track_caller]
    pub fn expect_ok(self) -> Reply {
        assert!(self.status.is_success(), "{self:#?}");
        self
    }

    /// One header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON; null where there is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
