//! The result of one round of the reader.

use super::handle::Verdict;

/// The number of messages of one round, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Messages that were received.
    pub received: u64,
    /// Messages that were processed and deleted.
    pub done: u64,
    /// Messages that concern no upload and were deleted.
    pub ignored: u64,
    /// Messages that cannot be parsed completely; they are left in the queue.
    pub unreadable: u64,
    /// Messages that arrived before the row of their upload was visible; they become visible again
    /// soon.
    pub early: u64,
    /// Messages whose processing failed; they become visible again later.
    pub failed: u64,
    /// Messages that were returned to the queue unprocessed, because the process stops.
    pub returned: u64,
}

impl Round {
    /// Counts a message of which at least a part was parsed.
    pub(super) fn count(&mut self, verdict: Verdict) {
        let counter = match verdict {
            Verdict::Done => &mut self.done,
            Verdict::Ignored => &mut self.ignored,
            Verdict::PartlyUnreadable => &mut self.unreadable,
            Verdict::RowNotVisible => &mut self.early,
            Verdict::Failed => &mut self.failed,
            Verdict::NotStarted => &mut self.returned,
        };
        *counter += 1;
    }

    /// Returns each outcome by its name in the metrics.
    pub(super) fn outcomes(self) -> [(&'static str, u64); 6] {
        [
            ("done", self.done),
            ("ignored", self.ignored),
            ("unreadable", self.unreadable),
            ("early", self.early),
            ("failed", self.failed),
            ("returned", self.returned),
        ]
    }
}
