//! Takes the bytes of a download in order, and says at the end whether they are the right ones.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use super::part::PartFile;
use super::target::Target;
use crate::client::api::Detail;
use crate::client::api::wire::Checksum;
use crate::client::checksum::{Algorithm, Hasher};
use crate::client::error::{Error, Result};
use crate::client::output::output_fault;

/// How much of a file is read at once.
const PIECE: usize = 1024 * 1024;

/// How sure it is that the bytes are right.
#[derive(Debug)]
pub(super) enum Level {
    /// Their checksum is the store's.
    Checksum(Checksum),
    /// Their number is; and why not more.
    Size(String),
}

/// Where the bytes go, and how many have gone there.
pub(super) struct Sink {
    place: Place,
    /// How many bytes there are.
    pub(super) at: u64,
    check: Check,
}

enum Place {
    Stdout,
    File(PartFile),
}

enum Check {
    Checksum(Box<Hasher>, Checksum),
    Size(String),
}

impl Sink {
    /// Opens it, with what an earlier run left.
    pub(super) async fn open(target: &Target, detail: &Detail) -> Result<Self> {
        let place = match target {
            Target::Stdout => Place::Stdout,
            Target::File { path, .. } => {
                Place::File(PartFile::open(path, &detail.path, &detail.etag)?)
            }
        };
        let mut sink = Self {
            place,
            at: 0,
            check: Check::of(detail),
        };
        sink.take_up(detail.size).await?;
        Ok(sink)
    }

    /// Counts and hashes what is there already.
    async fn take_up(&mut self, size: u64) -> Result<()> {
        let Place::File(part) = &mut self.place else {
            return Ok(());
        };
        let unreadable = |error| Error::local("cannot read what was downloaded before", error);
        let there = part.file.metadata().map_err(unreadable)?.len();
        if there > size {
            return part.clear();
        }
        part.file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let mut piece = vec![0; PIECE];
        loop {
            let count = part.file.read(&mut piece).map_err(unreadable)?;
            let Some(bytes) = piece.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return Ok(());
            };
            self.check.update(bytes);
            self.at = self.at.saturating_add(to_u64(count));
            // Ctrl-C must not wait for the end of a large file.
            tokio::task::yield_now().await;
        }
    }

    /// The next bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.place {
            Place::Stdout => io::stdout().lock().write_all(bytes).map_err(output_fault)?,
            Place::File(part) => part.append(bytes)?,
        }
        self.check.update(bytes);
        self.at = self.at.saturating_add(to_u64(bytes.len()));
        Ok(())
    }

    /// Gives up what was taken, as far as it can be taken back: whether it could.
    pub(super) fn discard(self) -> Result<bool> {
        match self.place {
            Place::Stdout => Ok(self.at == 0),
            Place::File(part) => part.discard().map(|()| true),
        }
    }

    /// Compares, and gives the file its name. Other bytes than the promised ones: the sink comes
    /// back, with the words for it.
    pub(super) fn finish(mut self, target: &Target) -> Result<Result<Level, (Self, String)>> {
        let level = match std::mem::replace(&mut self.check, Check::Size(String::new())) {
            Check::Size(reason) => Level::Size(reason),
            Check::Checksum(hasher, promised) => {
                let found = hasher.finish();
                if found != promised {
                    let Checksum { algorithm, value } = promised;
                    let what = format!(
                        "what came is not what the store promised: {algorithm} {value} was \
                         promised, {} came",
                        found.value
                    );
                    return Ok(Err((self, what)));
                }
                Level::Checksum(found)
            }
        };
        match (self.place, target) {
            (Place::File(part), Target::File { path, force }) => part.finish(path, *force)?,
            _ => io::stdout().lock().flush().map_err(output_fault)?,
        }
        Ok(Ok(level))
    }
}

impl Check {
    fn of(detail: &Detail) -> Self {
        let Some(promised) = &detail.checksum else {
            return Self::Size("the store returned no checksum".to_owned());
        };
        let name = &promised.algorithm;
        if !promised.is_of_whole() {
            return Self::Size(format!(
                "its {name} is a composite one, of the parts it came in"
            ));
        }
        match Algorithm::named(name) {
            Some(algorithm) => Self::Checksum(Box::new(Hasher::new(algorithm)), promised.clone()),
            None => Self::Size(format!("{name} cannot be computed here")),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        if let Self::Checksum(hasher, _) = self {
            hasher.update(bytes);
        }
    }
}

/// Lengths in memory fit.
fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
