//! The HTTP client for the URLs of endpoints.
//!
//! It follows no redirect, uses no proxy, and connects to public addresses only, unless the settings
//! allow others. An answer has to arrive within a time limit.

use std::error::Error as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::redirect;
use url::Url;

use super::answer::{Outcome, drain, outcome_of};
use super::resolver::{PrivateAddress, Resolver};
use crate::domain::public_address::has_private_address;

/// The longest time from the start of a call to the head of its answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest time for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest number of characters of a reason.
const MAX_REASON_CHARS: usize = 300;
/// The media type of a CloudEvent in JSON.
const CLOUD_EVENT: &str = "application/cloudevents+json";

/// Sends events to endpoints.
pub struct Client {
    http: reqwest::Client,
    allow_private: bool,
}

/// A request that is ready to be sent.
pub(super) struct Request<'a> {
    /// The URL of the endpoint.
    pub(super) url: &'a Url,
    /// The headers of Standard Webhooks.
    pub(super) headers: HeaderMap,
    /// The event in JSON.
    pub(super) body: String,
}

impl Client {
    /// Creates the client. With `allow_private`, it connects to all addresses, also without TLS.
    ///
    /// # Errors
    /// The system lacks what an HTTP client needs.
    pub fn new(allow_private: bool) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("upload-broker/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(redirect::Policy::none())
            .referer(false)
            // A proxy would connect to any address.
            .no_proxy()
            .https_only(!allow_private)
            .dns_resolver(Resolver::new(allow_private))
            .build()?;
        Ok(Self {
            http,
            allow_private,
        })
    }

    /// Sends a request once. `now` is the current time.
    pub(super) async fn send(&self, request: Request<'_>, now: DateTime<Utc>) -> Outcome {
        // An address in the URL is not resolved.
        if !self.allow_private && has_private_address(request.url) {
            return Outcome::PrivateAddress;
        }
        let call = (self.http.post(request.url.clone()))
            .headers(request.headers)
            .header(CONTENT_TYPE, CLOUD_EVENT)
            .body(request.body);
        match call.send().await {
            Ok(answer) => {
                let outcome = outcome_of(answer.status(), answer.headers(), now);
                drain(answer).await;
                outcome
            }
            Err(error) => outcome_of_error(error),
        }
    }
}

fn outcome_of_error(error: reqwest::Error) -> Outcome {
    if error.is_timeout() && !error.is_connect() {
        let seconds = TIMEOUT.as_secs();
        return Outcome::Unreachable(format!("no answer within {seconds} s"));
    }
    // The URL may contain a secret.
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        if cause.is::<PrivateAddress>() {
            return Outcome::PrivateAddress;
        }
        reason.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    Outcome::Unreachable(reason.chars().take(MAX_REASON_CHARS).collect())
}
