//! The checksum of a file, to be declared for an upload before the file is written.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::domain::checksum::{Algorithm, Checksum};

/// How much is read at a time, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// Computes the SHA-256 of all bytes of `file`, in a thread for blocking calls. The position of
/// the handle does not matter.
///
/// SHA-256, because every store that checks a checksum checks this one.
///
/// # Errors
/// The disk fails.
pub async fn checksum_of(file: &Arc<File>) -> io::Result<Checksum> {
    let file = Arc::clone(file);
    let computed = tokio::task::spawn_blocking(move || sha256(&file));
    let digest = computed.await.map_err(io::Error::other)??;
    Checksum::new(Algorithm::Sha256, &STANDARD.encode(digest)).map_err(|fault| {
        let text = fault.to_string();
        io::Error::other(text)
    })
}

fn sha256(file: &File) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut offset = 0_u64;
    loop {
        let read = match file.read_at(&mut chunk, offset) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(chunk.get(..read).unwrap_or_default());
        offset = offset.saturating_add(u64::try_from(read).unwrap_or_default());
    }
}
