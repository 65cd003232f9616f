//! Assemble: the parts of an upload become its object.
//!
//! The store says which parts there are, and only what is whole is completed: no part is missing,
//! none has another size, the sum is the promised one, and the checksum and the ETag of the whole
//! are, as far as the parts say ([`agree`]). What a client promised with its acknowledge is kept in
//! the row before the completion, so that a crash, a lost answer or another prover that is faster
//! holds the object to all of it; what was wrong is not kept.
//!
//! The store's answer may get lost, or two callers may complete at once: "there is no such upload"
//! then means that there is an object. HEAD tells, so that this never says Uploaded by itself. Where
//! parts are missing, or S3 refuses them, the upload stays Pending, as its client can send them
//! anew; where the whole can never be what was promised, or may not stand there, the upload fails.
//!
//! [`agree`]: super::agree

use super::blocker::Blocker;
use super::compare_parts::{self, PartsComparison};
use super::expected::{Expected, ValidExpected};
use super::refusals::mismatch;
use super::validate_parts::validate_parts;
use crate::domain::checksum::Checksum;
use crate::domain::mismatch::Mismatch;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::objects::multipart::{CompleteMultipart, Completion};
use crate::store::tenants;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::parts::belongs_to_other_tenant;
use crate::usecases::uploads::parts::sign::plan;
use crate::usecases::uploads::session::precondition;

/// How often the parts are listed anew because somebody sent one again meanwhile.
const ATTEMPTS: u32 = 3;

/// What came of the parts.
#[derive(Debug)]
pub(in crate::usecases) enum Assembled {
    /// They are an object now.
    Done,
    /// The store has no such upload: they are an object, or they are gone.
    Gone,
    /// Something else stands at the key, or not the version that was to be replaced.
    Blocked,
    /// Another write of the key was under way.
    Contended,
    /// Nothing was made of them, and never will be: the upload fails for this reason.
    Wrong(Box<Refusal>),
}

impl Assembled {
    fn wrong(refusal: Refusal) -> Self {
        Self::Wrong(Box::new(refusal))
    }
}

impl Broker {
    /// Completes the upload where it is whole; refuses, and leaves it as it is, where it is not.
    /// The upload is told what was promised meanwhile.
    pub(in crate::usecases) async fn assemble(
        &self,
        upload: &mut Upload,
        expected: Expected,
    ) -> Result<(ValidExpected, Assembled)> {
        let Some(mut multipart) = upload.multipart.clone() else {
            return Ok((expected.validate(upload)?, Assembled::Done));
        };
        let mut valid = expected.clone().validate(upload)?;
        self.ensure_own_prefix(upload).await?;
        let max_size = self.max_size_of(upload).await?;
        let before = upload.declared.clone();
        let mut refused = None;
        for _ in 0..ATTEMPTS {
            let id = &multipart.s3_upload_id;
            let Some(parts) = self.list_all_parts(upload, &multipart).await? else {
                valid = self
                    .reload_and_validate(upload, expected.clone(), valid)
                    .await?;
                match &upload.multipart {
                    // It was begun anew, with checksums, since the row was read.
                    Some(now) if now.s3_upload_id != multipart.s3_upload_id => {
                        multipart = now.clone();
                        continue;
                    }
                    _ => return Ok((valid, Assembled::Gone)),
                }
            };
            let plan = plan(upload, &multipart)?;
            let size = valid.declared.size;
            let parts = match validate_parts(upload, plan, size, max_size, parts) {
                Ok(parts) => parts,
                Err(over) if over.code == Code::SizeLimitExceeded => {
                    return Ok((valid, Assembled::wrong(over)));
                }
                Err(refusal) => return Err(refusal.into()),
            };
            let signed = self
                .with_signed_checksums(upload, &multipart, &parts)
                .await?;
            valid.add_checksum_of_parts(&expected, &multipart, signed.as_ref().unwrap_or(&parts));
            // The store's own word: which of two checksums that were signed for a part it was sent
            // with, only the store knows.
            let PartsComparison {
                mismatches,
                unknown,
            } = compare_parts::compare(upload, &multipart, &valid, &parts);
            let parts = signed.unwrap_or(parts);
            if !mismatches.is_empty() {
                // Another caller may have promised otherwise, and be right: that is no failure.
                let valid = self.reload_and_validate(upload, expected, valid).await?;
                let refusal = mismatch(upload, mismatches);
                return Ok((valid, Assembled::wrong(refusal)));
            }
            self.save_expected_values(upload, &valid).await?;
            match self.find_blocker(upload).await? {
                None => {}
                Some(Blocker::AlreadyCompleted) => {
                    let valid = self.reload_and_validate(upload, expected, valid).await?;
                    return Ok((valid, Assembled::Gone));
                }
                Some(Blocker::Forbidden(refusal)) => {
                    return Ok((valid, Assembled::wrong(refusal)));
                }
            }
            let complete = CompleteMultipart {
                key: &upload.key,
                upload_id: id,
                parts: &parts,
                part_checksums: multipart.part_checksums,
                checksum: unknown.as_ref(),
                precondition: precondition(&upload.write),
                timeout: self.rules.complete_timeout,
            };
            let assembled = match self
                .bucket(&upload.bucket)
                .await?
                .objects
                .complete_multipart(&complete)
                .await?
            {
                Completion::Done { .. } => Assembled::Done,
                Completion::NoSuchUpload => Assembled::Gone,
                Completion::PreconditionFailed => Assembled::Blocked,
                Completion::Conflict => Assembled::Contended,
                Completion::WrongChecksum => {
                    self.revert_saved_values(upload, &before, &valid).await?;
                    Assembled::wrong(wrong_checksum(upload, unknown.as_ref()))
                }
                // A part was sent again since the list was made: the list tells what of it is wrong.
                Completion::Refused { code } => {
                    refused = Some(code);
                    continue;
                }
            };
            let valid = self.reload_and_validate(upload, expected, valid).await?;
            return Ok((valid, assembled));
        }
        let Some(refused) = refused else {
            return Ok((valid, Assembled::Contended));
        };
        log::warn!(
            "S3 makes no object of the parts of upload {}: {refused}",
            upload.id
        );
        // Other parts may have another sum.
        self.revert_saved_values(upload, &before, &valid).await?;
        Err(completion_refused(upload, refused).into())
    }

    /// A place may have become another tenant's since the upload was made: nothing is written into
    /// it any more. Signed URLs of parts write no object; that is done here.
    async fn ensure_own_prefix(&self, upload: &Upload) -> Result<()> {
        let mut connection = self.connection().await?;
        let jail = tenants::jail(&mut connection, &upload.tenant).await?;
        match jail.and_then(|jail| jail.path(&upload.key)) {
            Some(_) => Ok(()),
            None => Err(belongs_to_other_tenant(upload).into()),
        }
    }

    /// Whether the parts that the store has are all that was promised. Changes nothing.
    pub(in crate::usecases) async fn is_complete(&self, upload: &Upload) -> Result<bool> {
        let Some(multipart) = &upload.multipart else {
            return Ok(false);
        };
        match self.ensure_own_prefix(upload).await {
            Ok(()) => {}
            Err(Error::Refused(_)) => return Ok(false),
            Err(fault) => return Err(fault),
        }
        let Some(parts) = self.list_all_parts(upload, multipart).await? else {
            return Ok(false);
        };
        let plan = plan(upload, multipart)?;
        let size = upload.declared.size;
        let max_size = self.max_size_of(upload).await?;
        let Ok(parts) = validate_parts(upload, plan, size, max_size, parts) else {
            return Ok(false);
        };
        let expected = Expected::default();
        let mut valid = expected.clone().validate(upload)?;
        let signed = self
            .with_signed_checksums(upload, multipart, &parts)
            .await?;
        valid.add_checksum_of_parts(&expected, multipart, signed.as_ref().unwrap_or(&parts));
        let comparison = compare_parts::compare(upload, multipart, &valid, &parts);
        Ok(comparison.mismatches.is_empty())
    }
}

/// S3 computed another checksum of the whole than the promised one.
fn wrong_checksum(upload: &Upload, promised: Option<&Checksum>) -> Refusal {
    let mismatch_of = |promised: &Checksum| Mismatch {
        field: "checksum",
        expected: promised.to_string(),
        found: "another value, which S3 computed of the parts".to_owned(),
    };
    mismatch(upload, promised.map(mismatch_of).into_iter().collect())
}

/// After as many tries as it takes to see that nobody sends a part again at this very moment.
fn completion_refused(upload: &Upload, code: &str) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        ..Refusal::new(
            Code::ObjectMismatch,
            format!(
                "S3 makes no object of these parts ({code}), and nothing was made of them: send them anew, then acknowledge again; or begin an upload with parts of another size."
            ),
        )
    }
}
