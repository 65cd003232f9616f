//! One request to the broker, with its repetitions.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Api;
use super::problem::Problem;
use crate::client::error::{Error, Result};
use crate::client::retry::{asked, cause};

/// How long one try may take. The broker's own bound is 30 seconds by default.
const USUAL: Duration = Duration::from_secs(60);
/// The same where the broker waits for the store to join thousands of parts.
pub const LONG: Duration = Duration::from_secs(300);
const REQUEST_ID: &str = "x-request-id";

/// A request that may be repeated.
#[derive(Debug)]
pub struct Call {
    method: Method,
    /// Path and query.
    target: String,
    body: Option<Vec<u8>>,
    idempotency_key: Option<String>,
    timeout: Duration,
}

impl Call {
    /// Without a body.
    pub fn new(method: Method, target: impl Into<String>) -> Self {
        Self {
            method,
            target: target.into(),
            body: None,
            idempotency_key: None,
            timeout: USUAL,
        }
    }

    /// GET.
    pub fn get(target: impl Into<String>) -> Self {
        Self::new(Method::GET, target)
    }

    /// POST.
    pub fn post(target: impl Into<String>) -> Self {
        Self::new(Method::POST, target)
    }

    /// With a JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(body)
            .map_err(|error| Error::Failed(format!("cannot write the request: {error}")))?;
        self.body = Some(bytes);
        Ok(self)
    }

    /// With an `Idempotency-Key`.
    pub fn once(mut self, key: &str) -> Self {
        self.idempotency_key = Some(key.to_owned());
        self
    }

    /// With another bound than the usual one.
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// What became of one try.
enum Try {
    Answer(Response),
    Again(Error, Option<Duration>),
    Over(Error),
}

impl Api {
    /// Sends it until there is an answer, or patience ends.
    ///
    /// # Errors
    /// [`Error::Refused`] with the broker's problem, [`Error::Unavailable`] after the last try.
    pub(super) async fn send(&self, call: &Call) -> Result<Response> {
        self.until(call, async |response| Ok(response)).await
    }

    /// The same, with the answer read as JSON. One that breaks off is asked for again.
    pub(super) async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        self.until(call, read).await
    }

    async fn until<T>(&self, call: &Call, take: impl AsyncFn(Response) -> Result<T>) -> Result<T> {
        let mut failures = 0;
        loop {
            let (error, asked) = match self.attempt(call, failures > 0).await {
                Try::Answer(response) => match take(response).await {
                    Err(error @ Error::Unavailable { .. }) => (error, None),
                    taken => return taken,
                },
                Try::Over(error) => return Err(error),
                Try::Again(error, asked) => (error, asked),
            };
            failures += 1;
            match self.patience.rest(failures, asked) {
                Some(rest) => tokio::time::sleep(rest).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt(&self, call: &Call, repeated: bool) -> Try {
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
                return Try::Over(Error::Failed(cause(error)));
            }
            Err(error) => {
                let error = self.silent(&cause(error));
                return Try::Again(error, None);
            }
        };
        self.patience.answered();
        let status = response.status();
        if status.is_success() {
            return Try::Answer(response);
        }
        let wait = asked(response.headers());
        let error = refusal(response, repeated).await;
        let may_pass = status.is_server_error()
            || status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::REQUEST_TIMEOUT;
        if may_pass {
            Try::Again(error, wait)
        } else {
            Try::Over(error)
        }
    }

    fn silent(&self, cause: &str) -> Error {
        Error::Unavailable {
            who: "the broker",
            what: format!("at {} does not answer: {cause}", self.url),
        }
    }
}

/// An answer's JSON.
pub async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    let id = request_id(&response);
    let bytes = response.bytes().await.map_err(|error| Error::Unavailable {
        who: "the broker",
        what: format!("broke its answer off: {}", cause(error)),
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        // The answer may hold URLs that are credentials: only the place of the fault is told.
        Error::Strange(format!(
            "the answer is not what an upload-broker answers ({error}){}",
            in_words(id.as_deref())
        ))
    })
}

async fn refusal(response: Response, repeated: bool) -> Error {
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
    let id = in_words(id.as_deref());
    if status.is_server_error() {
        // A proxy in front, for example.
        let what = format!("answers {status}{id}");
        return Error::Unavailable {
            who: "the broker",
            what,
        };
    }
    Error::Strange(format!(
        "the answer is {status}, and no problem document{id}"
    ))
}

fn request_id(response: &Response) -> Option<String> {
    let value = response.headers().get(REQUEST_ID)?.to_str().ok()?;
    Some(value.to_owned())
}

fn in_words(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| format!(" (request {id})"))
}
