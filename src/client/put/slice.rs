//! Bytes that are to be sent: a piece of a file, or of what came out of a pipe.
//!
//! They can be read any number of times: once for their checksum, and once for every try to send
//! them. Of a file no more than a chunk at a time is in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::stream::{self, Stream, TryStreamExt as _};
use reqwest::Body;

use super::stamp::Stamp;
use crate::client::api::wire::Checksum;
use crate::client::checksum::{Algorithm, Hasher};
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;

/// Bytes that are read, hashed and sent at once.
const CHUNK: u64 = 256 * 1024;

/// A piece of something, to be sent as one.
#[derive(Clone, Debug)]
pub(super) enum Slice {
    File {
        file: Arc<Opened>,
        offset: u64,
        size: u64,
    },
    Memory(Bytes),
}

/// A file, open for reading.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) name: PathBuf,
}

/// One try to send a slice: what of it was shown as sent, its checksum, and why it could not be
/// read.
#[derive(Clone)]
pub(super) struct Reading {
    transfer: Arc<Transfer>,
    shown: Arc<AtomicU64>,
    sent: Arc<Mutex<Hasher>>,
    fault: Arc<Mutex<Option<Error>>>,
}

impl Slice {
    /// All of a file of this size.
    pub(super) fn of(file: &Arc<Opened>, size: u64) -> Self {
        Self::File {
            file: Arc::clone(file),
            offset: 0,
            size,
        }
    }

    /// A file of `size` bytes in pieces of `piece` bytes; the last one may be shorter. One piece,
    /// without bytes, of an empty file.
    pub(super) fn cut(file: &Arc<Opened>, size: u64, piece: u64) -> impl Iterator<Item = Self> {
        let count = size.div_ceil(piece.max(1)).max(1);
        (0..count).map(move |index| {
            let offset = index.saturating_mul(piece);
            Self::File {
                file: Arc::clone(file),
                offset,
                size: piece.min(size.saturating_sub(offset)),
            }
        })
    }

    /// The same bytes, read into memory.
    pub(super) async fn in_memory(self) -> Result<Self> {
        let chunks: Vec<Bytes> = self.chunks().try_collect().await?;
        Ok(Self::Memory(chunks.concat().into()))
    }

    /// Bytes.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } => *size,
            Self::Memory(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        }
    }

    /// Reads all of it.
    pub(super) async fn checksum(&self, algorithm: Algorithm) -> Result<Checksum> {
        let mut hasher = Hasher::new(algorithm);
        let mut chunks = std::pin::pin!(self.chunks());
        while let Some(bytes) = chunks.try_next().await? {
            hasher.update(&bytes);
        }
        Ok(hasher.finish())
    }

    /// The body of a request that sends it, told of as it goes.
    pub(super) fn body(&self, reading: &Reading) -> Body {
        let (told, failed) = (reading.clone(), reading.clone());
        let chunks = self.chunks().inspect_ok(move |bytes| told.show(bytes));
        Body::wrap_stream(chunks.map_err(move |error| failed.keep(error)))
    }

    fn chunks(&self) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        let slice = self.clone();
        stream::try_unfold(0, move |at| {
            let slice = slice.clone();
            async move {
                let bytes = slice.chunk(at).await?;
                let next = at + u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                Ok((!bytes.is_empty()).then_some((bytes, next)))
            }
        })
    }

    /// Up to a chunk of its bytes from `at` on; none at its end.
    async fn chunk(&self, at: u64) -> Result<Bytes> {
        let length = self.size().saturating_sub(at).min(CHUNK);
        let length = usize::try_from(length).unwrap_or_default();
        match self {
            Self::Memory(bytes) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.slice(from..from.saturating_add(length)))
            }
            Self::File { .. } if length == 0 => Ok(Bytes::new()),
            Self::File { file, offset, .. } => {
                let (file, offset) = (Arc::clone(file), offset.saturating_add(at));
                let read = tokio::task::spawn_blocking(move || file.read(offset, length)).await;
                read.map_err(|error| Error::Failed(format!("reading ended: {error}")))?
            }
        }
    }
}

impl Opened {
    fn read(&self, offset: u64, length: usize) -> Result<Bytes> {
        let mut bytes = vec![0; length];
        match self.file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(bytes.into()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.changed()),
            Err(error) => {
                let what = format!("cannot read {}", self.name.display());
                Err(Error::local(what, error))
            }
        }
    }

    /// Whether nothing has changed since the stamp was taken: neither in the open file nor in what
    /// its name leads to.
    pub(super) fn is_unchanged(&self, since: &Stamp) -> Result<bool> {
        let unreadable =
            |error| Error::local(format!("cannot read {}", self.name.display()), error);
        let open = self.file.metadata().map_err(unreadable)?;
        let named = match std::fs::metadata(&self.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            named => named.map_err(unreadable)?,
        };
        Ok(Stamp::of(&open) == *since && Stamp::of(&named) == *since)
    }

    /// The error for a file that is not what it was when the upload began.
    pub(super) fn changed(&self) -> Error {
        let name = self.name.display();
        Error::Conflict(format!("{name} changed while it was uploaded"))
    }
}

impl Reading {
    /// A try whose bytes are hashed with `algorithm` while they are sent.
    pub(super) fn new(transfer: &Arc<Transfer>, algorithm: Algorithm) -> Self {
        Self {
            transfer: Arc::clone(transfer),
            shown: Arc::default(),
            sent: Arc::new(Mutex::new(Hasher::new(algorithm))),
            fault: Arc::default(),
        }
    }

    /// The checksum of the bytes that were sent.
    pub(super) fn checksum(&self) -> Checksum {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.clone().finish()
    }

    fn show(&self, bytes: &Bytes) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.update(bytes);
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.shown.fetch_add(count, Ordering::Relaxed);
        self.transfer.advance(count);
    }

    /// Keeps our own fault: what the HTTP client makes of it blames the store.
    fn keep(&self, error: Error) -> io::Error {
        if let Ok(mut fault) = self.fault.lock() {
            *fault = Some(error);
        }
        io::Error::other("cannot be read")
    }

    /// Takes back what was shown of a try that failed. Says why, where that was our own fault.
    pub(super) fn failed(self, error: Error) -> Error {
        self.transfer.retreat(self.shown.load(Ordering::Relaxed));
        let fault = self.fault.lock().ok().and_then(|mut fault| fault.take());
        fault.unwrap_or(error)
    }
}
