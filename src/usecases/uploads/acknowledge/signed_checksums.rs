//! The checksums that parts were signed with, where the store does not list them.
//!
//! S3 wants those of SHA-1 and SHA-256 repeated when the parts are made an object, and lists them for
//! that. Stores that check them and do not list them get the ones that the URLs were signed with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::checksum::{Algorithm, Checksum};
use crate::domain::upload::{Multipart, Upload};
use crate::objects::multipart::UploadedPart;
use crate::store::signed_parts;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

impl Broker {
    /// The parts with the checksums that were signed in place of those that are not listed; `None`
    /// where nothing is missing.
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
