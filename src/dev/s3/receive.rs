//! Takes a request's body to disk, hashing it on the way, in bounded memory.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use futures::StreamExt as _;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3Result, StdError, s3_error};

use super::bodies::{CHUNK, Draft};
use super::checksum::{Algorithm, Checksum, Hasher};
use super::errors::Fault;
use super::store::{Store, blocking};

/// What arrived: on disk, but in no index.
pub(super) struct Arrived {
    pub draft: Draft,
    pub size: u64,
    pub md5: [u8; 16],
    pub checksum: Checksum,
}

impl Arrived {
    /// # Errors
    /// 400 `BadDigest` when `Content-MD5` said otherwise.
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

/// Reads the body to its end. Dropping this future, as a lost connection does, removes the file.
///
/// # Errors
/// The body ends early or late (`expected` is its declared length), or does not hash to what its
/// `x-amz-content-sha256` says.
pub(super) async fn receive(
    store: &Store,
    body: Option<StreamingBlob>,
    expected: u64,
    algorithm: Algorithm,
) -> S3Result<Arrived> {
    let bodies = store.bodies();
    let mut sink = blocking(move || Ok(Sink::new(bodies.draft()?, algorithm))).await?;
    if let Some(mut body) = body {
        while let Some(chunks) = gather(&mut body).await? {
            sink = blocking(move || sink.take(&chunks)).await?;
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

/// Copies `size` bytes of a body from `offset` on. Blocks.
pub(super) fn receive_range(
    store: &Store,
    body: &mut File,
    (offset, size): (u64, u64),
    algorithm: Algorithm,
) -> Result<Arrived, Fault> {
    body.seek(SeekFrom::Start(offset))?;
    let mut range = body.take(size);
    let mut sink = Sink::new(store.bodies().draft()?, algorithm);
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let most = u64::try_from(CHUNK).unwrap_or(u64::MAX);
        if range.by_ref().take(most).read_to_end(&mut chunk)? == 0 {
            return sink.finish();
        }
        sink = sink.take(&[chunk.into()])?;
    }
}

/// The next quarter of a mebibyte or so; `None` at the end.
async fn gather(body: &mut StreamingBlob) -> S3Result<Option<Vec<Bytes>>> {
    let (mut chunks, mut size) = (Vec::new(), 0_usize);
    while size < CHUNK {
        match body.next().await {
            None => break,
            Some(chunk) => {
                let chunk = chunk.map_err(|error| broken(&error))?;
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

    fn take(mut self, chunks: &[Bytes]) -> Result<Self, Fault> {
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

    fn finish(mut self) -> Result<Arrived, Fault> {
        self.draft.sync()?;
        let (md5, checksum) = (self.md5.finalize(), self.hasher.finish());
        Ok(Arrived {
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

/// s3s checks payload hashes and chunk signatures while we read, and keeps the types of those
/// errors to itself: their text is all there is to tell them by.
fn broken(error: &StdError) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        super::errors::content_sha256_mismatch()
    } else if text.contains("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch)
    } else {
        incomplete()
    }
}
