//! The checksums that parts were signed with, for stores that do not list them.
//!
//! S3 requires the SHA-1 and SHA-256 checksums of the parts at the completion, and lists them for
//! that. Stores that verify them but do not list them get the checksums that the URLs were signed
//! with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::checksum::{Algorithm, Checksum};
use crate::domain::upload::{Multipart, Upload};
use crate::objects::multipart::UploadedPart;
use crate::store::signed_parts;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

impl Broker {
    /// Returns the parts with the signed checksums in place of those that are not listed; `None` if
    /// none is missing.
    pub(super) async fn with_signed_checksums(
        &self,
        upload: &Upload,
        multipart: &Multipart,
        parts: &[UploadedPart],
    ) -> Result<Option<Vec<UploadedPart>>> {
        let Some(algorithm) = multipart.part_checksums else {
            return Ok(None);
        };
        if parts.iter().all(|part| part.checksum.is_some()) {
            return Ok(None);
        }
        let mut connection = self.connection().await?;
        let signed = signed_parts::checksums(&mut connection, upload.id).await?;
        drop(connection);
        let with_signed = |part: &UploadedPart| {
            let raw = || checksum(algorithm, signed.get(&part.number)?);
            UploadedPart {
                checksum: part.checksum.clone().or_else(raw),
                ..part.clone()
            }
        };
        Ok(Some(parts.iter().map(with_signed).collect()))
    }
}

fn checksum(algorithm: Algorithm, raw: &[u8]) -> Option<Checksum> {
    Checksum::new(algorithm, &STANDARD.encode(raw)).ok()
}
