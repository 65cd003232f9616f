//! Adding several rows at once.
//!
//! A large table is not in the caches: a group must come from memory, which takes as long as parsing
//! a row. The groups of a batch are touched first, one right after the other, so that the processor
//! waits for all of them together.

use super::super::key::Packed;
use super::super::update::Aligned;

/// The rows of a batch.
pub(super) const ROWS: usize = 32;

/// Rows that are checked, and not in their groups yet.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) keys: Vec<Packed>,
    /// The values of the inputs of each row, or one value without a meaning if there is no input.
    pub(super) values: Vec<Aligned>,
    pub(super) width: usize,
}

impl Batch {
    pub(super) fn new(inputs: usize) -> Self {
        let width = inputs.max(1);
        let keys = Vec::with_capacity(ROWS);
        Self {
            keys,
            values: Vec::with_capacity(ROWS * width),
            width,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Appends a row. Returns whether the batch is then full.
    #[inline]
    pub(super) fn push(&mut self, key: Packed, values: impl Iterator<Item = Aligned>) -> bool {
        self.keys.push(key);
        self.values.extend(values);
        self.values
            .resize(self.keys.len() * self.width, Aligned::Empty);
        self.keys.len() == ROWS
    }
}
