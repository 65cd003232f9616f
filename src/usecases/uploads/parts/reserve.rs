//! Reserves the size of the requested parts: compares it with limits and quotas before a URL
//! exists.
//!
//! The size of an open-ended upload is the sum of its parts. The sum is stored in the row, so that
//! it is valid across replicas and restarts: a part that is requested again counts once, with its
//! larger size, whether it was sent or not. Of two concurrent callers, the second one waits for the
//! commit of the first. The sum counts against the tenant's quota until the upload ends. A crash
//! after the commit leaves parts counted whose URLs were not returned; a repeated request returns
//! them.
//!
//! The checksums of the parts are stored as well: some stores do not list them, and require them at
//! the completion.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel_async::AsyncConnection as _;

use crate::domain::quota::{Quota, Usage, signed_bytes};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::Transition;
use crate::domain::upload::Upload;
use crate::store::signed_parts::{self, SignedPart, SignedTotal};
use crate::store::{Connection, quotas};
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::parts::sign::PartToSign;

impl Broker {
    /// Counts the parts of an open-ended upload that S3 has, where no size was signed for them. Refuses
    /// them if their sum exceeds the tenant's quota. Counts nothing if the upload is no longer Pending.
    pub(in crate::usecases) async fn count_parts(&self, upload: &Upload, sum: u64) -> Result<()> {
        let _permit = self.connections.permit(&upload.tenant).await?;
        let mut connection = self.connection().await?;
        connection
            .transaction(async |connection| {
                let mut usages = quotas::lock_usage(connection, &[&upload.tenant]).await?;
                let Some(signed) = signed_parts::lock_upload(connection, upload.id).await? else {
                    return Ok(());
                };
                let sum = sum.max(signed.sum);
                add_to_usage(usages.get_mut(&upload.tenant), signed, sum)?;
                signed_parts::set_signed_size(connection, upload.id, sum).await?;
                Ok(())
            })
            .await
    }

    /// Counts and stores parts that are about to be signed. Refuses them if their sum exceeds
    /// `most` bytes or the tenant's quota, or if the upload is no longer Pending.
    pub(super) async fn reserve(
        &self,
        upload: &Upload,
        parts: &[PartToSign],
        most: u64,
    ) -> Result<()> {
        let is_open = upload.size_at_create().is_none();
        if !is_open && parts.iter().all(|part| part.checksum.is_none()) {
            return Ok(());
        }
        let rows: Vec<SignedPart> = parts.iter().map(signed_part).collect();
        let _permit = self.connections.permit(&upload.tenant).await?;
        let mut connection = self.connection().await?;
        let is_reserved = connection
            .transaction(async |connection| {
                // The quota is locked before the row, as for new uploads.
                let mut usages = match is_open {
                    true => quotas::lock_usage(connection, &[&upload.tenant]).await?,
                    false => Default::default(),
                };
                let Some(signed) = signed_parts::lock_upload(connection, upload.id).await? else {
                    return Ok(false);
                };
                if is_open {
                    let sum = sum_of(connection, upload, signed, &rows).await?;
                    if sum > most {
                        return Err(Error::from(parts_too_large(upload, sum, most)));
                    }
                    let usage = usages.get_mut(&upload.tenant);
                    add_to_usage(usage, signed, sum)?;
                    signed_parts::set_signed_size(connection, upload.id, sum).await?;
                }
                signed_parts::save(connection, upload.id, &rows).await?;
                Ok(true)
            })
            .await?;
        drop(connection);
        if is_reserved {
            return Ok(());
        }
        let now = self.reload(upload).await?;
        Err(Refusal::wrong_status(now.id, now.status, Transition::Cancel).into())
    }
}

/// Adds what an upload counts with a `sum` of its parts to the usage of its tenant. Refused if that
/// exceeds the quota.
fn add_to_usage(
    usage: Option<&mut (Quota, Usage)>,
    signed: SignedTotal,
    sum: u64,
) -> Result<(), Refusal> {
    let more = sum.max(signed.size) - signed.sum.max(signed.size);
    match usage {
        Some((quota, usage)) => quota.add_bytes(usage, more).map_err(Refusal::over_quota),
        None => Ok(()),
    }
}

async fn sum_of(
    connection: &mut Connection,
    upload: &Upload,
    signed: SignedTotal,
    parts: &[SignedPart],
) -> Result<u64> {
    let numbers = parts.iter().map(|part| part.number);
    let before = signed_parts::sizes(connection, upload.id, numbers).await?;
    let asked = parts.iter().map(|part| {
        let before = before.get(&part.number).copied();
        (before.unwrap_or_default(), part.size)
    });
    Ok(signed_bytes(signed.sum, asked))
}

fn signed_part(part: &PartToSign) -> SignedPart {
    let checksum = part.checksum.as_ref();
    SignedPart {
        number: part.number,
        size: part.size,
        checksum: checksum.and_then(|checksum| STANDARD.decode(checksum.value()).ok()),
    }
}

fn parts_too_large(upload: &Upload, sum: u64, most: u64) -> Refusal {
    let pointed = format!("would make the upload {sum} bytes, expected at most {most}");
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        errors: Refusal::field("/parts", pointed).errors,
        ..Refusal::new(
            Code::SizeLimitExceeded,
            format!(
                "The parts that were requested so far have {sum} bytes in total, more than the limit of {most} bytes. No URL was signed."
            ),
        )
    }
}
