//! Metrics of the live streams of events.

use std::time::Duration;

use prometheus::{Gauge, IntCounterVec, IntGauge, Registry, Result};

use super::register::{counters, gauge, int_gauge};

/// The live streams of events.
#[derive(Debug)]
pub struct Feed {
    streams: IntGauge,
    ended: IntCounterVec,
    held: Gauge,
}

impl Feed {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            streams: int_gauge(registry, "event_streams", "Live streams that are open.")?,
            ended: counters(
                registry,
                "event_streams_ended_total",
                "Live streams that the broker has ended, by reason.",
                &["reason"],
            )?,
            held: gauge(
                registry,
                "event_feed_held_seconds",
                "Age of the oldest event that is committed but not sent to live streams yet, because an older transaction in the Postgres cluster is still open.",
            )?,
        })
    }

    /// Counts a stream as open.
    pub fn stream_opened(&self) {
        self.streams.inc();
    }

    /// Counts a stream as closed.
    pub fn stream_closed(&self) {
        self.streams.dec();
    }

    /// Counts a stream that the broker has ended.
    pub fn stream_ended(&self, reason: &'static str) {
        self.ended.with_label_values(&[reason]).inc();
    }

    /// Sets the age of the oldest event that is held back.
    pub fn held(&self, age: Duration) {
        self.held.set(age.as_secs_f64());
    }
}
