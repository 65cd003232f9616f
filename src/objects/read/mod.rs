//! Reads one version of an object as a stream, in bounded memory.
//!
//! The object is read in ranges. While the caller works on one range, the next ones are requested.
//! Every request is conditional on the ETag of the proof, and names the version where the bucket
//! keeps versions: the stream has the bytes of that object, or it ends with an error.
//!
//! | Fault | What happens |
//! |---|---|
//! | the connection breaks, or the store answers with a server error | the rest of the range is requested again, with a back-off |
//! | the store stays away | [`ReadError::Store`], after some 20 s without any progress |
//! | the object was replaced | [`ReadError::Changed`] |
//! | the object, or its version, was removed | [`ReadError::Missing`] |
//! | the store answers with other bytes than the requested ones | [`ReadError::Store`]: none of them is returned |
//! | the stream is dropped | its requests are cancelled |

mod error;
mod object;
mod response;

use std::ops::Range;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, Stream, StreamExt as _, TryStreamExt as _};

pub use error::ReadError;
pub use object::ReadObject;

use super::store::{ObjectStore, failed};
use crate::lifecycle::backoff::Backoff;

/// The size of a range in bytes. S3 recommends 8 to 16 MB ("Performance design patterns for Amazon
/// S3", S3 user guide).
pub const RANGE_BYTES: u64 = 8 * 1024 * 1024;
/// How many ranges are requested at the same time. With the one that the caller works on, and one
/// that it has taken in advance, a stream needs up to four times [`RANGE_BYTES`] of memory.
const AT_ONCE: usize = 2;
/// How many attempts in a row may end without a byte.
const ATTEMPTS: u32 = 9;
/// The delays between attempts.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
/// How long to wait for the next bytes of a response.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

impl ObjectStore {
    /// Reads an object. The stream has exactly `object.size` bytes, in chunks of
    /// [`RANGE_BYTES`] of which the last one may be shorter, or it ends with an error. No request
    /// is sent before the stream is polled.
    ///
    /// # Errors
    /// See [`ReadError`]; after an error the stream ends.
    pub fn read(
        &self,
        object: ReadObject,
    ) -> impl Stream<Item = Result<Bytes, ReadError>> + Send + 'static {
        let reader = Reader {
            store: self.clone(),
            object,
        };
        let ranges = ranges(reader.object.size);
        let fetched = stream::iter(ranges).map(move |range| reader.clone().fetch(range));
        // It ends with the first error.
        stream::try_unfold(fetched.buffered(AT_ONCE), async |mut fetched| {
            Ok(fetched.try_next().await?.map(|bytes| (bytes, fetched)))
        })
    }
}

/// The ranges of an object. An empty object has one empty range, so that its ETag is checked.
fn ranges(size: u64) -> impl Iterator<Item = Range<u64>> + Send {
    let count = size.div_ceil(RANGE_BYTES).max(1);
    (0..count).map(move |index| {
        let start = index.saturating_mul(RANGE_BYTES);
        start..start.saturating_add(RANGE_BYTES).min(size)
    })
}

/// An object, and the store that has it.
#[derive(Clone)]
struct Reader {
    store: ObjectStore,
    object: ReadObject,
}

impl Reader {
    /// Reads a range, and continues in its middle after a failure.
    async fn fetch(self, range: Range<u64>) -> Result<Bytes, ReadError> {
        let length = range.end.saturating_sub(range.start);
        let mut bytes = BytesMut::with_capacity(usize::try_from(length).unwrap_or_default());
        let mut failures = 0;
        loop {
            let before = bytes.len();
            let read = u64::try_from(before).unwrap_or_default();
            let rest = range.start.saturating_add(read)..range.end;
            let error = match self.append(rest, &mut bytes).await {
                Ok(()) => return Ok(bytes.freeze()),
                Err(error) => error,
            };
            failures = match bytes.len() > before {
                true => 1,
                false => failures + 1,
            };
            if !error.is_temporary() || failures >= ATTEMPTS {
                return Err(error);
            }
            log::debug!("reading an object again after a failure: {error}");
            tokio::time::sleep(BACKOFF.delay(failures)).await;
        }
    }

    /// Requests a range once, and appends what arrives of it.
    async fn append(&self, range: Range<u64>, bytes: &mut BytesMut) -> Result<(), ReadError> {
        let call = (self.store.client.get_object())
            .bucket(self.store.bucket())
            .key(&self.object.key)
            .if_match(&self.object.etag)
            .set_version_id(self.object.version_id.clone())
            .set_range(response::range_header(&range));
        let sent = self.store.timed("GetObject", call.send()).await;
        let output = sent.map_err(|error| match response::refusal(&error) {
            Some(refusal) => refusal,
            None => failed("GetObject", error).into(),
        })?;
        response::check(&output, &self.object, &range)?;
        let mut missing = range.end.saturating_sub(range.start);
        let mut body = output.body;
        loop {
            let next = tokio::time::timeout(IDLE_TIMEOUT, body.next()).await;
            let Some(chunk) = next.map_err(response::broken)? else {
                break;
            };
            let chunk = chunk.map_err(response::broken)?;
            let size = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            missing = missing.checked_sub(size).ok_or_else(response::too_long)?;
            bytes.extend_from_slice(&chunk);
        }
        match missing {
            0 => Ok(()),
            _ => Err(response::broken("the response ends too early")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u64, end: u64) -> Range<u64> {
        Range { start, end }
    }

    #[test]
    fn ranges_cover_the_object_without_gaps() {
        let all = |size| ranges(size).collect::<Vec<_>>();
        assert_eq!(all(0), vec![range(0, 0)]);
        assert_eq!(all(1), vec![range(0, 1)]);
        assert_eq!(all(RANGE_BYTES), vec![range(0, RANGE_BYTES)]);
        let more = RANGE_BYTES + 1;
        assert_eq!(all(more), [0..RANGE_BYTES, RANGE_BYTES..more]);
    }
}
