//! What a client promises with its acknowledge, kept before S3 makes the object.

use chrono::TimeDelta;

use super::agree;
use super::claims::{Claimed, Claims};
use crate::domain::checksum::Checksum;
use crate::domain::proof::Declared;
use crate::domain::status::Transition;
use crate::domain::upload::{Multipart, Upload, Verifier};
use crate::objects::multipart::UploadedPart;
use crate::store::uploads::{self, Promise};
use crate::usecases::broker::Broker;
use crate::usecases::error::Result;

impl Broker {
    /// Keeps what was promised, and the janitors of other replicas away while S3 is at it: one may
    /// have read the row before, and knows neither.
    pub(super) async fn promise_more(
        &self,
        upload: &Upload,
        claimed: &Claimed,
        by: Verifier,
    ) -> Result<()> {
        let patience = TimeDelta::from_std(self.rules.complete_patience);
        let made_by = self.clock.now() + patience.unwrap_or_default();
        let promise = Promise {
            name: claimed.name.as_deref(),
            comments: claimed.comments.as_deref(),
            metadata: claimed.metadata.as_ref(),
            declared: &claimed.declared,
            // The janitor itself gives up what cannot be completed, at once.
            made_by: (by != Verifier::Janitor).then_some(made_by),
        };
        let mut connection = self.connection().await?;
        Ok(uploads::promise_more(&mut connection, upload.id, &promise).await?)
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
        uploads::promise_less(&mut connection, upload.id, before, promised).await?;
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
