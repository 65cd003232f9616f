//! What one round of the reader did.

use super::handle::Verdict;

/// What one round did, in messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Taken from the queue.
    pub received: u64,
    /// Whose uploads know now what they told; deleted.
    pub done: u64,
    /// That had nothing to do with an upload; deleted.
    pub ignored: u64,
    /// That cannot be read, or not all of them; left alone.
    pub unreadable: u64,
    /// That came before their row; they come back soon.
    pub early: u64,
    /// That a fault kept from being done; they come back later.
    pub failed: u64,
    /// Given back at a stop.
    pub returned: u64,
}

impl Round {
    /// Counts a message of which something could be read.
    pub(super) fn count(&mut self, verdict: Verdict) {
        let counter = match verdict {
            Verdict::Done => &mut self.done,
            Verdict::Ignored => &mut self.ignored,
            Verdict::Partly => &mut self.unreadable,
            Verdict::Early => &mut self.early,
            Verdict::Failed => &mut self.failed,
            Verdict::Returned => &mut self.returned,
        };
        *counter += 1;
    }

    /// Each outcome by its name in metrics.
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
