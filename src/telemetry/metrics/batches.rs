//! Statements that write the rows of several callers.

use prometheus::{HistogramVec, Registry, Result};

use super::register::histograms;

/// The buckets of the histogram: from a single caller to the largest batch.
const MEMBERS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Statements that write the rows of several callers.
#[derive(Debug)]
pub struct Batches(HistogramVec);

impl Batches {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self(histograms(
            registry,
            "group_members",
            "Callers whose rows were written in one statement, by operation.",
            &["verb"],
            MEMBERS,
        )?))
    }

    /// Records a statement with the rows of `members` callers.
    pub fn written(&self, verb: &'static str, members: usize) {
        let members = u32::try_from(members).unwrap_or(u32::MAX);
        self.0.with_label_values(&[verb]).observe(members.into());
    }
}
