//! Sends the bytes of a whole file by the URL of its session, or those of one part.

use std::sync::Arc;

use uuid::Uuid;

use super::attempts::{Attempts, Retry};
use super::slice::{SendAttempt, Slice};
use super::state::SentPart;
use super::uploader::Uploader;
use crate::client::api::PartRequest;
use crate::client::api::wire::{Checksum, Upload};
use crate::client::checksum::Algorithm;
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;
use crate::client::s3;

/// A part that has to be sent.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    pub(super) id: Uuid,
    pub(super) number: u32,
    pub(super) slice: Slice,
    /// Whether the session has no size yet, so that the broker has to be given the size of the
    /// part.
    pub(super) open: bool,
    pub(super) algorithm: Option<Algorithm>,
}

impl Uploader<'_> {
    /// Sends all bytes in one request, and ensures that they still have this checksum. If there is
    /// an object at the path already, an earlier attempt may have written it; the acknowledge
    /// decides.
    pub(super) async fn send_whole(
        &self,
        mut session: Upload,
        slice: &Slice,
        checksum: Option<&Checksum>,
        transfer: &Arc<Transfer>,
    ) -> Result<()> {
        let mut attempts = Attempts::new(&self.retry_limits);
        loop {
            // The session is no longer open. The acknowledge will return the reason.
            let Some(put) = session.upload.take() else {
                return Ok(());
            };
            let attempt = SendAttempt::new(transfer, algorithm_of(checksum));
            let body = slice.body(&attempt);
            let slot = self.slot(slice.size()).await?;
            let sent = (self.s3)
                .put(&put.url, &put.headers, slice.size(), body)
                .await;
            drop(slot);
            let Err(error) = sent else {
                return slice.was_sent_as(&attempt, checksum);
            };
            if s3::is_existing_object(&error) {
                return Ok(());
            }
            match attempts.after(attempt.failed(error)).await? {
                Retry::AfterDelay => session.upload = Some(put),
                Retry::WithFreshUrl => session = self.context.api.refresh(session.id).await?,
                Retry::Damaged => {
                    self.damaged(&session.path);
                    session.upload = Some(put);
                }
            }
        }
    }

    /// Sends one part. Each attempt requests a fresh URL and hashes the bytes again.
    pub(super) async fn send_part(
        &self,
        part: &Sending,
        transfer: &Arc<Transfer>,
    ) -> Result<SentPart> {
        let mut attempts = Attempts::new(&self.retry_limits);
        let size = part.slice.size();
        loop {
            let checksum = match part.algorithm {
                Some(algorithm) => Some(part.slice.checksum(algorithm).await?),
                None => None,
            };
            let wanted = PartRequest {
                part_number: part.number,
                size: part.open.then_some(size),
                checksum: checksum.clone(),
            };
            let signed = self.context.api.sign_parts(part.id, &[wanted]).await?;
            let signed = signed.into_iter().next();
            let signed = signed.filter(|signed| signed.size == size).ok_or_else(|| {
                Error::UnexpectedResponse(format!(
                    "the broker returned a different size for part {}",
                    part.number
                ))
            })?;
            let attempt = SendAttempt::new(transfer, algorithm_of(checksum.as_ref()));
            let body = part.slice.body(&attempt);
            let slot = self.slot(size).await?;
            let sent = self.s3.put(&signed.url, &signed.headers, size, body).await;
            drop(slot);
            let error = match sent {
                Ok(etag) => {
                    part.slice.was_sent_as(&attempt, checksum.as_ref())?;
                    return Ok(SentPart {
                        part_number: part.number,
                        etag,
                        checksum: attempt.checksum(),
                    });
                }
                Err(error) => attempt.failed(error),
            };
            if attempts.after(error).await? == Retry::Damaged {
                self.damaged(&format!("part {}", part.number));
            }
        }
    }

    fn damaged(&self, what: &str) {
        let message = format!("{what} was damaged on the way: sending it again");
        self.context.output.note(&message);
    }
}

/// The algorithm of a checksum; a default where there is none.
fn algorithm_of(checksum: Option<&Checksum>) -> Algorithm {
    let named = checksum.and_then(|checksum| Algorithm::from_name(&checksum.algorithm));
    named.unwrap_or(Algorithm::Crc64nvme)
}

impl Slice {
    /// Ensures that the bytes that were sent are those that were hashed before: the file may have
    /// changed in between, and not every store compares checksums.
    fn was_sent_as(&self, attempt: &SendAttempt, checksum: Option<&Checksum>) -> Result<()> {
        match (self, checksum) {
            (Self::File { file, .. }, Some(before)) if attempt.checksum() != *before => {
                Err(file.changed())
            }
            _ => Ok(()),
        }
    }
}
