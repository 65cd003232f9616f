//! From a request to a promise: validation and defaults of a new upload.

use chrono::{DateTime, Utc};

use super::broker::{Broker, Rules};
use super::create::NewUpload;
use super::ids::new_id;
use super::validate::Faults;
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::proof::Declared;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::Status;
use crate::domain::upload::{Upload, WriteRule};
use crate::objects::sign::MAX_EXPIRES_IN;

/// The largest object that one PUT can carry, in bytes.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub const MAX_PUT_BYTES: u64 = 5 * 1024 * 1024 * 1024;

impl Broker {
    /// Checks every field and fills in what was left out. Touches nothing.
    pub(super) fn declare(
        &self,
        principal: &Principal,
        new: NewUpload,
        now: DateTime<Utc>,
    ) -> Result<Upload, Refusal> {
        let mut faults = Faults::default();
        let path = DatasetPath::parse(&new.path)
            .and_then(|path| Ok((principal.jail.key(&path)?, path)))
            .map_err(|invalid| faults.add("/path", invalid.to_string()))
            .ok();
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
            .and_then(|(algorithm, value)| faults.checksum(&algorithm, &value));
        let write = write_rule(&mut faults, new.overwrite, new.if_match.as_deref());
        faults.headers(&new.headers);
        let lifetime_seconds = new.expires_in.unwrap_or(self.rules.url_seconds);
        if !(1..=MAX_EXPIRES_IN).contains(&lifetime_seconds) {
            faults.add(
                "/expires_in",
                format!("expected 1 to {MAX_EXPIRES_IN} seconds, found {lifetime_seconds}"),
            );
        }
        faults.into_result()?;
        let Some((key, path)) = path else {
            return Err(Refusal::field("/path", "is missing"));
        };
        let content_type = new.content_type.unwrap_or_else(|| by_extension(&path));
        self.rules.allow(&content_type, new.size)?;
        Ok(Upload {
            id: new_id(now),
            tenant: principal.tenant.clone(),
            bucket: self.objects.bucket().to_owned(),
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
            headers: new.headers,
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
        })
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

fn by_extension(path: &DatasetPath) -> String {
    mime_guess::from_path(path.relative())
        .first_raw()
        .unwrap_or("application/octet-stream")
        .to_owned()
}

impl Rules {
    /// The install's own limits.
    fn allow(&self, content_type: &str, size: Option<u64>) -> Result<(), Refusal> {
        if !self.content_types.allows(content_type) {
            let allowed = self.content_types.patterns().unwrap_or_default().join(", ");
            return Err(Refusal {
                errors: Refusal::field("/content_type", "is not on the list").errors,
                ..Refusal::new(
                    Code::ContentTypeNotAllowed,
                    format!("{content_type} may not be uploaded here; allowed: {allowed}."),
                )
            });
        }
        let most = self.max_put_bytes();
        match size {
            Some(size) if size > most => Err(Refusal {
                errors: Refusal::field("/size", format!("expected at most {most} bytes")).errors,
                ..Refusal::new(
                    Code::SizeLimitExceeded,
                    format!("{size} bytes are more than the limit of {most} bytes."),
                )
            }),
            _ => Ok(()),
        }
    }

    /// The largest object that may come in one PUT, in bytes.
    pub(super) fn max_put_bytes(&self) -> u64 {
        self.max_size.min(MAX_PUT_BYTES)
    }
}
