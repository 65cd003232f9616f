//! Sends a batch of spans in one request.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>
//!
//! The crate `opentelemetry-otlp` is not used for it: it reads settings from the environment itself,
//! which `config` has not checked, and keeps the credentials in plain text.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message as _;
use secrecy::ExposeSecret as _;
use url::Url;

use super::options::Endpoint;
use crate::telemetry::outgoing;

/// The pauses before a request is repeated.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// Why there is no sender.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The system lacks what an HTTP client needs.
    #[error("no HTTP client for traces")]
    Client(#[from] reqwest::Error),
    /// A header cannot be sent.
    #[error("a header for the receiver of traces is invalid")]
    Header(#[from] http::header::InvalidHeaderValue),
}

/// Sends spans to one receiver.
#[derive(Debug)]
pub(super) struct Sender {
    client: reqwest::Client,
    url: Url,
    resource: ResourceAttributesWithSchema,
}

/// Why a batch was not accepted.
struct Refusal {
    reason: String,
    may_repeat: bool,
}

impl Sender {
    /// Creates a sender of the spans of `resource`.
    pub(super) fn new(endpoint: &Endpoint, resource: &Resource) -> Result<Self, BuildError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &endpoint.headers {
            let mut value = HeaderValue::from_str(value.expose_secret())?;
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
        }
        Ok(Self {
            client: outgoing::client(headers)?,
            url: endpoint.url.clone(),
            resource: resource.into(),
        })
    }

    /// Sends a batch, and returns the number of spans that the receiver rejected.
    ///
    /// # Errors
    /// The reason why the receiver accepted nothing, without credentials.
    pub(super) async fn send(&self, batch: Vec<SpanData>) -> Result<u64, String> {
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let body = bytes::Bytes::from(ExportTraceServiceRequest { resource_spans }.encode_to_vec());
        let mut pauses = PAUSES.into_iter();
        loop {
            let refusal = match self.post(body.clone()).await {
                Ok(rejected) => return Ok(rejected),
                Err(refusal) => refusal,
            };
            match pauses.next().filter(|_| refusal.may_repeat) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(refusal.reason),
            }
        }
    }

    async fn post(&self, body: bytes::Bytes) -> Result<u64, Refusal> {
        let call = (self.client.post(self.url.clone()))
            .header(header::CONTENT_TYPE, "application/x-protobuf")
            .body(body);
        let answer = call.send().await.map_err(unanswered)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(Refusal {
                reason: format!("status {status}"),
                may_repeat: may_repeat(status),
            });
        }
        let answer = answer.bytes().await.map_err(unanswered)?;
        // Receivers that answer with something else have accepted the spans all the same.
        let answer = ExportTraceServiceResponse::decode(answer).unwrap_or_default();
        let rejected = answer.partial_success.map(|partly| partly.rejected_spans);
        Ok(rejected
            .and_then(|spans| u64::try_from(spans).ok())
            .unwrap_or_default())
    }
}

/// The statuses after which the same request may succeed.
const fn may_repeat(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502..=504)
}

fn unanswered(error: reqwest::Error) -> Refusal {
    // A request that took too long is not repeated: the queue fills up meanwhile.
    let may_repeat = !error.is_timeout();
    Refusal {
        reason: outgoing::describe(error),
        may_repeat,
    }
}
