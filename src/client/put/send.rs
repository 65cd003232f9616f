//! Sends one thing: the whole of a file by its session's URL, or one part of it.

use std::sync::Arc;

use uuid::Uuid;

use super::Put;
use super::attempts::{Again, Attempts};
use super::slice::{Reading, Slice};
use super::state::SentPart;
use crate::client::api::Wanted;
use crate::client::api::wire::{Checksum, Upload};
use crate::client::checksum::Algorithm;
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;
use crate::client::s3;

/// A part to be.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    pub(super) id: Uuid,
    pub(super) number: u32,
    pub(super) slice: Slice,
    /// Whether the broker has to be told how many bytes it has.
    pub(super) open: bool,
    pub(super) algorithm: Option<Algorithm>,
}

impl Put<'_> {
    /// Sends all of it in one request: the bytes that have this checksum, and no others. Where
    /// something stands at the path already, an earlier try may have written it: the acknowledge
    /// decides.
    pub(super) async fn send_whole(
        &self,
        mut session: Upload,
        slice: &Slice,
        checksum: Option<&Checksum>,
        transfer: &Arc<Transfer>,
    ) -> Result<()> {
        let mut attempts = Attempts::new(&self.patience);
        loop {
            // A session that waits for nothing any more: the acknowledge tells why.
            let Some(put) = session.upload.take() else {
                return Ok(());
            };
            let reading = Reading::new(transfer, algorithm_of(checksum));
            let body = slice.body(&reading);
            let slot = self.slot(slice.size()).await?;
            let sent = (self.s3)
                .put(&put.url, &put.headers, slice.size(), body)
                .await;
            drop(slot);
            let Err(error) = sent else {
                return slice.was_sent_as(&reading, checksum);
            };
            if s3::is_there_already(&error) {
                return Ok(());
            }
            match attempts.after(reading.failed(error)).await? {
                Again::Later => session.upload = Some(put),
                Again::FreshUrl => session = self.context.api.refresh(session.id).await?,
                Again::Damaged => {
                    self.damaged(&session.path);
                    session.upload = Some(put);
                }
            }
        }
    }

    /// Sends one part, each time by a fresh URL and with the checksum of what is read now.
    pub(super) async fn send_part(
        &self,
        part: &Sending,
        transfer: &Arc<Transfer>,
    ) -> Result<SentPart> {
        let mut attempts = Attempts::new(&self.patience);
        let size = part.slice.size();
        loop {
            let checksum = match part.algorithm {
                Some(algorithm) => Some(part.slice.checksum(algorithm).await?),
                None => None,
            };
            let wanted = Wanted {
                part_number: part.number,
                size: part.open.then_some(size),
                checksum: checksum.clone(),
            };
            let signed = self.context.api.sign_parts(part.id, &[wanted]).await?;
            let signed = signed.into_iter().next();
            let signed = signed.filter(|signed| signed.size == size).ok_or_else(|| {
                Error::Strange(format!("the broker plans another part {}", part.number))
            })?;
            let reading = Reading::new(transfer, algorithm_of(checksum.as_ref()));
            let body = part.slice.body(&reading);
            let slot = self.slot(size).await?;
            let sent = self.s3.put(&signed.url, &signed.headers, size, body).await;
            drop(slot);
            let error = match sent {
                Ok(etag) => {
                    part.slice.was_sent_as(&reading, checksum.as_ref())?;
                    return Ok(SentPart {
                        part_number: part.number,
                        etag,
                        checksum: reading.checksum(),
                    });
                }
                Err(error) => reading.failed(error),
            };
            if attempts.after(error).await? == Again::Damaged {
                self.damaged(&format!("part {}", part.number));
            }
        }
    }

    fn damaged(&self, what: &str) {
        let said = format!("{what} did not come as it was sent: sent again");
        self.context.output.note(&said);
    }
}

/// The algorithm of a checksum; one of our own where there is none.
fn algorithm_of(checksum: Option<&Checksum>) -> Algorithm {
    let named = checksum.and_then(|checksum| Algorithm::named(&checksum.algorithm));
    named.unwrap_or(Algorithm::Crc64nvme)
}

impl Slice {
    /// Ensures that the bytes which went out are those that were hashed before: a file may have
    /// changed in between, and not every store compares checksums.
    fn was_sent_as(&self, reading: &Reading, checksum: Option<&Checksum>) -> Result<()> {
        match (self, checksum) {
            (Self::File { file, .. }, Some(before)) if reading.checksum() != *before => {
                Err(file.changed())
            }
            _ => Ok(()),
        }
    }
}
