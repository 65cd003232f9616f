//! Compares a local file with a dataset.

use std::path::Path;

use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::api::wire::Checksum;
use super::checksum::{Algorithm, Hasher};
use super::error::{Error, Result};

/// How many bytes are read at a time.
const PIECE: usize = 1 << 20;

/// The result of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Size and checksum are equal.
    Same,
    /// The size or the checksum differs.
    Different,
    /// The sizes are equal, but the dataset has no full-object checksum that this client can
    /// compute.
    Unknown,
}

/// Compares a file with the size and checksum of a dataset. The file is only read if the sizes are
/// equal and there is a checksum to compare with.
///
/// # Errors
/// Fails if the file cannot be read.
pub async fn compare(file: &Path, size: u64, checksum: Option<&Checksum>) -> Result<Comparison> {
    let unreadable = |error| Error::local(format!("cannot read {}", file.display()), error);
    let mut open = File::open(file).await.map_err(unreadable)?;
    if open.metadata().await.map_err(unreadable)?.len() != size {
        return Ok(Comparison::Different);
    }
    let whole = checksum.filter(|checksum| checksum.is_full_object());
    let computable = whole.and_then(|whole| Some((whole, Algorithm::from_name(&whole.algorithm)?)));
    let Some((expected, algorithm)) = computable else {
        return Ok(match size {
            0 => Comparison::Same,
            _ => Comparison::Unknown,
        });
    };
    let mut hasher = Hasher::new(algorithm);
    let mut piece = vec![0; PIECE];
    loop {
        let count = open.read(&mut piece).await.map_err(unreadable)?;
        match piece.get(..count) {
            Some(bytes) if !bytes.is_empty() => hasher.update(bytes),
            _ => break,
        }
    }
    Ok(match hasher.finish() == *expected {
        true => Comparison::Same,
        false => Comparison::Different,
    })
}
