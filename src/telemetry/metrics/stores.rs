//! Metrics of the S3 features that the stores support.

use prometheus::{IntGaugeVec, Registry, Result};

use super::register::{int_gauges, signed};

/// The S3 features that the stores of the buckets support.
#[derive(Debug)]
pub struct Stores {
    buckets: IntGaugeVec,
}

impl Stores {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            buckets: int_gauges(
                registry,
                "store_ability_buckets",
                "Buckets by whether their store supports a feature of S3: yes, unquoted, no, or unknown.",
                &["ability", "support"],
            )?,
        })
    }

    /// Sets the number of buckets whose store has this support of an ability.
    pub fn observe(&self, ability: &'static str, support: &'static str, buckets: usize) {
        let gauge = self.buckets.with_label_values(&[ability, support]);
        gauge.set(signed(u64::try_from(buckets).unwrap_or(u64::MAX)));
    }
}
