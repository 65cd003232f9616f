//! Pre-signed URLs of parts, which are signed one by one as an iterator.
//!
//! An answer may contain 10,000 URLs, which are megabytes. The writer of the answer takes a few at
//! a time, and only those are in memory.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};

use crate::domain::checksum::Checksum;
use crate::domain::part_plan::{Part, PartLimits, PartPlan};
use crate::domain::path::DatasetPath;
use crate::domain::upload::{Multipart, Upload};
use crate::objects::sign::{self, PartSigner, UploadPart};
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};

/// The number of parts whose URLs are returned with a new session.
pub const INITIAL_PARTS: u32 = 100;

/// A part to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartToSign {
    /// The number, from 1.
    pub number: u32,
    /// The offset of its first byte; `None` if the upload has no declared size.
    pub offset: Option<u64>,
    /// The size in bytes.
    pub size: u64,
    /// The checksum of its bytes.
    pub checksum: Option<Checksum>,
}

/// A part and its URL. The URL is a credential, so there is no `Debug`.
pub struct SignedPart {
    /// The part.
    pub part: PartToSign,
    /// The URL for the PUT.
    pub url: String,
    /// When the URL expires.
    pub expires_at: DateTime<Utc>,
}

/// Parts to sign, which are computed as they are taken.
pub(in crate::usecases) struct PartsToSign {
    parts: Box<dyn Iterator<Item = PartToSign> + Send + Sync>,
    /// The number after the end of a range.
    next: Option<u32>,
}

impl PartsToSign {
    pub(in crate::usecases) fn none() -> Self {
        Self::listed(std::iter::empty())
    }

    pub(in crate::usecases) fn listed(
        parts: impl Iterator<Item = PartToSign> + Send + Sync + 'static,
    ) -> Self {
        Self {
            parts: Box::new(parts),
            next: None,
        }
    }

    pub(in crate::usecases) fn range(plan: PartPlan, numbers: RangeInclusive<u32>) -> Self {
        let next = numbers.end().checked_add(1);
        Self {
            next: next.filter(|next| plan.part(*next).is_some()),
            ..Self::listed(plan.parts(numbers).map(PartToSign::from))
        }
    }
}

impl From<Part> for PartToSign {
    fn from(part: Part) -> Self {
        Self {
            number: part.number,
            offset: Some(part.offset),
            size: part.size,
            checksum: None,
        }
    }
}

/// Parts that are signed as they are taken, in the requested order.
pub struct SignedParts {
    signer: PartSigner,
    parts_to_sign: PartsToSign,
    path: DatasetPath,
}

impl SignedParts {
    /// The path of the upload.
    pub fn path(&self) -> &DatasetPath {
        &self.path
    }

    /// When the URLs expire.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.signer.expires_at()
    }

    /// The first part after a range, which has no URL yet.
    pub fn next(&self) -> Option<u32> {
        self.parts_to_sign.next
    }
}

impl Iterator for SignedParts {
    type Item = Result<SignedPart>;

    fn next(&mut self) -> Option<Self::Item> {
        let part = self.parts_to_sign.parts.next()?;
        let checksum = part.checksum.as_ref().map(|checksum| sign::Checksum {
            header: checksum.algorithm().header(),
            value: checksum.value(),
        });
        let signed = self.signer.sign(&UploadPart {
            number: part.number,
            size: part.size,
            checksum,
        });
        Some(match signed {
            Ok(signed) => Ok(SignedPart {
                part,
                url: signed.url,
                expires_at: signed.expires_at,
            }),
            Err(cause) => Err(Error::Internal(cause.into())),
        })
    }
}

impl std::fmt::Debug for SignedParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedParts")
            .field("expires_at", &self.expires_at())
            .field("next", &self.parts_to_sign.next)
            .finish_non_exhaustive()
    }
}

/// Returns the part plan of an upload; it is open-ended if no size was declared at create.
pub(in crate::usecases) fn plan(upload: &Upload, multipart: &Multipart) -> Result<PartPlan> {
    PartPlan::new(
        upload.size_at_create(),
        Some(multipart.part_size),
        PartLimits::S3,
    )
    .map_err(|error| Error::Internal(error.into()))
}

impl Broker {
    /// Signs the first parts of a new session: none if their sizes or checksums are not known yet.
    pub(in crate::usecases) async fn sign_first_parts(
        &self,
        upload: &Upload,
        multipart: &Multipart,
        lifetime: u32,
    ) -> Result<SignedParts> {
        let parts_to_sign = match multipart.part_checksums {
            Some(_) => PartsToSign::none(),
            None => PartsToSign::range(plan(upload, multipart)?, 1..=INITIAL_PARTS),
        };
        self.sign_parts(upload, multipart, lifetime, parts_to_sign)
            .await
    }

    /// Signs parts. The URLs live `lifetime` seconds, but no longer than the store's credentials.
    pub(in crate::usecases) async fn sign_parts(
        &self,
        upload: &Upload,
        multipart: &Multipart,
        lifetime: u32,
        parts_to_sign: PartsToSign,
    ) -> Result<SignedParts> {
        let now = self.clock.now();
        let credentials = (self.stores.credentials.get(now).await)
            .map_err(|cause| Error::unavailable(Dependency::S3, cause))?;
        let id = &multipart.s3_upload_id;
        let bucket = self.bucket(&upload.bucket).await?;
        let signer = (bucket.signer)
            .upload_parts(&upload.key, id, lifetime, &credentials, now)
            .map_err(|cause| Error::unavailable(Dependency::S3, cause))?;
        Ok(SignedParts {
            signer,
            parts_to_sign,
            path: upload.path.clone(),
        })
    }
}
