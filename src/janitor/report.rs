//! Who hears of findings.

use crate::domain::finding::Finding;

/// Hears of every finding as it is made, from any thread.
pub struct Report(Box<dyn Fn(&Finding) + Send + Sync>);

impl Report {
    /// Tells `hear`.
    pub fn to(hear: impl Fn(&Finding) + Send + Sync + 'static) -> Self {
        Self(Box::new(hear))
    }

    /// Tells nobody: metrics and events say it too.
    pub fn to_nobody() -> Self {
        Self::to(|_| {})
    }

    pub(super) fn tell(&self, finding: &Finding) {
        (self.0)(finding);
    }
}
