//! What a processor may use.

use std::path::PathBuf;

/// What a processor may use. A processor plans with these values, so that it can say what is too
/// large; the operating system enforces them with [`self_limits`](super::self_limits).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The memory for data, in bytes. The program itself does not count.
    pub memory_bytes: u64,
    /// The most bytes of all outputs together.
    pub output_bytes: u64,
    /// The most bytes in temporary files at a time.
    pub spill_bytes: u64,
    /// The folder for temporary files. They must be unlinked right after they are opened
    /// ([`tempfile::tempfile_in`]), so that none remains however the process ends.
    pub scratch: PathBuf,
}
