//! Writes the bytes of a download in order, and verifies them at the end.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use super::part_file::PartFile;
use super::target::Target;
use crate::client::api::Detail;
use crate::client::api::wire::Checksum;
use crate::client::checksum::{Algorithm, Hasher};
use crate::client::error::{Error, Result};
use crate::client::output::write_error;

/// How much of an existing file is read at a time.
const PIECE: usize = 1024 * 1024;

/// How the bytes were verified.
#[derive(Debug)]
pub(super) enum Verification {
    /// Their checksum equals the store's.
    Checksum(Checksum),
    /// Only their number is right. Holds the reason why no checksum was compared.
    Size(String),
}

/// The destination of the bytes, and how many have been written.
pub(super) struct Sink {
    destination: Destination,
    /// How many bytes have been written.
    pub(super) written: u64,
    verifier: Verifier,
}

enum Destination {
    Stdout,
    File(PartFile),
}

enum Verifier {
    Checksum(Box<Hasher>, Checksum),
    Size(String),
}

impl Sink {
    /// Opens the destination, and keeps the bytes that an earlier run left.
    pub(super) async fn open(target: &Target, detail: &Detail) -> Result<Self> {
        let destination = match target {
            Target::Stdout => Destination::Stdout,
            Target::File { path, .. } => {
                Destination::File(PartFile::open(path, &detail.path, &detail.etag)?)
            }
        };
        let mut sink = Self {
            destination,
            written: 0,
            verifier: Verifier::of(detail),
        };
        sink.resume(detail.size).await?;
        Ok(sink)
    }

    /// Counts and hashes the bytes that are already in the file.
    async fn resume(&mut self, size: u64) -> Result<()> {
        let Destination::File(part) = &mut self.destination else {
            return Ok(());
        };
        let unreadable = |error| Error::local("cannot read the partial download", error);
        let existing = part.file.metadata().map_err(unreadable)?.len();
        if existing > size {
            return part.clear();
        }
        part.file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let mut piece = vec![0; PIECE];
        loop {
            let count = part.file.read(&mut piece).map_err(unreadable)?;
            let Some(bytes) = piece.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return Ok(());
            };
            self.verifier.update(bytes);
            self.written = self.written.saturating_add(to_u64(count));
            // Yields, so that Ctrl-C need not wait for the end of a large file.
            tokio::task::yield_now().await;
        }
    }

    /// Writes the next bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.destination {
            Destination::Stdout => io::stdout().lock().write_all(bytes).map_err(write_error)?,
            Destination::File(part) => part.append(bytes)?,
        }
        self.verifier.update(bytes);
        self.written = self.written.saturating_add(to_u64(bytes.len()));
        Ok(())
    }

    /// Discards what was written. Returns whether that was possible: bytes on standard output
    /// cannot be taken back.
    pub(super) fn discard(self) -> Result<bool> {
        match self.destination {
            Destination::Stdout => Ok(self.written == 0),
            Destination::File(part) => part.discard().map(|()| true),
        }
    }

    /// Compares the checksum, and renames the file to its final name. On a mismatch, returns the
    /// sink together with a message.
    pub(super) fn finish(
        mut self,
        target: &Target,
    ) -> Result<Result<Verification, (Self, String)>> {
        let level = match std::mem::replace(&mut self.verifier, Verifier::Size(String::new())) {
            Verifier::Size(reason) => Verification::Size(reason),
            Verifier::Checksum(hasher, expected) => {
                let found = hasher.finish();
                if found != expected {
                    let Checksum { algorithm, value } = expected;
                    let what = format!(
                        "the received bytes are not those of the dataset: {algorithm} {value} was \
                         expected, {} was received",
                        found.value
                    );
                    return Ok(Err((self, what)));
                }
                Verification::Checksum(found)
            }
        };
        match (self.destination, target) {
            (Destination::File(part), Target::File { path, force }) => part.finish(path, *force)?,
            _ => io::stdout().lock().flush().map_err(write_error)?,
        }
        Ok(Ok(level))
    }
}

impl Verifier {
    fn of(detail: &Detail) -> Self {
        let Some(expected) = &detail.checksum else {
            return Self::Size("the store returned no checksum".to_owned());
        };
        let name = &expected.algorithm;
        if !expected.is_full_object() {
            return Self::Size(format!(
                "its {name} checksum is a composite one, computed over the checksums of parts"
            ));
        }
        match Algorithm::from_name(name) {
            Some(algorithm) => Self::Checksum(Box::new(Hasher::new(algorithm)), expected.clone()),
            None => Self::Size(format!("this client cannot compute {name}")),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        if let Self::Checksum(hasher, _) = self {
            hasher.update(bytes);
        }
    }
}

/// Lengths in memory fit into 64 bits.
fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
