//! Sizes and rates for people.

use indicatif::BinaryBytes;

/// As `1.50 GiB`; small ones as `14 B`.
pub fn human(bytes: u64) -> String {
    BinaryBytes(bytes).to_string()
}
