//! The store, by pre-signed URLs. This client has no key: what it sends to the store is what the
//! URL's signature covers, and nothing of ours.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ETAG, IF_MATCH, RANGE};
use reqwest::{Body, RequestBuilder, Response};

use super::api::wire::SignedUrl;
use super::api::{CONNECT, USER_AGENT};
use super::error::{Error, Result};
use super::retry::cause;

/// How long the store may let a connection rest before its answer, or before the next bytes.
const SILENCE: Duration = Duration::from_secs(60);
/// The least that a connection must carry, in bytes a second, or it is tried anew.
const SLOWEST: u64 = 16 * 1024;
/// How much of an error document is read.
const LONGEST_ERROR: usize = 64 * 1024;

/// A client of the store.
#[derive(Clone, Debug)]
pub struct S3 {
    http: reqwest::Client,
}

impl S3 {
    /// A client without a key.
    ///
    /// # Errors
    /// A system without what TLS needs.
    pub fn new() -> Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT)
            // A peer that has gone without a word is noticed, however long a transfer may take.
            .tcp_keepalive(SILENCE)
            .tcp_user_timeout(SILENCE)
            // Many parts at once are many connections, as the store wants it.
            .http1_only()
            // A signature holds for one host: there is nothing to follow.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::Failed(format!("no HTTP client: {error}")))?;
        Ok(Self { http })
    }

    /// Sends bytes, with exactly the session's headers, once. Returns the ETag of what the store
    /// took, where it says one. `length` is sent as Content-Length, which is signed.
    ///
    /// # Errors
    /// [`Error::Store`] with the store's own code; [`Error::Unavailable`] where none came.
    pub async fn put(
        &self,
        url: &SignedUrl,
        headers: &BTreeMap<String, String>,
        length: u64,
        body: impl Into<Body>,
    ) -> Result<Option<String>> {
        let mut request = self.http.put(url.expose());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request = request.header("content-length", length);
        let bound = SILENCE + Duration::from_secs(length / SLOWEST);
        let response = within(bound, send(request.body(body))).await?;
        let etag = response.headers().get(ETAG);
        Ok(etag.and_then(|etag| etag.to_str().ok()).map(str::to_owned))
    }

    /// Asks for the bytes from `from` on of the object that has this ETag, once.
    ///
    /// # Errors
    /// As [`put`](Self::put); 412 where the object is another one meanwhile.
    pub async fn get(&self, url: &SignedUrl, etag: &str, from: u64) -> Result<Response> {
        let mut request = self.http.get(url.expose()).header(IF_MATCH, etag);
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        within(SILENCE, send(request)).await
    }
}

/// The next bytes of an answer; `None` at its end.
pub async fn chunk(response: &mut Response) -> Result<Option<Bytes>> {
    within(SILENCE, async { response.chunk().await.map_err(broken) }).await
}

async fn within<T>(bound: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(bound, work).await {
        Ok(result) => result,
        Err(_) => Err(Error::Unavailable {
            who: "the store",
            what: format!("does not answer within {} s", bound.as_secs()),
        }),
    }
}

/// A failure on the way to the store or back.
fn broken(error: reqwest::Error) -> Error {
    Error::Unavailable {
        who: "the store",
        what: format!("does not answer: {}", cause(error)),
    }
}

async fn send(request: RequestBuilder) -> Result<Response> {
    let response = request.send().await.map_err(broken)?;
    if response.status().is_success() {
        return Ok(response);
    }
    Err(refusal(response).await)
}

/// What S3 says in its error document: `<Error><Code>…</Code><Message>…</Message>…`.
async fn refusal(mut response: Response) -> Error {
    let status = response.status().as_u16();
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        text.extend_from_slice(&chunk);
        if text.len() > LONGEST_ERROR {
            break;
        }
    }
    let text = String::from_utf8_lossy(&text);
    let member = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once("</")?;
        Some(value.trim().to_owned())
    };
    Error::Store {
        status,
        code: member("Code").unwrap_or_default(),
        message: member("Message").unwrap_or_default(),
    }
}

/// Whether the URL was refused and not what was asked for: a fresh one may do.
pub fn is_stale(error: &Error) -> bool {
    let Error::Store { status, code, .. } = error else {
        return false;
    };
    match status {
        400 | 401 | 403 => matches!(
            code.as_str(),
            "AccessDenied"
                | "ExpiredToken"
                | "RequestExpired"
                | "SignatureDoesNotMatch"
                | "InvalidToken"
                | "RequestTimeTooSkewed"
                | "InvalidAccessKeyId"
                | ""
        ),
        // Of parts: their upload ended, or was begun anew.
        404 => code == "NoSuchUpload",
        _ => false,
    }
}

/// Whether the same may work a little later.
pub fn may_pass(error: &Error) -> bool {
    match error {
        Error::Unavailable { .. } => true,
        Error::Store { status, code, .. } => {
            matches!(status, 408 | 429 | 500..)
                || matches!(
                    code.as_str(),
                    "RequestTimeout" | "ConditionalRequestConflict" | "OperationAborted"
                )
        }
        _ => false,
    }
}

/// Whether the store got other bytes than those that were signed.
pub fn is_damaged(error: &Error) -> bool {
    matches!(error, Error::Store { code, .. }
        if matches!(code.as_str(),
            "BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch" | "IncompleteBody"))
}

/// Whether something stands at the key already: perhaps what an earlier try wrote, whose answer
/// was lost.
pub fn is_there_already(error: &Error) -> bool {
    matches!(error, Error::Store { status: 412, .. })
}

/// Whether it was the store itself that said no.
pub fn has_answered(error: &Error) -> bool {
    matches!(error, Error::Store { .. })
}
