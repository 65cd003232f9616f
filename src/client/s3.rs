//! Requests to the store by pre-signed URLs. This client never has the key; it sends exactly what
//! the signature of the URL covers.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ETAG, IF_MATCH, RANGE};
use reqwest::{Body, RequestBuilder, Response};

use super::api::wire::SignedUrl;
use super::api::{CONNECT, USER_AGENT};
use super::error::{Error, Result};
use super::retry::describe;

/// The timeout for the response headers, and for each further chunk of the body.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// The lowest accepted transfer rate in bytes per second. A slower upload is aborted and retried.
const MIN_BYTES_PER_SECOND: u64 = 16 * 1024;
/// How many bytes of an error document are read.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// A client of the store.
#[derive(Clone, Debug)]
pub struct S3 {
    http: reqwest::Client,
}

impl S3 {
    /// Creates a client.
    ///
    /// # Errors
    /// Fails if the system lacks what TLS needs.
    pub fn new() -> Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT)
            // Detects a peer that disappeared silently, however long a transfer may take.
            .tcp_keepalive(IDLE_TIMEOUT)
            .tcp_user_timeout(IDLE_TIMEOUT)
            // Stores expect parallel parts on separate connections.
            .http1_only()
            // A signature is valid for one host only, so a redirect can never succeed.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::Failed(format!("cannot create an HTTP client: {error}")))?;
        Ok(Self { http })
    }

    /// Sends one PUT with exactly the headers of the session, without retries. Returns the ETag, if
    /// the store sends one. `length` is sent as Content-Length, which is part of the signature.
    ///
    /// # Errors
    /// [`Error::Store`] with the error code of the store; [`Error::Unavailable`] without a
    /// response.
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
        let timeout = IDLE_TIMEOUT + Duration::from_secs(length / MIN_BYTES_PER_SECOND);
        let response = with_timeout(timeout, send(request.body(body))).await?;
        let etag = response.headers().get(ETAG);
        Ok(etag.and_then(|etag| etag.to_str().ok()).map(str::to_owned))
    }

    /// Sends one GET for the bytes from offset `from` of the object with this ETag, without
    /// retries.
    ///
    /// # Errors
    /// As [`put`](Self::put); the status is 412 if the object has been replaced.
    pub async fn get(&self, url: &SignedUrl, etag: &str, from: u64) -> Result<Response> {
        let mut request = self.http.get(url.expose()).header(IF_MATCH, etag);
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        with_timeout(IDLE_TIMEOUT, send(request)).await
    }
}

/// Reads the next bytes of a response; `None` at its end.
pub async fn chunk(response: &mut Response) -> Result<Option<Bytes>> {
    with_timeout(IDLE_TIMEOUT, async {
        response.chunk().await.map_err(transport_error)
    })
    .await
}

async fn with_timeout<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(Error::Unavailable {
            service: "the store",
            what: format!("did not respond within {} s", limit.as_secs()),
        }),
    }
}

/// The error for a failure on the connection to the store.
fn transport_error(error: reqwest::Error) -> Error {
    Error::Unavailable {
        service: "the store",
        what: format!("does not respond: {}", describe(error)),
    }
}

async fn send(request: RequestBuilder) -> Result<Response> {
    let response = request.send().await.map_err(transport_error)?;
    if response.status().is_success() {
        return Ok(response);
    }
    Err(response_error(response).await)
}

/// Parses the error document of S3: `<Error><Code>…</Code><Message>…</Message>…`.
async fn response_error(mut response: Response) -> Error {
    let status = response.status().as_u16();
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        text.extend_from_slice(&chunk);
        if text.len() > MAX_ERROR_BYTES {
            break;
        }
    }
    let text = String::from_utf8_lossy(&text);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once("</")?;
        Some(value.trim().to_owned())
    };
    Error::Store {
        status,
        code: element("Code").unwrap_or_default(),
        message: element("Message").unwrap_or_default(),
    }
}

/// Whether the store rejected the URL, so that a fresh URL may succeed.
pub fn is_url_rejected(error: &Error) -> bool {
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
        // The multipart upload has ended, or was replaced by another one.
        404 => code == "NoSuchUpload",
        _ => false,
    }
}

/// Whether the same request may succeed a little later.
pub fn is_transient(error: &Error) -> bool {
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

/// Whether the store received different bytes than were signed.
pub fn is_damaged(error: &Error) -> bool {
    matches!(error, Error::Store { code, .. }
        if matches!(code.as_str(),
            "BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch" | "IncompleteBody"))
}

/// Whether there is an object at the key already. An earlier attempt whose response was lost may
/// have written it.
pub fn is_existing_object(error: &Error) -> bool {
    matches!(error, Error::Store { status: 412, .. })
}

/// Whether the store itself responded.
pub fn has_answered(error: &Error) -> bool {
    matches!(error, Error::Store { .. })
}
