//! Hashes as parts of names.

/// The first bytes of a hash, in hex: enough of it to tell a handful of things apart.
pub fn hex(hash: &[u8], bytes: usize) -> String {
    let first = hash.iter().take(bytes);
    first.map(|byte| format!("{byte:02x}")).collect()
}
