//! The end of what a child writes to standard error.

use tokio::io::AsyncReadExt as _;
use tokio::process::ChildStderr;

use crate::processors::report::MAX_REPORT_BYTES;

/// How much is kept, in bytes: the largest report, the end of the line before it, and its own end.
const KEPT_BYTES: usize = MAX_REPORT_BYTES + 2;
/// How much is read at a time, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// Reads until the child closes its standard error, and returns the last [`KEPT_BYTES`].
///
/// All of it is read, because a child that writes more than a pipe holds would wait for ever. It is
/// not logged: it may have data of the caller.
pub(super) async fn read(stderr: Option<ChildStderr>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut stderr) = stderr else {
        return kept;
    };
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        // A broken pipe is the end, too: how the child ended says why.
        let read = stderr.read(&mut chunk).await.unwrap_or_default();
        match chunk.get(..read) {
            Some(bytes) if !bytes.is_empty() => kept.extend_from_slice(bytes),
            _ => break,
        }
        // Not after each chunk, so that each byte is moved at most once.
        if kept.len() >= 2 * KEPT_BYTES {
            kept.drain(..kept.len() - KEPT_BYTES);
        }
    }
    let excess = kept.len().saturating_sub(KEPT_BYTES);
    kept.drain(..excess);
    kept
}
