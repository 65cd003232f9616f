//! Plain HTTP requests to the store, as clients with a pre-signed URL send them: without
//! credentials, without the SDK, without retries.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Certificate, Client, Method, RequestBuilder};

use super::error::ProbeError;
use crate::clock::Clock;
use crate::objects::trust::CaBundle;

/// How many bytes of an error document are read.
const MAX_DOCUMENT: usize = 64 * 1024;

/// An HTTP client without credentials.
#[derive(Clone, Debug)]
pub struct PlainHttp {
    http: Client,
}

/// The answer of the store.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The error code of S3; empty if there is none.
    pub code: String,
    headers: HeaderMap,
}

/// The clock of the store compared with that of the broker.
#[derive(Clone, Copy, Debug)]
pub struct ClockComparison {
    /// The time of the store, in whole seconds.
    pub store: DateTime<Utc>,
    /// The time of the broker in the middle of the request.
    pub local: DateTime<Utc>,
}

impl PlainHttp {
    /// Creates a client with a timeout for each request. It trusts the authorities of `bundle` in
    /// addition to those of the system.
    ///
    /// # Errors
    /// TLS cannot be initialized on this system.
    pub fn new(timeout: Duration, bundle: Option<&CaBundle>) -> Result<Self, ProbeError> {
        let mut builder = Client::builder()
            .timeout(timeout)
            // A signature is valid for one host, so redirects are not followed.
            .redirect(reqwest::redirect::Policy::none());
        if let Some(bundle) = bundle {
            let more = Certificate::from_pem_bundle(bundle.pem()).map_err(http_error)?;
            builder = builder.tls_certs_merge(more);
        }
        let http = builder.build().map_err(http_error)?;
        Ok(Self { http })
    }

    /// Sends a PUT of `body` to a URL, with these headers.
    pub(super) async fn put(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> Result<Answer, ProbeError> {
        let mut request = self.http.put(url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request).await
    }

    /// Sends the CORS preflight request of a browser for a page of `origin`.
    pub(super) async fn preflight(
        &self,
        url: &str,
        origin: &str,
        method: &str,
        headers: &[&str],
    ) -> Result<Answer, ProbeError> {
        let request = (self.http.request(Method::OPTIONS, url))
            .header("origin", origin)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", headers.join(","));
        answer(request).await
    }

    /// Compares the clock of the store at `url` with `clock`. Returns `None` if the answer has no
    /// date. This needs no rights, because a refusal has a date too.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn clock(
        &self,
        url: &str,
        clock: &Clock,
    ) -> Result<Option<ClockComparison>, ProbeError> {
        let before = clock.now();
        let answer = answer(self.http.head(url)).await?;
        let local = before + (clock.now() - before) / 2;
        let date = answer.header("date").map(DateTime::parse_from_rfc2822);
        let store = date.and_then(Result::ok).map(|date| date.to_utc());
        Ok(store.map(|store| ClockComparison { store, local }))
    }
}

impl Answer {
    /// Whether the request succeeded.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether a header with a list contains `word`, or `*`, which stands for everything.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        let Ok(name) = HeaderName::try_from(name) else {
            return false;
        };
        let values = self.headers.get_all(name).into_iter();
        let mut words = (values.filter_map(|value| value.to_str().ok()))
            .flat_map(|value| value.split(','))
            .map(str::trim);
        words.any(|listed| listed == "*" || listed.eq_ignore_ascii_case(word))
    }

    /// Describes the answer: `403 AccessDenied`.
    pub fn summary(&self) -> String {
        format!("{} {}", self.status, self.code)
            .trim_end()
            .to_owned()
    }
}

async fn answer(request: RequestBuilder) -> Result<Answer, ProbeError> {
    let mut response = request.send().await.map_err(http_error)?;
    let mut answer = Answer {
        status: response.status().as_u16(),
        headers: std::mem::take(response.headers_mut()),
        code: String::new(),
    };
    if !answer.is_success() {
        let mut text = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            text.extend_from_slice(&chunk);
            if text.len() > MAX_DOCUMENT {
                break;
            }
        }
        answer.code = code(&String::from_utf8_lossy(&text)).unwrap_or_default();
    }
    Ok(answer)
}

/// Reads the code from an error document of S3: `<Error><Code>…</Code>…`.
fn code(document: &str) -> Option<String> {
    let (_, rest) = document.split_once("<Code>")?;
    let (code, _) = rest.split_once("</")?;
    Some(code.trim().chars().take(100).collect())
}

/// Converts an error, without the URL, which is a credential.
fn http_error(error: reqwest::Error) -> ProbeError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    ProbeError::Http(text)
}
