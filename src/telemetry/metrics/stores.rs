//! What the stores of buckets do of what S3 does.

use prometheus::{IntGaugeVec, Registry, Result};

use super::register::{int_gauges, signed};

/// What the stores of buckets do of what S3 does.
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
                "Buckets by how far their store has an ability of S3: yes, unquoted, no, or unknown.",
                &["ability", "support"],
            )?,
        })
    }

    /// Sets how many buckets have an ability so far.
    pub fn observe(&self, ability: &'static str, support: &'static str, buckets: usize) {
        let gauge = self.buckets.with_label_values(&[ability, support]);
        gauge.set(signed(u64::try_from(buckets).unwrap_or(u64::MAX)));
    }
}
