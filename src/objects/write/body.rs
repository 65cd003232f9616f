//! A piece of a file as the body of a request, read while it is sent.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

/// How much is read at a time, in bytes.
const CHUNK_BYTES: u64 = 256 * 1024;

/// Reads bytes of a file at a position, regardless of the position of its handle. So several
/// attempts can read the same file, even if one of them is still running.
///
/// # Errors
/// The disk fails, or the file is shorter than the range.
pub(super) async fn read(file: &Arc<File>, range: Range<u64>) -> io::Result<Bytes> {
    start_reading(file, range).await.map_err(io::Error::other)?
}

fn start_reading(file: &Arc<File>, range: Range<u64>) -> JoinHandle<io::Result<Bytes>> {
    let file = Arc::clone(file);
    tokio::task::spawn_blocking(move || {
        let size = usize::try_from(range.end.saturating_sub(range.start));
        let mut bytes = vec![0; size.map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, range.start)?;
        Ok(bytes.into())
    })
}

/// The first `size` bytes of `file` as a body, of which a chunk is in memory at a time. The SDK can
/// send it several times.
pub(super) fn of_file(file: &Arc<File>, size: u64) -> ByteStream {
    let file = Arc::clone(file);
    let body = SdkBody::retryable(move || {
        SdkBody::from_body_1_x(FileBody {
            file: Arc::clone(&file),
            rest: 0..size,
            reading: None,
        })
    });
    ByteStream::new(body)
}

struct FileBody {
    file: Arc<File>,
    /// What has not been requested from the disk.
    rest: Range<u64>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.reading.is_none() && !self.rest.is_empty() {
            let end = self
                .rest
                .start
                .saturating_add(CHUNK_BYTES)
                .min(self.rest.end);
            let chunk = self.rest.start..end;
            self.rest.start = end;
            self.reading = Some(start_reading(&self.file, chunk));
        }
        let Some(reading) = self.reading.as_mut() else {
            return Poll::Ready(None);
        };
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        let read = read.map_err(io::Error::other).flatten();
        Poll::Ready(Some(read.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.reading.is_none() && self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        // Asked before the first chunk is read, for the length of the request.
        match self.reading {
            None => SizeHint::with_exact(self.rest.end.saturating_sub(self.rest.start)),
            Some(_) => SizeHint::default(),
        }
    }
}
