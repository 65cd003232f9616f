//! Formats sizes and rates for humans.

use indicatif::BinaryBytes;

/// Formats a size as `1.50 GiB`, or `14 B` for a small one.
pub fn human(bytes: u64) -> String {
    BinaryBytes(bytes).to_string()
}
