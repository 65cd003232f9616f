//! Hashes as parts of names.

/// The first bytes of a hash, in hex: enough of it to distinguish a handful of things.
pub fn hex_prefix(hash: &[u8], bytes: usize) -> String {
    hex::encode(hash.get(..bytes).unwrap_or(hash))
}
