//! Standard input: bytes that can be read once, and of which nobody knows how many there are.
//!
//! What fits one part goes in one request. Of more, each part is kept in memory until the store has
//! it, so that it can be sent again; later parts are larger, so that 10,000 of them carry nearly
//! 900 GiB, and fewer of those are under way at once: never more than about 128 MiB. Where a store
//! wants parts of one size, `--part-size` chooses it, and with it the longest stream. A run that
//! dies cannot be resumed, as its bytes are gone; the broker frees its parts.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::Either;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use uuid::Uuid;

use super::Put;
use super::done::Done;
use super::parts::Tally;
use super::send::Sending;
use super::slice::Slice;
use crate::client::api::wire::{Acknowledge, Checksum, Upload};
use crate::client::checksum::{Algorithm, Hasher};
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;
use crate::client::size::human;

const MIB: u64 = 1 << 20;
/// Bytes that may be in memory on their way, but for the part that is read meanwhile.
const UNDER_WAY: u64 = 128 * MIB;
/// How long its session is asked to live, in seconds: whoever feeds the pipe may take a while. Not
/// longer, as the parts of a run that was killed stay until then.
const LIFE: u64 = 24 * 3600;
/// How many parts S3 takes.
const PARTS: u32 = 10_000;

/// How large the parts are.
#[derive(Clone, Copy, Debug)]
enum PartSizes {
    /// 8 MiB, and twice as much after each 1,000 parts, up to 128 MiB.
    Growing,
    /// All of so many bytes, but the last.
    Equal(u64),
}

impl PartSizes {
    /// Bytes of this part.
    fn of(self, number: u32) -> u64 {
        match self {
            Self::Growing => {
                let doubled = number.saturating_sub(1) / 1_000;
                (8 * MIB) << doubled.min(4)
            }
            Self::Equal(size) => size,
        }
    }

    /// Bytes of the longest stream.
    fn longest(self) -> u64 {
        (1..=PARTS).map(|number| self.of(number)).sum()
    }
}

impl Put<'_> {
    /// Uploads what comes out of `input`.
    pub(super) async fn pipe(
        &self,
        path: &str,
        input: impl AsyncRead + Unpin,
        transfer: &Arc<Transfer>,
    ) -> Result<Done> {
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
            let sent = self.at_once(session, first, transfer).await;
            return self.or_cancel(id, sent).await;
        }
        let session = api.create(&self.options.parts(path, None), &key).await?;
        // Where it may not live longer, it lives on as long as its parts are asked for.
        let _ = api.extend(session.id, Some(LIFE)).await;
        let sent = self
            .in_open_parts(&session, first, (input, sizes), transfer)
            .await;
        self.or_cancel(session.id, sent).await
    }

    async fn or_cancel(&self, id: Uuid, sent: Result<Done>) -> Result<Done> {
        if sent.is_err() {
            // What cannot be freed now the broker frees at the session's end.
            let _ = self.context.api.cancel(id).await;
        }
        sent
    }

    async fn at_once(
        &self,
        session: Upload,
        bytes: Bytes,
        transfer: &Arc<Transfer>,
    ) -> Result<Done> {
        let id = session.id;
        let slice = Slice::Memory(bytes);
        if session.multipart.is_some() {
            let part = part(&session, 1, slice.clone());
            self.send_part(&part, transfer).await?;
        } else {
            self.send_whole(session, &slice, None, transfer).await?;
        }
        self.proven(id, &Acknowledge::default(), slice.size()).await
    }

    async fn in_open_parts(
        &self,
        session: &Upload,
        first: Bytes,
        (mut input, sizes): (Input<impl AsyncRead + Unpin>, PartSizes),
        transfer: &Arc<Transfer>,
    ) -> Result<Done> {
        let mut sending = FuturesUnordered::new();
        let (mut number, mut under_way) = (1_u32, 0_u64);
        let mut next = Some(first);
        while let Some(bytes) = next.take() {
            let slice = Slice::Memory(bytes);
            let size = slice.size();
            let part = part(session, number, slice);
            under_way = under_way.saturating_add(size);
            sending.push(async move { self.send_part(&part, transfer).await.map(|_| size) });
            number = number.saturating_add(1);
            // The next part is read while others are sent, when there is room for it.
            let wanted = sizes.of(number);
            while sending.len() >= self.parallel
                || (!sending.is_empty() && under_way.saturating_add(wanted) > UNDER_WAY)
            {
                let sent = sending.next().await.transpose()?;
                under_way = under_way.saturating_sub(sent.unwrap_or_default());
            }
            if input.ended {
                break;
            }
            if number > PARTS {
                let longest = human(sizes.longest());
                return Err(Error::Failed(format!(
                    "standard input is longer than {longest}, which is what {PARTS} parts of this \
                     size carry: give a larger --part-size, or write it to a file first"
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
                        under_way = under_way.saturating_sub(sent.unwrap_or_default());
                    }
                }
            };
            next = (!bytes.is_empty()).then_some(bytes);
        }
        while let Some(sent) = sending.next().await {
            sent?;
        }
        let claims = Acknowledge {
            size: Some(input.size),
            // Of SHA-256 there is none of the whole, but the store held each part to its own.
            checksum: input.checksum().filter(|sum| sum.algorithm != "SHA256"),
            etag: None,
        };
        self.proven(session.id, &claims, input.size).await
    }

    async fn proven(&self, id: Uuid, claims: &Acknowledge, size: u64) -> Result<Done> {
        let upload = self.context.api.acknowledge(id, claims).await?;
        let tally = Tally {
            sent_bytes: size,
            ..Tally::default()
        };
        Ok(Done::proven(upload, tally, None))
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
        algorithm: algorithm.and_then(Algorithm::named),
    }
}

/// A reader that counts and hashes.
struct Input<R> {
    reader: R,
    hasher: Option<Hasher>,
    /// Bytes so far.
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

    /// As many bytes as asked for; fewer, or none, at the end.
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
    fn parts_grow_and_stay_within_bounds() {
        let sizes = PartSizes::Growing;
        assert_eq!(sizes.of(1), 8 * MIB);
        assert_eq!(sizes.of(1_000), 8 * MIB);
        assert_eq!(sizes.of(1_001), 16 * MIB);
        assert_eq!(sizes.of(PARTS), 128 * MIB);
        assert_eq!(sizes.longest(), 888_000 * MIB);
    }

    #[test]
    fn chosen_parts_are_of_one_size() {
        let sizes = PartSizes::Equal(5 * MIB);
        assert_eq!(sizes.of(1), sizes.of(PARTS));
        assert_eq!(sizes.longest(), 50_000 * MIB);
    }
}
