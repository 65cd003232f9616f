//! Metrics of webhooks.

use std::time::Duration;

use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, Result};

use super::register::{counter, counters_from_zero, gauge, int_gauge, int_gauges};

/// The states of endpoints.
const ENABLED: &str = "enabled";
const DISABLED: &str = "disabled";

/// Events that are sent to webhooks.
#[derive(Debug)]
pub struct Webhooks {
    sent: IntCounterVec,
    disabled: IntCounter,
    waiting: IntGauge,
    oldest: Gauge,
    endpoints: IntGaugeVec,
}

impl Webhooks {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let sent = counters_from_zero(
            registry,
            "webhook_deliveries_total",
            "Events that this process sent to webhooks, by outcome.",
            "outcome",
            ["delivered", "rejected", "unreachable", "private-address"],
        )?;
        let endpoints = int_gauges(
            registry,
            "webhook_endpoints",
            "Webhooks of all tenants, by state: enabled or disabled.",
            &["state"],
        )?;
        for state in [ENABLED, DISABLED] {
            endpoints.with_label_values(&[state]);
        }
        Ok(Self {
            sent,
            disabled: counter(
                registry,
                "webhooks_disabled_total",
                "Webhooks that this process disabled, because they failed for three days or are gone.",
            )?,
            waiting: int_gauge(
                registry,
                "webhook_waiting_events",
                "Events that wait for enabled webhooks of all tenants, counted for each of them, at most 100,000.",
            )?,
            oldest: gauge(
                registry,
                "webhook_oldest_age_seconds",
                "Age of the oldest event that waits for an enabled webhook; 0 if there is none.",
            )?,
            endpoints,
        })
    }

    /// Counts an event that was sent: `delivered`, `rejected`, `unreachable` or `private-address`.
    pub fn sent(&self, outcome: &'static str) {
        self.sent.with_label_values(&[outcome]).inc();
    }

    /// Counts a webhook that was disabled.
    pub fn disabled(&self) {
        self.disabled.inc();
    }

    /// Sets the number of waiting events and the age of the oldest.
    pub fn waiting(&self, events: i64, oldest: Option<Duration>) {
        self.waiting.set(events);
        self.oldest.set(oldest.unwrap_or_default().as_secs_f64());
    }

    /// Sets the number of enabled and of disabled webhooks.
    pub fn endpoints(&self, enabled: i64, disabled: i64) {
        for (state, number) in [(ENABLED, enabled), (DISABLED, disabled)] {
            self.endpoints.with_label_values(&[state]).set(number);
        }
    }
}
