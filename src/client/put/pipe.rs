//! Uploads standard input: bytes that can be read only once, and whose number is not known.
//!
//! An input that fits into one part is sent in one request. Otherwise each part is kept in memory
//! until the store has it, so that it can be sent again. Later parts are larger, so that 10,000 of
//! them carry nearly 900 GiB, and fewer of the larger ones are in flight: never more than about 128
//! MiB in all. For a store that requires parts of equal size, `--part-size` sets it, and thereby
//! the longest possible input. A run that dies cannot be resumed, because its bytes are gone; the
//! broker frees its parts.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::Either;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use uuid::Uuid;

use super::parts::Counts;
use super::report::Finished;
use super::send::Sending;
use super::slice::Slice;
use super::uploader::Uploader;
use crate::client::api::wire::{Checksum, Expected, Upload};
use crate::client::checksum::{Algorithm, Hasher};
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;
use crate::client::size::human;

const MIB: u64 = 1 << 20;
/// The most bytes in flight, in addition to the part that is being read.
const MAX_BYTES_IN_FLIGHT: u64 = 128 * MIB;
/// The lifetime of the session in seconds: the program that writes to the pipe may take a while. It
/// is not longer, because the parts of a run that was killed remain until then.
const LIFETIME: u64 = 24 * 3600;
/// The most parts of a multipart upload in S3.
const MAX_PARTS: u32 = 10_000;

/// The sizes of the parts.
#[derive(Clone, Copy, Debug)]
enum PartSizes {
    /// 8 MiB, doubled after each 1,000 parts up to 128 MiB.
    Growing,
    /// This many bytes each, except the last one.
    Equal(u64),
}

impl PartSizes {
    /// The size of a part in bytes.
    fn of(self, number: u32) -> u64 {
        match self {
            Self::Growing => {
                let doubled = number.saturating_sub(1) / 1_000;
                (8 * MIB) << doubled.min(4)
            }
            Self::Equal(size) => size,
        }
    }

    /// The size of the longest possible input in bytes.
    fn longest(self) -> u64 {
        (1..=MAX_PARTS).map(|number| self.of(number)).sum()
    }
}

impl Uploader<'_> {
    /// Uploads everything that `input` contains.
    pub(super) async fn pipe(
        &self,
        path: &str,
        input: impl AsyncRead + Unpin,
        transfer: &Arc<Transfer>,
    ) -> Result<Finished> {
        let mut input = Input::new(input, self.options.algorithm());
        let sizes = match self.options.part_size() {
            Some(size) => PartSizes::Equal(size),
            None => PartSizes::Growing,
        };
        let first = input.next(sizes.of(1)).await?;
        let key = Uuid::new_v4().to_string();
        let api = &self.context.api;
        if input.ended {
            let body = self.options.whole(path, input.size, input.checksum());
            let session = api.create(&body, &key).await?;
            let id = session.id;
            let sent = self.send_whole_input(session, first, transfer).await;
            return self.or_cancel(id, sent).await;
        }
        let session = api.create(&self.options.parts(path, None), &key).await?;
        // The broker may refuse a longer lifetime. Then the session is extended by the requests for
        // its parts.
        let _ = api.extend(session.id, Some(LIFETIME)).await;
        let sent = self
            .send_input_in_parts(&session, first, (input, sizes), transfer)
            .await;
        self.or_cancel(session.id, sent).await
    }

    async fn or_cancel(&self, id: Uuid, sent: Result<Finished>) -> Result<Finished> {
        if sent.is_err() {
            // If the cancel fails, the broker frees the parts when the session ends.
            let _ = self.context.api.cancel(id).await;
        }
        sent
    }

    async fn send_whole_input(
        &self,
        session: Upload,
        bytes: Bytes,
        transfer: &Arc<Transfer>,
    ) -> Result<Finished> {
        let id = session.id;
        let slice = Slice::Memory(bytes);
        if session.multipart.is_some() {
            let part = part(&session, 1, slice.clone());
            self.send_part(&part, transfer).await?;
        } else {
            self.send_whole(session, &slice, None, transfer).await?;
        }
        self.proven(id, &Expected::default(), slice.size()).await
    }

    async fn send_input_in_parts(
        &self,
        session: &Upload,
        first: Bytes,
        (mut input, sizes): (Input<impl AsyncRead + Unpin>, PartSizes),
        transfer: &Arc<Transfer>,
    ) -> Result<Finished> {
        let mut sending = FuturesUnordered::new();
        let (mut number, mut in_flight) = (1_u32, 0_u64);
        let mut next = Some(first);
        while let Some(bytes) = next.take() {
            let slice = Slice::Memory(bytes);
            let size = slice.size();
            let part = part(session, number, slice);
            in_flight = in_flight.saturating_add(size);
            sending.push(async move { self.send_part(&part, transfer).await.map(|_| size) });
            number = number.saturating_add(1);
            // While parts are sent, the next one is read if there is room for it.
            let wanted = sizes.of(number);
            while sending.len() >= self.parallel
                || (!sending.is_empty() && in_flight.saturating_add(wanted) > MAX_BYTES_IN_FLIGHT)
            {
                let sent = sending.next().await.transpose()?;
                in_flight = in_flight.saturating_sub(sent.unwrap_or_default());
            }
            if input.ended {
                break;
            }
            if number > MAX_PARTS {
                let longest = human(sizes.longest());
                return Err(Error::Failed(format!(
                    "standard input is longer than {longest}, the most that {MAX_PARTS} parts of this size can \
                     carry: use a larger --part-size, or write it to a file first"
                )));
            }
            let mut reading = std::pin::pin!(input.next(wanted));
            let bytes = loop {
                if sending.is_empty() {
                    break reading.as_mut().await?;
                }
                let sent = sending.next();
                match futures::future::select(reading.as_mut(), sent).await {
                    Either::Left((bytes, _)) => break bytes?,
                    Either::Right((sent, _)) => {
                        let sent = sent.transpose()?;
                        in_flight = in_flight.saturating_sub(sent.unwrap_or_default());
                    }
                }
            };
            next = (!bytes.is_empty()).then_some(bytes);
        }
        while let Some(sent) = sending.next().await {
            sent?;
        }
        let expected = Expected {
            size: Some(input.size),
            // SHA-256 has no checksum of the whole, but the store has compared each part with its
            // own.
            checksum: input.checksum().filter(|sum| sum.algorithm != "SHA256"),
            etag: None,
        };
        self.proven(session.id, &expected, input.size).await
    }

    async fn proven(&self, id: Uuid, expected: &Expected, size: u64) -> Result<Finished> {
        let upload = self.context.api.acknowledge(id, expected).await?;
        let counts = Counts {
            sent_bytes: size,
            ..Counts::default()
        };
        Ok(Finished::proven(upload, counts, None))
    }
}

fn part(session: &Upload, number: u32, slice: Slice) -> Sending {
    let multipart = session.multipart.as_ref();
    let algorithm = multipart.and_then(|multipart| multipart.part_checksums.as_deref());
    Sending {
        id: session.id,
        number,
        slice,
        open: session.size.is_none(),
        algorithm: algorithm.and_then(Algorithm::from_name),
    }
}

/// A reader that counts and hashes its bytes.
struct Input<R> {
    reader: R,
    hasher: Option<Hasher>,
    /// How many bytes have been read.
    size: u64,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Input<R> {
    fn new(reader: R, algorithm: Option<Algorithm>) -> Self {
        Self {
            reader,
            hasher: algorithm.map(Hasher::new),
            size: 0,
            ended: false,
        }
    }

    /// Reads this many bytes; fewer, or none, at the end of the input.
    async fn next(&mut self, wanted: u64) -> Result<Bytes> {
        let mut bytes = Vec::new();
        let mut limited = (&mut self.reader).take(wanted);
        while !self.ended && u64::try_from(bytes.len()).unwrap_or(u64::MAX) < wanted {
            let read = limited.read_buf(&mut bytes).await;
            let count = read.map_err(|error| Error::local("cannot read standard input", error))?;
            self.ended = count == 0;
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&bytes);
        }
        self.size += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(bytes.into())
    }

    fn checksum(&self) -> Option<Checksum> {
        self.hasher.clone().map(Hasher::finish)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_part_sizes_double_up_to_128_mib() {
        let sizes = PartSizes::Growing;
        assert_eq!(sizes.of(1), 8 * MIB);
        assert_eq!(sizes.of(1_000), 8 * MIB);
        assert_eq!(sizes.of(1_001), 16 * MIB);
        assert_eq!(sizes.of(MAX_PARTS), 128 * MIB);
        assert_eq!(sizes.longest(), 888_000 * MIB);
    }

    #[test]
    fn chosen_part_size_applies_to_all_parts() {
        let sizes = PartSizes::Equal(5 * MIB);
        assert_eq!(sizes.of(1), sizes.of(MAX_PARTS));
        assert_eq!(sizes.longest(), 50_000 * MIB);
    }
}
