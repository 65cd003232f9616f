//! Plain HTTP to the store, as clients with a URL speak it: no key, no SDK, no second try.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Certificate, Client, Method, RequestBuilder};

use super::ProbeError;
use crate::clock::Clock;
use crate::objects::trust::CaBundle;

/// How much of an error document is read.
const LONGEST: usize = 64 * 1024;

/// An HTTP client without a key.
#[derive(Clone, Debug)]
pub struct PlainHttp {
    http: Client,
}

/// What the store answered.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// S3's own word for an error; empty where there is none.
    pub code: String,
    headers: HeaderMap,
}

/// The store's clock.
#[derive(Clone, Copy, Debug)]
pub struct ClockComparison {
    /// What it showed, in whole seconds.
    pub store: DateTime<Utc>,
    /// What ours showed in the middle of the request.
    pub local: DateTime<Utc>,
}

impl PlainHttp {
    /// A client that gives up on a request after `patience`, and believes the authorities of
    /// `bundle` beside the system's.
    ///
    /// # Errors
    /// A system without what TLS needs.
    pub fn new(patience: Duration, bundle: Option<&CaBundle>) -> Result<Self, ProbeError> {
        let mut builder = Client::builder()
            .timeout(patience)
            // A signature holds for one host: there is nothing to follow.
            .redirect(reqwest::redirect::Policy::none());
        if let Some(bundle) = bundle {
            let more = Certificate::from_pem_bundle(bundle.pem()).map_err(silence)?;
            builder = builder.tls_certs_merge(more);
        }
        let http = builder.build().map_err(silence)?;
        Ok(Self { http })
    }

    /// PUT of `body` to a URL, with these headers.
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

    /// Asks as a browser does before a page's request: may a page of `origin` do that?
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

    /// Asks for the time at `url`. Needs no rights: a refusal has a date as well.
    ///
    /// # Errors
    /// No answer. `None` for one without a date.
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
    /// Whether the store did what was asked.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether a header that is a list has this word, or the `*` that stands for all.
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

    /// For people: `403 AccessDenied`.
    pub fn summary(&self) -> String {
        format!("{} {}", self.status, self.code)
            .trim_end()
            .to_owned()
    }
}

async fn answer(request: RequestBuilder) -> Result<Answer, ProbeError> {
    let mut response = request.send().await.map_err(silence)?;
    let mut answer = Answer {
        status: response.status().as_u16(),
        headers: std::mem::take(response.headers_mut()),
        code: String::new(),
    };
    if !answer.is_success() {
        let mut text = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            text.extend_from_slice(&chunk);
            if text.len() > LONGEST {
                break;
            }
        }
        answer.code = code(&String::from_utf8_lossy(&text)).unwrap_or_default();
    }
    Ok(answer)
}

/// The code in S3's error document: `<Error><Code>…</Code>…`.
fn code(document: &str) -> Option<String> {
    let (_, rest) = document.split_once("<Code>")?;
    let (code, _) = rest.split_once("</")?;
    Some(code.trim().chars().take(100).collect())
}

/// Why there is no answer. The URL is a credential and must not be in it.
fn silence(error: reqwest::Error) -> ProbeError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    ProbeError::PlainHttp(text)
}
