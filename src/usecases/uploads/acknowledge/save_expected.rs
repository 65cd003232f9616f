//! Saves the expected values of an acknowledge request before S3 creates the object.

use super::compare_parts;
use super::expected::{Expected, ValidExpected};
use crate::domain::checksum::Checksum;
use crate::domain::proof::Declared;
use crate::domain::status::Transition;
use crate::domain::upload::{Multipart, Upload};
use crate::objects::multipart::UploadedPart;
use crate::store::uploads::{self, ExpectedValues};
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};

impl Broker {
    /// Saves the expected values before the parts are completed, because another replica may have
    /// to continue with them. Fails if another replica has taken over the upload meanwhile.
    pub(super) async fn save_expected_values(
        &self,
        upload: &Upload,
        valid: &ValidExpected,
    ) -> Result<()> {
        let values = ExpectedValues {
            name: valid.name.as_deref(),
            comments: valid.comments.as_deref(),
            metadata: valid.metadata.as_ref(),
            declared: &valid.declared,
        };
        let mut connection = self.connection().await?;
        let is_saved = uploads::add_expected_values(&mut connection, upload, &values).await?;
        drop(connection);
        if is_saved || !Transition::Acknowledge.allows(self.reload(upload).await?.status) {
            return Ok(());
        }
        let cause = "another replica has taken over the upload";
        Err(Error::unavailable(Dependency::S3, cause))
    }

    /// Reads the upload again, and validates the expected values against it: another caller may
    /// have completed or ended it, or declared more values.
    pub(super) async fn reload_and_validate(
        &self,
        upload: &mut Upload,
        expected: Expected,
        valid: ValidExpected,
    ) -> Result<ValidExpected> {
        *upload = self.reload(upload).await?;
        if !Transition::Acknowledge.allows(upload.status) {
            return Ok(valid);
        }
        Ok(expected.validate(upload)?)
    }

    /// Reverts the saved values, because the parts were not completed.
    pub(super) async fn revert_saved_values(
        &self,
        upload: &Upload,
        before: &Declared,
        valid: &ValidExpected,
    ) -> Result<()> {
        let mut connection = self.connection().await?;
        let saved = &valid.declared;
        uploads::revert_expected_values(&mut connection, upload.id, before, saved).await?;
        Ok(())
    }
}

impl ValidExpected {
    /// Adds the checksum that follows from the checksums of the parts, which the store has
    /// verified, unless the client declared one.
    pub(super) fn add_checksum_of_parts(
        &mut self,
        expected: &Expected,
        multipart: &Multipart,
        parts: &[UploadedPart],
    ) {
        let is_declared = (self.declared.checksum.as_ref())
            .is_some_and(|checksum| expected.checksum.is_some() || !checksum.is_composite());
        if let Some(algorithm) = multipart.part_checksums
            && !is_declared
        {
            let checksum = compare_parts::checksum_of_parts(algorithm, parts);
            self.declared.checksum = checksum.filter(Checksum::is_composite);
        }
    }
}
