//! Metrics of the outbox.

use std::time::Duration;

use prometheus::{Gauge, IntCounter, IntGauge, Registry, Result};

use super::register::{counter, gauge, int_gauge, signed};

/// Events that are sent to SNS.
#[derive(Debug)]
pub struct Outbox {
    depth: IntGauge,
    oldest: Gauge,
    published: IntCounter,
    undeliverable: IntCounter,
}

impl Outbox {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            depth: int_gauge(
                registry,
                "outbox_depth_events",
                "Events of all replicas that are not yet published.",
            )?,
            oldest: gauge(
                registry,
                "outbox_oldest_age_seconds",
                "Age of the oldest event that is not yet published; 0 if there is none.",
            )?,
            published: counter(
                registry,
                "events_published_total",
                "Events that SNS has accepted.",
            )?,
            undeliverable: counter(
                registry,
                "events_undeliverable_total",
                "Events that were given up, because SNS will never accept them.",
            )?,
        })
    }

    /// Sets the number of waiting events and the age of the oldest.
    pub fn waiting(&self, events: u64, oldest: Option<Duration>) {
        self.depth.set(signed(events));
        self.oldest.set(oldest.unwrap_or_default().as_secs_f64());
    }

    /// Counts published events.
    pub fn published(&self, events: u64) {
        self.published.inc_by(events);
    }

    /// Counts events that were given up.
    pub fn undeliverable(&self, events: u64) {
        self.undeliverable.inc_by(events);
    }
}
