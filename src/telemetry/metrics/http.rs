//! Requests and refusals.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry, Result};

use super::register::{CALL_SECONDS, counter, counters, histograms, int_gauge};

/// Requests and refusals.
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
                "Time from a request's head to its response's head.",
                &["method", "route", "status"],
                CALL_SECONDS,
            )?,
            in_flight: int_gauge(
                registry,
                "http_requests_in_flight",
                "Requests that are being answered.",
            )?,
            refusals: counters(
                registry,
                "auth_refusals_total",
                "Requests refused by authentication or for want of a scope, by reason.",
                &["reason"],
            )?,
            shed: counter(
                registry,
                "http_requests_shed_total",
                "Requests turned away because too many were under way.",
            )?,
            limited: counters(
                registry,
                "http_requests_rate_limited_total",
                "Requests turned away because their caller makes too many, by limit.",
                &["limit"],
            )?,
        })
    }

    /// Counts a request as in flight until the guard is dropped.
    pub fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Records an answered request. `route` is the pattern (`/uploads/{id}`), never the path; none
    /// where no route matched. The status is kept as its class.
    pub fn answered(&self, method: &str, route: Option<&str>, status: u16, took: Duration) {
        let labels = [
            method_label(method),
            route.unwrap_or("unmatched"),
            class(status),
        ];
        let seconds = self.seconds.with_label_values(&labels);
        seconds.observe(took.as_secs_f64());
    }

    /// Counts a request that was turned away unread.
    pub fn shed(&self) {
        self.shed.inc();
    }

    /// Counts a request that was turned away because of its caller's rate.
    pub fn limited(&self, limit: &'static str) {
        self.limited.with_label_values(&[limit]).inc();
    }

    /// Counts a refused caller.
    pub fn refused(&self, reason: &'static str) {
        self.refusals.with_label_values(&[reason]).inc();
    }
}

/// A request in flight. Dropping it, also by a panic or a lost connection, ends it.
#[derive(Debug)]
#[must_use = "dropping it ends the request"]
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A client can send any word as a method: those that we do not serve are one label.
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
