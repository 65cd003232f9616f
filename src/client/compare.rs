//! Whether a local file has the bytes of a dataset.

use std::path::Path;

use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::api::wire::Checksum;
use super::checksum::{Algorithm, Hasher};
use super::error::{Error, Result};

/// How many bytes are read at once.
const PIECE: usize = 1 << 20;

/// What a comparison finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Size and checksum are the same.
    Same,
    /// The size or the checksum is another one.
    Different,
    /// The size is the same; the dataset has no checksum of its bytes that can be computed here.
    Unknown,
}

/// Compares a file with a dataset of this size and checksum. The file is read where the sizes are
/// the same and there is a checksum to compare with.
///
/// # Errors
/// A file that cannot be read.
pub async fn compare(file: &Path, size: u64, checksum: Option<&Checksum>) -> Result<Likeness> {
    let unreadable = |error| Error::local(format!("cannot read {}", file.display()), error);
    let mut open = File::open(file).await.map_err(unreadable)?;
    if open.metadata().await.map_err(unreadable)?.len() != size {
        return Ok(Likeness::Different);
    }
    let whole = checksum.filter(|checksum| checksum.is_of_whole());
    let computable = whole.and_then(|whole| Some((whole, Algorithm::named(&whole.algorithm)?)));
    let Some((expected, algorithm)) = computable else {
        return Ok(match size {
            0 => Likeness::Same,
            _ => Likeness::Unknown,
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
        true => Likeness::Same,
        false => Likeness::Different,
    })
}
