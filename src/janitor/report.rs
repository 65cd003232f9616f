//! The receiver of findings.

use crate::domain::finding::Finding;

/// A callback that receives every finding as soon as it is made, on any thread.
pub struct Report(Box<dyn Fn(&Finding) + Send + Sync>);

impl Report {
    /// Sends every finding to `receive`.
    pub fn to(receive: impl Fn(&Finding) + Send + Sync + 'static) -> Self {
        Self(Box::new(receive))
    }

    /// Discards all findings: metrics and events record them too.
    pub fn discard() -> Self {
        Self::to(|_| {})
    }

    pub(super) fn send(&self, finding: &Finding) {
        (self.0)(finding);
    }
}
