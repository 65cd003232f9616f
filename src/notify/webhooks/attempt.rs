//! Sends the due events of one endpoint, several at a time.

use std::sync::atomic::{AtomicBool, Ordering};

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
use crate::store::webhooks::{DueDelivery, Secrets};

/// The number of concurrent calls to one endpoint. The events of a round belong to different uploads,
/// so they may arrive in any order.
const CONCURRENT_CALLS: usize = 4;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Where the events of a round are sent, and what ends the round early.
pub(super) struct Round<'a> {
    pub(super) client: &'a Client,
    pub(super) clock: &'a Clock,
    pub(super) url: &'a Url,
    pub(super) secrets: &'a Secrets,
    /// Cancelled when the lease of the endpoint is lost.
    pub(super) lease_lost: &'a CancellationToken,
    /// Cancelled when the process stops.
    pub(super) stop: &'a CancellationToken,
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
    /// Sends events of different uploads, and returns the outcome of each in their order. Calls that
    /// have started are finished in any case.
    pub(super) async fn send_all(&self, due: &[DueDelivery]) -> Vec<Outcome> {
        let findings = Findings::default();
        // A loop instead of an iterator with a closure, with which the compiler cannot infer that the
        // whole future is `Send`.
        let mut calls = Vec::new();
        for delivery in due {
            calls.push(self.attempt(delivery, &findings));
        }
        stream::iter(calls)
            .buffered(CONCURRENT_CALLS)
            .collect()
            .await
    }

    async fn attempt(&self, delivery: &DueDelivery, findings: &Findings) -> Outcome {
        if self.is_over() || !findings.permit_call() {
            return Outcome::NotAttempted;
        }
        let outcome = self.send(delivery).await;
        findings.add(&outcome);
        outcome
    }

    fn is_over(&self) -> bool {
        self.stop.is_cancelled() || self.lease_lost.is_cancelled()
    }

    async fn send(&self, delivery: &DueDelivery) -> Outcome {
        let (now, id) = (self.clock.now(), delivery.event.id);
        let body = match serde_json::to_string(&Envelope::of(&delivery.event)) {
            Ok(body) => body,
            Err(cause) => return Outcome::Unreachable(cause.to_string()),
        };
        let timestamp = now.timestamp();
        let signature = sign(self.secrets.at(now), id, timestamp, &body);
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (ID, id.to_string()),
            (TIMESTAMP, timestamp.to_string()),
            (SIGNATURE, signature),
        ] {
            match HeaderValue::try_from(value) {
                Ok(mut value) => {
                    value.set_sensitive(name == SIGNATURE);
                    headers.insert(name, value);
                }
                Err(cause) => return Outcome::Unreachable(cause.to_string()),
            }
        }
        let request = Request {
            url: self.url,
            headers,
            body,
        };
        self.client.send(request, now).await
    }
}
