//! A complete HTTP response, with checks that print the whole response when they fail.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An HTTP response.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Reply {
    /// Sends the request and reads the response.
    pub async fn of(request: reqwest::RequestBuilder) -> Reply {
        let answer = request.send().await.expect("an answer");
        Reply {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer.text().await.expect("the whole answer"),
        }
    }

    /// Fails unless the response has this status. Returns the body as JSON.
    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{self:#?}");
        self.json()
    }

    /// Fails unless the response is a valid problem document with this status and code. Returns the body.
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

    /// Fails unless the status is a success.
    #[track_caller]
    pub fn expect_ok(self) -> Reply {
        assert!(self.status.is_success(), "{self:#?}");
        self
    }

    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns the body as JSON; null if it is empty.
    #[track_caller]
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
