//! Writes a request body to disk and hashes it at the same time, in bounded memory.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use futures::StreamExt as _;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Result, StdError, s3_error};

use super::bodies::{CHUNK, Draft};
use super::checksum::{Algorithm, Checksum, Hasher};
use super::errors::StoreError;
use super::store::{Store, blocking};

/// A received body. It is on disk, and the index does not refer to it yet.
pub(super) struct ReceivedBody {
    pub draft: Draft,
    pub size: u64,
    pub md5: [u8; 16],
    pub checksum: Checksum,
}

impl ReceivedBody {
    /// # Errors
    /// 400 `BadDigest` if the MD5 differs from `Content-MD5`.
    pub(super) fn check_md5(&self, declared: Option<[u8; 16]>) -> S3Result<()> {
        if declared.is_some_and(|declared| declared != self.md5) {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        Ok(())
    }
}

/// Reads the body to its end. If this future is dropped, for example because the connection was closed, the
/// file is removed.
///
/// # Errors
/// The body is shorter or longer than its declared length `expected`, or its hash differs from
/// `x-amz-content-sha256`.
pub(super) async fn receive(
    store: &Store,
    body: Option<StreamingBlob>,
    expected: u64,
    algorithm: Algorithm,
) -> S3Result<ReceivedBody> {
    let bodies = store.bodies();
    let mut sink = blocking(move || Ok(Sink::new(bodies.draft()?, algorithm))).await?;
    if let Some(mut body) = body {
        while let Some(chunks) = gather(&mut body).await? {
            sink = blocking(move || sink.write(&chunks)).await?;
            if sink.size > expected {
                return Err(incomplete());
            }
        }
    }
    if sink.size != expected {
        return Err(incomplete());
    }
    blocking(move || sink.finish()).await
}

/// Copies `size` bytes of a body, starting at `offset`. Blocks.
pub(super) fn receive_range(
    store: &Store,
    body: &mut File,
    (offset, size): (u64, u64),
    algorithm: Algorithm,
) -> Result<ReceivedBody, StoreError> {
    body.seek(SeekFrom::Start(offset))?;
    let mut range = body.take(size);
    let mut sink = Sink::new(store.bodies().draft()?, algorithm);
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let limit = u64::try_from(CHUNK).unwrap_or(u64::MAX);
        if range.by_ref().take(limit).read_to_end(&mut chunk)? == 0 {
            return sink.finish();
        }
        sink = sink.write(&[chunk.into()])?;
    }
}

/// Reads chunks of about [`CHUNK`] bytes together; returns `None` at the end of the body.
async fn gather(body: &mut StreamingBlob) -> S3Result<Option<Vec<Bytes>>> {
    let (mut chunks, mut size) = (Vec::new(), 0_usize);
    while size < CHUNK {
        match body.next().await {
            None => break,
            Some(chunk) => {
                let chunk = chunk.map_err(|error| stream_error(&error))?;
                size = size.saturating_add(chunk.len());
                chunks.push(chunk);
            }
        }
    }
    Ok((!chunks.is_empty()).then_some(chunks))
}

struct Sink {
    draft: Draft,
    size: u64,
    md5: Md5,
    hasher: Hasher,
}

impl Sink {
    fn new(draft: Draft, algorithm: Algorithm) -> Self {
        Self {
            draft,
            size: 0,
            md5: Md5::new(),
            hasher: algorithm.hasher(),
        }
    }

    fn write(mut self, chunks: &[Bytes]) -> Result<Self, StoreError> {
        for chunk in chunks {
            self.md5.update(chunk);
            self.hasher.update(chunk);
            self.draft.write(chunk)?;
            self.size = self
                .size
                .saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        }
        Ok(self)
    }

    fn finish(mut self) -> Result<ReceivedBody, StoreError> {
        self.draft.sync()?;
        let (md5, checksum) = (self.md5.finalize(), self.hasher.finish());
        Ok(ReceivedBody {
            draft: self.draft,
            size: self.size,
            md5,
            checksum,
        })
    }
}

fn incomplete() -> S3Error {
    s3_error!(
        IncompleteBody,
        "You did not provide the number of bytes specified by the Content-Length HTTP header"
    )
}

/// Converts an error of the body stream. s3s verifies payload hashes and chunk signatures while the body is
/// read. The types of these errors are private, so they can only be distinguished by their text.
fn stream_error(error: &StdError) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        super::errors::content_sha256_mismatch()
    } else if text.contains("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch)
    } else {
        incomplete()
    }
}
