//! Sends the due events of one endpoint, several at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures::StreamExt as _;
use futures::stream;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::answer::Outcome;
use super::client::{Client, Request};
use super::signature::sign;
use crate::clock::Clock;
use crate::notify::envelope::Envelope;
use crate::notify::event_span::event_span;
use crate::store::webhooks::{DueDelivery, Secrets};
use crate::telemetry::trace::{SpanKind, Tracer};

/// The number of concurrent calls to one endpoint. The events of a round belong to different uploads,
/// so they may arrive in any order.
const CONCURRENT_CALLS: usize = 4;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
/// The trace context (W3C Trace Context). It is not signed.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Where the events of a round are sent, and what ends the round early.
pub(super) struct Round<'a> {
    pub(super) client: &'a Client,
    pub(super) clock: &'a Clock,
    /// Starts the spans of events.
    pub(super) tracer: Option<&'a Tracer>,
    /// `None` if what is stored is no URL.
    pub(super) url: Option<&'a Url>,
    pub(super) secrets: &'a Secrets,
    /// After this time no call is started.
    pub(super) end: Instant,
    /// Cancelled when the lease of the endpoint is lost.
    pub(super) lease_lost: &'a CancellationToken,
    /// Cancelled when the process stops.
    pub(super) stop: &'a CancellationToken,
}

/// An event of a round, and what became of it.
pub(super) struct Sent<'a> {
    pub(super) delivery: &'a DueDelivery,
    pub(super) outcome: Outcome,
}

/// What the calls of a round found out about the endpoint.
#[derive(Default)]
struct Findings {
    accepts: AtomicBool,
    fails: AtomicBool,
    wants_no_more: AtomicBool,
}

impl Findings {
    fn add(&self, outcome: &Outcome) {
        let found = match outcome {
            Outcome::Delivered => &self.accepts,
            Outcome::Gone => &self.wants_no_more,
            outcome if outcome.retry_after().is_some() => &self.wants_no_more,
            _ => &self.fails,
        };
        found.store(true, Ordering::Relaxed);
    }

    /// Whether it makes sense to start another call. An endpoint that has failed and accepted nothing
    /// may be down.
    fn permit_call(&self) -> bool {
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        !is(&self.wants_no_more) && (is(&self.accepts) || !is(&self.fails))
    }
}

impl Round<'_> {
    /// Sends events of different uploads, and returns the outcome of each, those first that ended first.
    /// Calls that have started are finished in any case.
    pub(super) async fn send_all<'d>(&self, due: &'d [DueDelivery]) -> Vec<Sent<'d>> {
        let findings = Findings::default();
        // A loop instead of an iterator with a closure, with which the compiler cannot infer that the
        // whole future is `Send`.
        let mut calls = Vec::new();
        for delivery in due {
            calls.push(self.attempt(delivery, &findings));
        }
        stream::iter(calls)
            // A slow answer takes one of the places, and no more.
            .buffer_unordered(CONCURRENT_CALLS)
            .collect()
            .await
    }

    async fn attempt<'d>(&self, delivery: &'d DueDelivery, findings: &Findings) -> Sent<'d> {
        let outcome = if self.is_over() || !findings.permit_call() {
            Outcome::NotAttempted
        } else {
            let mut span = event_span(self.tracer, "deliver", SpanKind::Client, &delivery.event);
            let traceparent = span.traceparent();
            let traceparent = traceparent.or_else(|| delivery.event.traceparent.clone());
            let outcome = self.send(delivery, traceparent).await;
            if let Some(label) = outcome.label().filter(|_| outcome != Outcome::Delivered) {
                span.fail(label);
            }
            findings.add(&outcome);
            outcome
        };
        Sent { delivery, outcome }
    }

    fn is_over(&self) -> bool {
        let is_late = Instant::now() >= self.end;
        is_late || self.stop.is_cancelled() || self.lease_lost.is_cancelled()
    }

    async fn send(&self, delivery: &DueDelivery, traceparent: Option<String>) -> Outcome {
        let Some(url) = self.url else {
            return Outcome::Unreachable("its URL is invalid".to_owned());
        };
        let (now, id) = (self.clock.now(), delivery.event.id);
        let body = match serde_json::to_string(&Envelope::of(&delivery.event)) {
            Ok(body) => body,
            Err(cause) => return Outcome::Unreachable(cause.to_string()),
        };
        let timestamp = now.timestamp();
        let signature = sign(self.secrets.at(now), id, timestamp, &body);
        let mut headers = HeaderMap::new();
        let of_webhook = [
            (ID, id.to_string()),
            (TIMESTAMP, timestamp.to_string()),
            (SIGNATURE, signature),
        ];
        let of_trace = traceparent.map(|value| (TRACEPARENT, value));
        for (name, value) in of_webhook.into_iter().chain(of_trace) {
            match HeaderValue::try_from(value) {
                Ok(mut value) => {
                    value.set_sensitive(name == SIGNATURE);
                    headers.insert(name, value);
                }
                Err(cause) => return Outcome::Unreachable(cause.to_string()),
            }
        }
        let request = Request { url, headers, body };
        self.client.send(request, now).await
    }
}
