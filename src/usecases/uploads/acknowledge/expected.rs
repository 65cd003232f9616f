//! The values that a client sends with an acknowledge request.

use std::collections::BTreeMap;

use crate::domain::proof::Declared;
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;
use crate::usecases::faults::Faults;

/// The values of an acknowledge request, before validation. All of them are optional.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// A new name.
    pub name: Option<String>,
    /// New comments.
    pub comments: Option<String>,
    /// New metadata, which replaces the old.
    pub metadata: Option<BTreeMap<String, String>>,
    /// The name of the algorithm, and the value in base64.
    pub checksum: Option<(String, String)>,
    /// The size in bytes.
    pub size: Option<u64>,
    /// The ETag that S3 returned for the PUT.
    pub etag: Option<String>,
}

/// Valid expected values, which do not contradict what was declared at create.
#[derive(Clone, Debug)]
pub(in crate::usecases) struct ValidExpected {
    pub(super) name: Option<String>,
    pub(super) comments: Option<String>,
    pub(super) metadata: Option<BTreeMap<String, String>>,
    /// Everything that was declared, at create and in the acknowledge request.
    pub(super) declared: Declared,
    pub(super) etag: Option<String>,
}

impl Expected {
    /// Validates each value, also against what was declared before: a declared value cannot be
    /// changed.
    pub(in crate::usecases) fn validate(self, upload: &Upload) -> Result<ValidExpected, Refusal> {
        let mut faults = Faults::default();
        if let Some(name) = &self.name {
            faults.name(name);
        }
        if let Some(comments) = &self.comments {
            faults.comments(comments);
        }
        if let Some(metadata) = &self.metadata {
            faults.metadata(metadata);
        }
        let etag = self.etag.map(|etag| faults.etag("/etag", &etag));
        let mut declared = upload.declared.clone();
        if let Some((algorithm, value)) = &self.checksum
            && let Some(claimed) = match &upload.multipart {
                Some(_) => faults.any_checksum(algorithm, value),
                None => faults.checksum(algorithm, value),
            }
        {
            match &declared.checksum {
                // A composite checksum was not declared by the client, but computed from its parts.
                Some(before) if *before != claimed && !before.is_composite() => {
                    faults.add("/checksum", format!("was declared as {before}"));
                }
                _ => declared.checksum = Some(claimed),
            }
        }
        match (declared.size, self.size) {
            (Some(before), Some(claimed)) if before != claimed => {
                faults.add("/size", format!("was declared as {before} bytes"));
            }
            (None, Some(claimed)) => declared.size = Some(claimed),
            _ => {}
        }
        faults.into_result()?;
        Ok(ValidExpected {
            name: self.name,
            comments: self.comments,
            metadata: self.metadata,
            declared,
            etag,
        })
    }
}
