//! What a job may use of its machine.

use std::path::PathBuf;

/// Buffers of the input, of the output and of runs that are merged, which do not grow with the data.
const FIXED: usize = 6 << 20;

/// The least budget for groups.
const LEAST: usize = 2 << 20;

/// The bounds of a job. The worker sets them.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The memory of the aggregation, in bytes, beside what the process needs anyway (about 8 MiB).
    /// At least 8 MiB are used.
    pub memory_bytes: usize,
    /// The folder of the temporary files, which have no names.
    pub spill_folder: PathBuf,
    /// The most bytes of temporary files at one time.
    pub spill_bytes: u64,
    /// The most bytes of all inputs after decompression.
    pub decoded_bytes: u64,
}

impl Limits {
    /// The bytes for dictionaries, tables and sorting.
    pub(super) fn budget(&self) -> usize {
        let fixed = FIXED.min(self.memory_bytes / 4) + self.window_bytes();
        self.memory_bytes.saturating_sub(fixed).max(LEAST)
    }

    /// The largest window of a Zstandard input, as a binary logarithm. 8 MiB are enough for all
    /// levels up to 19; more is allowed where it is at most an eighth of the memory.
    pub(super) fn window_log(&self) -> u32 {
        (self.memory_bytes / 8)
            .checked_ilog2()
            .unwrap_or(0)
            .clamp(23, 27)
    }

    fn window_bytes(&self) -> usize {
        (self.memory_bytes / 8).min(1 << self.window_log())
    }
}
