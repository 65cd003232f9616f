//! What a client promises with its acknowledge, kept before S3 makes the object.

use super::agree;
use super::claims::{Claimed, Claims};
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
    pub(super) async fn promise_more(&self, upload: &Upload, claimed: &Claimed) -> Result<()> {
        let promise = ExpectedValues {
            name: claimed.name.as_deref(),
            comments: claimed.comments.as_deref(),
            metadata: claimed.metadata.as_ref(),
            declared: &claimed.declared,
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
    pub(super) async fn see_anew(
        &self,
        upload: &mut Upload,
        claims: Claims,
        claimed: Claimed,
    ) -> Result<Claimed> {
        *upload = self.reload(upload).await?;
        if !Transition::Acknowledge.allows(upload.status) {
            return Ok(claimed);
        }
        Ok(claims.check(upload)?)
    }

    /// Takes the claims back: nothing was made of the parts.
    pub(super) async fn promise_less(
        &self,
        upload: &Upload,
        before: &Declared,
        claimed: &Claimed,
    ) -> Result<()> {
        let mut connection = self.connection().await?;
        let promised = &claimed.declared;
        uploads::revert_expected_values(&mut connection, upload.id, before, promised).await?;
        Ok(())
    }
}

impl Claimed {
    /// What the checksums of the parts, which the store held the bytes to, say of the whole: kept
    /// where the client promises nothing else of it.
    pub(super) fn promise_parts(
        &mut self,
        claims: &Claims,
        multipart: &Multipart,
        parts: &[UploadedPart],
    ) {
        let promised = (self.declared.checksum.as_ref())
            .is_some_and(|checksum| claims.checksum.is_some() || !checksum.is_composite());
        if let Some(algorithm) = multipart.part_checksums
            && !promised
        {
            let told = agree::told(algorithm, parts);
            self.declared.checksum = told.filter(Checksum::is_composite);
        }
    }
}
