//! What a client promises with its acknowledge, kept before S3 makes the object.

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
    /// Keeps what was promised before S3 is at it: another replica may have to go on with it. Fails
    /// where another replica has taken the upload over meanwhile.
    pub(super) async fn save_expected_values(
        &self,
        upload: &Upload,
        valid: &ValidExpected,
    ) -> Result<()> {
        let promise = ExpectedValues {
            name: valid.name.as_deref(),
            comments: valid.comments.as_deref(),
            metadata: valid.metadata.as_ref(),
            declared: &valid.declared,
        };
        let mut connection = self.connection().await?;
        let kept = uploads::add_expected_values(&mut connection, upload, &promise).await?;
        drop(connection);
        if kept || !Transition::Acknowledge.allows(self.reload(upload).await?.status) {
            return Ok(());
        }
        let cause = "another replica has taken over the upload";
        Err(Error::unavailable(Dependency::S3, cause))
    }

    /// Others may have completed it too, or ended it, and promised more than this caller knows.
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

    /// Takes the expected back: nothing was made of the parts.
    pub(super) async fn revert_saved_values(
        &self,
        upload: &Upload,
        before: &Declared,
        valid: &ValidExpected,
    ) -> Result<()> {
        let mut connection = self.connection().await?;
        let promised = &valid.declared;
        uploads::revert_expected_values(&mut connection, upload.id, before, promised).await?;
        Ok(())
    }
}

impl ValidExpected {
    /// What the checksums of the parts, which the store held the bytes to, say of the whole: kept
    /// where the client promises nothing else of it.
    pub(super) fn add_checksum_of_parts(
        &mut self,
        expected: &Expected,
        multipart: &Multipart,
        parts: &[UploadedPart],
    ) {
        let promised = (self.declared.checksum.as_ref())
            .is_some_and(|checksum| expected.checksum.is_some() || !checksum.is_composite());
        if let Some(algorithm) = multipart.part_checksums
            && !promised
        {
            let checksum = compare_parts::checksum_of_parts(algorithm, parts);
            self.declared.checksum = checksum.filter(Checksum::is_composite);
        }
    }
}
