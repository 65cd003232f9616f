//! Assembles the parts of an upload into its object.
//!
//! The store lists the parts, and they are completed only if they are correct: no part is missing,
//! each has the planned size, their sum is the declared size, and the checksum and the ETag of the
//! object match, as far as the parts reveal them ([`compare_parts`]). The expected values of the
//! acknowledge request are saved in the row before the completion, so that the object is compared
//! with all of them after a crash, a lost answer or a faster concurrent proof. Values that turned
//! out to be wrong are not kept.
//!
//! The store's answer may get lost, and two callers may complete at the same time: "no such upload"
//! then means that there is an object. A HEAD decides that, so this step never marks an upload
//! Uploaded by itself. If parts are missing, or S3 refuses them, the upload stays Pending, because
//! its client can send them again. If the object could never be the declared one, or may not be at
//! the key, the upload fails.
//!
//! [`compare_parts`]: super::compare_parts

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

/// How often the parts are listed again because one was sent again meanwhile.
const ATTEMPTS: u32 = 3;

/// The outcome of the assembly.
#[derive(Debug)]
pub(in crate::usecases) enum Assembled {
    /// The parts were completed, or the upload has none.
    Done,
    /// The store has no such multipart upload: its parts were completed, or removed.
    Gone,
    /// The key has another object, or not the version that was to be replaced.
    Blocked,
    /// Another write of the key was in progress.
    Contended,
    /// The parts were not completed and cannot be: the upload fails for this reason.
    Wrong(Box<Refusal>),
}

impl Assembled {
    fn wrong(refusal: Refusal) -> Self {
        Self::Wrong(Box::new(refusal))
    }
}

impl Broker {
    /// Completes the parts if they are correct; otherwise refuses, and leaves the upload as it is.
    /// `upload` is reloaded, with the expected values that were saved meanwhile.
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
                    // It was restarted with checksums since the row was read.
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
                Err(refusal) if refusal.code == Code::SizeLimitExceeded => {
                    return Ok((valid, Assembled::wrong(refusal)));
                }
                Err(refusal) => return Err(refusal.into()),
            };
            let signed = self
                .with_signed_checksums(upload, &multipart, &parts)
                .await?;
            valid.add_checksum_of_parts(&expected, &multipart, signed.as_ref().unwrap_or(&parts));
            // This compares the checksums that the store lists: if two checksums were signed for a
            // part, only the store knows which of them was sent.
            let PartsComparison {
                mismatches,
                unknown,
            } = compare_parts::compare(upload, &multipart, &valid, &parts);
            let parts = signed.unwrap_or(parts);
            if !mismatches.is_empty() {
                // Another caller may have sent other, correct expected values: that is no failure.
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
                // A part was sent again since the list was made. The next list shows what is wrong
                // with it.
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
            "S3 refuses to complete the parts of upload {}: {refused}",
            upload.id
        );
        // Other parts may have another checksum.
        self.revert_saved_values(upload, &before, &valid).await?;
        Err(completion_refused(upload, refused).into())
    }

    /// The key may belong to another tenant since the upload was created: nothing is written to it
    /// any more. PUTs to the signed URLs of parts create no object; the completion does.
    async fn ensure_own_prefix(&self, upload: &Upload) -> Result<()> {
        let mut connection = self.connection().await?;
        let jail = tenants::jail(&mut connection, &upload.tenant).await?;
        match jail.and_then(|jail| jail.path(&upload.key)) {
            Some(_) => Ok(()),
            None => Err(belongs_to_other_tenant(upload).into()),
        }
    }

    /// Whether the store has all parts of the upload, and they are correct. Changes nothing.
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

/// The refusal for parts of which S3 computed another checksum than the declared one.
fn wrong_checksum(upload: &Upload, expected: Option<&Checksum>) -> Refusal {
    let mismatch_of = |expected: &Checksum| Mismatch {
        field: "checksum",
        expected: expected.to_string(),
        found: "another value, which S3 computed from the parts".to_owned(),
    };
    mismatch(upload, expected.map(mismatch_of).into_iter().collect())
}

/// The refusal after several attempts, which rule out that a part was just being sent again.
fn completion_refused(upload: &Upload, code: &str) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        ..Refusal::new(
            Code::ObjectMismatch,
            format!(
                "S3 refuses to complete these parts ({code}), and no object was created: send them again, then acknowledge again; or create an upload with parts of another size."
            ),
        )
    }
}
