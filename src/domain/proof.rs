//! Proof of an upload: whether the object in the store is the declared one.

use serde::Serialize;
use uuid::Uuid;

use super::checksum::Checksum;
use super::encryption::Encryption;
use super::mismatch::Mismatch;
use super::object::{FoundObject, ProvenObject, same_etag};

/// What the client has declared about an object, at create or with the acknowledge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The media type. It is always declared; the default follows from the file extension.
    pub content_type: String,
    /// The size in bytes.
    pub size: Option<u64>,
    /// The checksum of the whole object; for an upload in parts it may be composite.
    pub checksum: Option<Checksum>,
}

/// How strong a proof is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProofLevel {
    /// The store returned the declared checksum, and it is known to check checksums.
    Checksum,
    /// The object has the declared size.
    Size,
    /// There is an object that was written by the URL of this upload.
    Existence,
}

impl ProofLevel {
    /// Every level.
    pub const ALL: [Self; 3] = [Self::Checksum, Self::Size, Self::Existence];

    /// The name in JSON and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checksum => "checksum",
            Self::Size => "size",
            Self::Existence => "existence",
        }
    }
}

/// The outcome of comparing an object with what was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The object is as declared.
    Proven(ProvenObject, ProofLevel),
    /// The object is foreign: its metadata does not name this upload.
    ForeignObject,
    /// The URL of this upload wrote the object, but it is larger than allowed.
    TooLarge {
        /// The largest allowed size in bytes.
        limit: u64,
        /// The size of the object in bytes.
        found: u64,
    },
    /// The URL of this upload wrote the object, but it is not as declared. Never empty.
    Mismatch(Vec<Mismatch>),
}

/// The largest allowed size of an object in bytes. It applies regardless of what the client
/// declared or expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimit(pub u64);

impl SizeLimit {
    /// No limit. For uploads whose size was declared at create and checked against the limits of
    /// that time: a limit that is lowered later does not affect them, and any other size than the
    /// declared one is a mismatch anyway.
    pub const UNLIMITED: Self = Self(u64::MAX);
}

/// Compares an object in the store with what was declared for the upload `id`.
///
/// `etag` is the ETag that the client received when it uploaded, if it states one; `encryption` is
/// what the URL of the upload requested.
pub fn compare(
    id: Uuid,
    declared: &Declared,
    etag: Option<&str>,
    limit: SizeLimit,
    encryption: Option<&Encryption>,
    found: &FoundObject,
) -> Verdict {
    if found.upload_id != Some(id) {
        return Verdict::ForeignObject;
    }
    if found.size > limit.0 {
        return Verdict::TooLarge {
            limit: limit.0,
            found: found.size,
        };
    }
    let comparable = declared.checksum.as_ref().and_then(|declared| {
        found
            .checksums
            .iter()
            .find(|checksum| checksum.is_comparable(declared))
    });
    let mut mismatches = mismatches(declared, etag, found, comparable);
    mismatches.extend(encryption.and_then(|asked| asked.mismatch(found.encryption.as_ref())));
    if !mismatches.is_empty() {
        return Verdict::Mismatch(mismatches);
    }
    let level = if comparable.is_some() && found.checksums_checked {
        ProofLevel::Checksum
    } else if declared.size.is_some() {
        ProofLevel::Size
    } else {
        ProofLevel::Existence
    };
    let object = ProvenObject {
        size: found.size,
        etag: found.etag.clone(),
        version_id: found.version_id.clone(),
        content_type: found.content_type.clone(),
        checksum: (comparable.or(found.checksums.first()))
            .filter(|_| found.checksums_checked)
            .cloned(),
        last_modified: found.last_modified,
    };
    Verdict::Proven(object, level)
}

fn mismatches(
    declared: &Declared,
    etag: Option<&str>,
    found: &FoundObject,
    checksum: Option<&Checksum>,
) -> Vec<Mismatch> {
    let mut all = Vec::new();
    let mut differ = |field, expected: String, found: String| {
        all.push(Mismatch {
            field,
            expected,
            found,
        });
    };
    if let Some(size) = declared.size
        && size != found.size
    {
        differ(
            "size",
            format!("{size} bytes"),
            format!("{} bytes", found.size),
        );
    }
    if let (Some(declared), Some(found)) = (&declared.checksum, checksum)
        && declared != found
    {
        differ("checksum", declared.to_string(), found.to_string());
    }
    if let Some(content_type) = &found.content_type
        && !content_type.eq_ignore_ascii_case(&declared.content_type)
    {
        differ(
            "content_type",
            declared.content_type.clone(),
            content_type.clone(),
        );
    }
    if let Some(etag) = etag
        && !same_etag(etag, &found.etag)
    {
        differ("etag", etag.to_owned(), found.etag.clone());
    }
    all
}

#[cfg(test)]
mod tests;
