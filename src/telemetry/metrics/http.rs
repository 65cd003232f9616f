//! Metrics of HTTP requests.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry, Result};

use super::register::{CALL_SECONDS, counter, counters, histograms, int_gauge};

/// HTTP requests.
#[derive(Debug)]
pub struct Http {
    seconds: HistogramVec,
    in_flight: IntGauge,
    refusals: IntCounterVec,
    shed: IntCounter,
    limited: IntCounterVec,
}

impl Http {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            seconds: histograms(
                registry,
                "http_request_duration_seconds",
                "Time from the head of a request to the head of its response.",
                &["method", "route", "status"],
                CALL_SECONDS,
            )?,
            in_flight: int_gauge(registry, "http_requests_in_flight", "Requests in flight.")?,
            refusals: counters(
                registry,
                "auth_refusals_total",
                "Requests that were rejected for a missing credential or scope, by reason.",
                &["reason"],
            )?,
            shed: counter(
                registry,
                "http_requests_shed_total",
                "Requests that were rejected because too many were in flight.",
            )?,
            limited: counters(
                registry,
                "http_requests_rate_limited_total",
                "Requests that were rejected because of a rate limit, by limit.",
                &["limit"],
            )?,
        })
    }

    /// Counts a request as in flight until the guard is dropped.
    pub fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Records a request with a response. `route` is the pattern (`/uploads/{id}`), never the path;
    /// `None` if no route matched. The status is recorded as its class.
    pub fn answered(&self, method: &str, route: Option<&str>, status: u16, took: Duration) {
        let labels = [
            method_label(method),
            route.unwrap_or("unmatched"),
            class(status),
        ];
        let seconds = self.seconds.with_label_values(&labels);
        seconds.observe(took.as_secs_f64());
    }

    /// Counts a request that was rejected because too many were in flight.
    pub fn shed(&self) {
        self.shed.inc();
    }

    /// Counts a request that was rejected because of a rate limit.
    pub fn limited(&self, limit: &'static str) {
        self.limited.with_label_values(&[limit]).inc();
    }

    /// Counts a request that was rejected for a missing credential or scope.
    pub fn refused(&self, reason: &'static str) {
        self.refusals.with_label_values(&[reason]).inc();
    }
}

/// A request in flight, until the guard is dropped, also by a panic or a lost connection.
#[derive(Debug)]
#[must_use = "dropping it ends the request"]
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The label of a method. A client can send any word as a method, so unknown ones share a label.
fn method_label(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let known = KNOWN.into_iter().find(|known| *known == method);
    known.unwrap_or("other")
}

fn class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
