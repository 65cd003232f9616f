//! Sends one request to the broker, with retries.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::client::Api;
use super::problem::Problem;
use crate::client::error::{Error, Result};
use crate::client::retry::{describe, retry_after};

/// The timeout of one attempt. The broker's own request timeout is 30 seconds by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// The timeout of one attempt where the broker waits for the store to assemble thousands of parts.
pub const LONG_TIMEOUT: Duration = Duration::from_secs(300);
const REQUEST_ID: &str = "x-request-id";

/// A request that can be repeated safely.
#[derive(Debug)]
pub struct Call {
    method: Method,
    /// Path and query string.
    target: String,
    body: Option<Vec<u8>>,
    idempotency_key: Option<String>,
    timeout: Duration,
}

impl Call {
    /// A request without a body.
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        Self {
            method,
            target: target.into(),
            body: None,
            idempotency_key: None,
            timeout: DEFAULT_TIMEOUT,
        }
    }

    /// A GET request.
    pub fn get(target: impl Into<String>) -> Self {
        Self::new(Method::GET, target)
    }

    /// A POST request.
    pub fn post(target: impl Into<String>) -> Self {
        Self::new(Method::POST, target)
    }

    /// Adds a JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(body)
            .map_err(|error| Error::Failed(format!("cannot serialize the request: {error}")))?;
        self.body = Some(bytes);
        Ok(self)
    }

    /// Adds an `Idempotency-Key` header.
    pub fn idempotency_key(mut self, key: &str) -> Self {
        self.idempotency_key = Some(key.to_owned());
        self
    }

    /// Replaces the default timeout of one attempt.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// The outcome of one attempt.
enum Attempt {
    Response(Response),
    Retry(Error, Option<Duration>),
    Failed(Error),
}

impl Api {
    /// Sends the request, and repeats it until there is a final response or the retry limit is
    /// reached.
    ///
    /// # Errors
    /// [`Error::Refused`] with the problem document of the broker, or [`Error::Unavailable`] after
    /// the last attempt.
    pub(super) async fn send(&self, call: &Call) -> Result<Response> {
        self.send_with_retries(call, async |response| Ok(response))
            .await
    }

    /// The same, with the response body read as JSON. A response that is cut off is requested
    /// again.
    pub(super) async fn send_json<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        self.send_with_retries(call, read).await
    }

    async fn send_with_retries<T>(
        &self,
        call: &Call,
        read_response: impl AsyncFn(Response) -> Result<T>,
    ) -> Result<T> {
        let mut failures = 0;
        loop {
            let (error, wait) = match self.attempt(call, failures > 0).await {
                Attempt::Response(response) => match read_response(response).await {
                    Err(error @ Error::Unavailable { .. }) => (error, None),
                    result => return result,
                },
                Attempt::Failed(error) => return Err(error),
                Attempt::Retry(error, wait) => (error, wait),
            };
            failures += 1;
            match self.retry_limits.next_delay(failures, wait) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt(&self, call: &Call, repeated: bool) -> Attempt {
        let url = format!("{}{}", self.url, call.target);
        let mut request = self.http.request(call.method.clone(), url);
        request = request.timeout(call.timeout);
        if let Some(key) = &call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json");
            request = request.body(body.clone());
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_builder() => {
                return Attempt::Failed(Error::Failed(describe(error)));
            }
            Err(error) => {
                let error = self.no_response(&describe(error));
                return Attempt::Retry(error, None);
            }
        };
        self.retry_limits.record_response();
        let status = response.status();
        if status.is_success() {
            return Attempt::Response(response);
        }
        let wait = retry_after(response.headers());
        let error = response_error(response, repeated).await;
        let is_transient = status.is_server_error()
            || status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::REQUEST_TIMEOUT;
        if is_transient {
            Attempt::Retry(error, wait)
        } else {
            Attempt::Failed(error)
        }
    }

    fn no_response(&self, cause: &str) -> Error {
        Error::Unavailable {
            service: "the broker",
            what: format!("at {} does not respond: {cause}", self.url),
        }
    }
}

/// Reads the body of a response as JSON.
pub async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    let id = request_id(&response);
    let bytes = response.bytes().await.map_err(|error| Error::Unavailable {
        service: "the broker",
        what: format!("did not send the whole response: {}", describe(error)),
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        // The body may contain URLs that are credentials, so only the position of the error is
        // shown.
        Error::UnexpectedResponse(format!(
            "the response is not one of an upload-broker ({error}){}",
            request_id_suffix(id.as_deref())
        ))
    })
}

async fn response_error(response: Response, repeated: bool) -> Error {
    let (status, id) = (response.status(), request_id(&response));
    let body = response.bytes().await.unwrap_or_default();
    if let Ok(problem) = serde_json::from_slice::<Problem>(&body) {
        let status = status.as_u16();
        return Error::Refused(Box::new(Problem {
            status,
            repeated,
            ..problem
        }));
    }
    let id = request_id_suffix(id.as_deref());
    if status.is_server_error() {
        // For example a proxy in front of the broker.
        let what = format!("answered {status}{id}");
        return Error::Unavailable {
            service: "the broker",
            what,
        };
    }
    Error::UnexpectedResponse(format!(
        "the response has status {status}, but no problem document{id}"
    ))
}

fn request_id(response: &Response) -> Option<String> {
    let value = response.headers().get(REQUEST_ID)?.to_str().ok()?;
    Some(value.to_owned())
}

fn request_id_suffix(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| format!(" (request {id})"))
}
