//! From a request to a promise: validation and defaults of a new upload.

use chrono::{DateTime, Utc};

use super::new_upload::{DerivedFrom, NewUpload};
use crate::domain::bounds::smaller_limit;
use crate::domain::checksum::Algorithm;
use crate::domain::headers::ObjectHeaders;
use crate::domain::part_plan::{PartLimits, PartPlan, PlanError};
use crate::domain::path::{DatasetPath, InvalidPath};
use crate::domain::principal::Principal;
use crate::domain::proof::Declared;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::Status;
use crate::domain::upload::{Upload, WriteRule};
use crate::usecases::context::{Broker, Rules};
use crate::usecases::faults::Faults;
use crate::usecases::ids::new_id;

/// The largest object that one PUT can carry, in bytes.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub const MAX_PUT_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// An upload to be, and how it is cut where its bytes come in parts.
pub(in crate::usecases) struct Draft {
    /// As it would be; the store was asked for nothing yet.
    pub(in crate::usecases) upload: Upload,
    pub(in crate::usecases) cut: Option<Cut>,
    /// When the credential ends, and its URLs with it.
    pub(in crate::usecases) ends_at: Option<DateTime<Utc>>,
}

/// How an upload is cut.
#[derive(Clone, Copy)]
pub(in crate::usecases) struct Cut {
    pub(in crate::usecases) plan: PartPlan,
    pub(in crate::usecases) checksums: Option<Algorithm>,
}

impl Broker {
    /// Checks every field and fills in what was left out. Touches nothing.
    pub(in crate::usecases) fn validate(
        &self,
        principal: &Principal,
        new: NewUpload,
        now: DateTime<Utc>,
    ) -> Result<Draft, Refusal> {
        let mut faults = Faults::default();
        let mut invalid = None;
        let path = DatasetPath::parse(&new.path)
            .and_then(|path| Ok((principal.jail.key(&path)?, path)))
            .map_err(|reason| {
                faults.add("/path", reason.to_string());
                invalid = Some(reason);
            })
            .ok();
        if let Some(reason @ InvalidPath::OutsidePrefix) = invalid {
            return Err(outside(principal).with_rejected_path(reason, &new.path));
        }
        if let Some(name) = &new.name {
            faults.name(name);
        }
        if let Some(comments) = &new.comments {
            faults.comments(comments);
        }
        faults.metadata(&new.metadata);
        if let Some(content_type) = &new.content_type {
            faults.content_type(content_type);
        }
        let checksum = new
            .checksum
            .as_ref()
            .and_then(|(algorithm, value)| faults.checksum(algorithm, value));
        let in_parts = self.rules.in_parts(&mut faults, &new);
        let cut = in_parts.then(|| cut(&mut faults, &new)).flatten();
        let write = write_rule(&mut faults, new.overwrite, new.if_match.as_deref());
        faults.headers(&new.headers);
        let limits = self.limits(&principal.policy);
        let lifetime_seconds = new.expires_in.unwrap_or(limits.url_seconds());
        limits.check_lifetime(&mut faults, lifetime_seconds);
        let bounds = &principal.bounds;
        let bytes = bounds
            .token_allowances
            .as_ref()
            .and_then(|allowances| allowances.max_bytes());
        let uppy = new.uppy;
        if bytes.is_some() && new.size.is_none() && uppy.is_none() {
            faults.add("/size", "is missing: the upload token counts bytes");
        }
        faults.into_result().map_err(|refusal| match invalid {
            Some(reason) => refusal.with_rejected_path(reason, &new.path),
            None => refusal,
        })?;
        let Some((key, path)) = path else {
            return Err(Refusal::field("/path", "is missing"));
        };
        let content_type = new
            .content_type
            .unwrap_or_else(|| default_content_type(&path));
        let stated = uppy.and_then(|uppy| uppy.max_size);
        let size = new.size.or(stated);
        limits.allow(&content_type, size, in_parts, bounds.max_size)?;
        // What a token counts is known, although the size is not.
        let counted = (bytes.is_some() && new.size.is_none()).then(|| limits.max_size());
        let arrival_check = uppy.filter(|uppy| uppy.is_unacknowledged);
        let upload = Upload {
            id: new_id(now),
            tenant: principal.tenant.clone(),
            bucket: self.bucket_name(&principal.jail).to_owned(),
            key,
            status: Status::Pending,
            name: new.name.unwrap_or_else(|| path.file_stem().to_owned()),
            path,
            comments: new.comments,
            metadata: new.metadata,
            declared: Declared {
                content_type,
                size: new.size,
                checksum,
            },
            write,
            headers: ObjectHeaders {
                encryption: self.rules.encryption.clone(),
                ..new.headers
            },
            multipart: None,
            derived_from: new.derived_from.map(DerivedFrom::id),
            by_uppy: uppy.is_some(),
            arrival_check_at: arrival_check
                .and(self.rules.arrival_check)
                .map(|after| now + after),
            max_size: smaller_limit(bounds.max_size, smaller_limit(stated, counted)),
            lifetime_seconds,
            created_at: now,
            updated_at: now,
            expires_at: now,
            uploaded_at: None,
            error: None,
            object: None,
            verification: None,
            drift: None,
            sequence: 0,
            lease_token: None,
        };
        Ok(Draft {
            upload,
            cut,
            ends_at: bounds.ends_at,
        })
    }
}

fn outside(principal: &Principal) -> Refusal {
    let within = principal
        .jail
        .folder()
        .map_or("/", |within| within.as_str());
    let detail = format!("This credential opens {within} only.");
    Refusal {
        errors: Refusal::field("/path", InvalidPath::OutsidePrefix.to_string()).errors,
        ..Refusal::new(Code::OutsidePrefix, detail)
    }
}

fn write_rule(faults: &mut Faults, overwrite: Option<bool>, if_match: Option<&str>) -> WriteRule {
    match (if_match, overwrite) {
        (Some(etag), None | Some(true)) => WriteRule::Replace {
            etag: faults.etag("/if_match", etag),
        },
        (Some(_), Some(false)) => {
            faults.add(
                "/if_match",
                "replaces an object, so overwrite cannot be false",
            );
            WriteRule::CreateOnly
        }
        (None, Some(true)) => WriteRule::Overwrite,
        (None, None | Some(false)) => WriteRule::CreateOnly,
    }
}

fn cut(faults: &mut Faults, new: &NewUpload) -> Option<Cut> {
    let checksums =
        (new.part_checksums.as_deref()).and_then(|name| faults.algorithm("/part_checksums", name));
    match PartPlan::new(new.size, new.part_size, PartLimits::S3) {
        Ok(plan) => Some(Cut { plan, checksums }),
        // The install's own limit is no larger, and says so.
        Err(PlanError::TooLarge { .. }) => None,
        Err(error) => {
            faults.add(&format!("/{}", error.field()), error.to_string());
            None
        }
    }
}

/// The content type of an upload whose client does not declare one: it follows from the extension of
/// the path.
pub fn default_content_type(path: &DatasetPath) -> String {
    mime_guess::from_path(path.relative())
        .first_raw()
        .unwrap_or("application/octet-stream")
        .to_owned()
}

impl Rules {
    /// Whether the bytes come in parts.
    fn in_parts(&self, faults: &mut Faults, new: &NewUpload) -> bool {
        let is_asked = new.part_size.is_some() || new.part_checksums.is_some();
        if is_asked && new.multipart == Some(false) {
            faults.add(
                "/multipart",
                "is false, so that there are no parts for part_size and part_checksums",
            );
        }
        let is_large = || new.size.is_some_and(|size| size > self.multipart_threshold);
        new.multipart.unwrap_or_else(|| is_asked || is_large())
    }
}
