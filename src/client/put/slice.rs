//! The bytes of one request: a piece of a file, or of standard input.
//!
//! They can be read any number of times: once for their checksum, and once for every attempt to
//! send them. Of a file, only one chunk at a time is in memory.

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

/// How many bytes are read, hashed and sent at a time.
const CHUNK: u64 = 256 * 1024;

/// A piece of a file or of standard input that is sent in one request.
#[derive(Clone, Debug)]
pub(super) enum Slice {
    File {
        file: Arc<OpenFile>,
        offset: u64,
        size: u64,
    },
    Memory(Bytes),
}

/// A file that is open for reading.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) file: File,
    pub(super) name: PathBuf,
}

/// One attempt to send a slice. It records the bytes that were shown as progress, their checksum,
/// and any error in reading them.
#[derive(Clone)]
pub(super) struct SendAttempt {
    transfer: Arc<Transfer>,
    shown: Arc<AtomicU64>,
    sent: Arc<Mutex<Hasher>>,
    fault: Arc<Mutex<Option<Error>>>,
}

impl Slice {
    /// The whole file, which has this size.
    pub(super) fn of(file: &Arc<OpenFile>, size: u64) -> Self {
        Self::File {
            file: Arc::clone(file),
            offset: 0,
            size,
        }
    }

    /// Divides a file of `size` bytes into pieces of `piece` bytes; the last one may be shorter. An
    /// empty file has one empty piece.
    pub(super) fn cut(file: &Arc<OpenFile>, size: u64, piece: u64) -> impl Iterator<Item = Self> {
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

    /// Reads the bytes into memory.
    pub(super) async fn in_memory(self) -> Result<Self> {
        let chunks: Vec<Bytes> = self.chunks().try_collect().await?;
        Ok(Self::Memory(chunks.concat().into()))
    }

    /// The size in bytes.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } => *size,
            Self::Memory(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        }
    }

    /// Reads all bytes and returns their checksum.
    pub(super) async fn checksum(&self, algorithm: Algorithm) -> Result<Checksum> {
        let mut hasher = Hasher::new(algorithm);
        let mut chunks = std::pin::pin!(self.chunks());
        while let Some(bytes) = chunks.try_next().await? {
            hasher.update(&bytes);
        }
        Ok(hasher.finish())
    }

    /// The body of a request with these bytes. It updates the progress as they are sent.
    pub(super) fn body(&self, attempt: &SendAttempt) -> Body {
        let (progress, failed) = (attempt.clone(), attempt.clone());
        let chunks = self.chunks().inspect_ok(move |bytes| progress.show(bytes));
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

    /// Reads up to one chunk from offset `at`; empty at the end.
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
                read.map_err(|error| {
                    Error::Failed(format!("reading the file was aborted: {error}"))
                })?
            }
        }
    }
}

impl OpenFile {
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

    /// Whether the file is unchanged since the stamp was taken, both the open file and the one that
    /// its name refers to now.
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

    /// The error for a file that changed during the upload.
    pub(super) fn changed(&self) -> Error {
        let name = self.name.display();
        Error::Conflict(format!("{name} changed during the upload"))
    }
}

impl SendAttempt {
    /// Starts an attempt that hashes its bytes with `algorithm`.
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

    /// Records an error in reading the file. The HTTP client would report it as a failure of the
    /// store.
    fn keep(&self, error: Error) -> io::Error {
        if let Ok(mut fault) = self.fault.lock() {
            *fault = Some(error);
        }
        io::Error::other("cannot read the file")
    }

    /// Rewinds the progress of a failed attempt. Returns the recorded read error, if there is one,
    /// in place of `error`.
    pub(super) fn failed(self, error: Error) -> Error {
        self.transfer.rewind(self.shown.load(Ordering::Relaxed));
        let fault = self.fault.lock().ok().and_then(|mut fault| fault.take());
        fault.unwrap_or(error)
    }
}
