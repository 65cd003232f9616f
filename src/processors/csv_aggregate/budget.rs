//! The account of the memory that grows with the data.

/// A bound on bytes, and how many of them are taken.
///
/// Everything that grows asks first, and reports when it shrinks. What does not grow (buffers of
/// the input, the output and the runs, and the window of a decoder) is outside of the budget.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    taken: usize,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, taken: 0 }
    }

    /// Takes the bytes if they are free.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let taken = self.taken.saturating_add(bytes);
        let fits = taken <= self.limit;
        if fits {
            self.taken = taken;
        }
        fits
    }

    /// Returns bytes that were taken.
    pub(super) fn give(&mut self, bytes: usize) {
        self.taken = self.taken.saturating_sub(bytes);
    }

    /// The bytes that are not taken.
    pub(super) fn free(&self) -> usize {
        self.limit - self.taken
    }

    /// The bound.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }
}
