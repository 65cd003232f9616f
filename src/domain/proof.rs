//! The proof: is the object that stands there the one that was promised?

use serde::Serialize;
use uuid::Uuid;

use super::checksum::Checksum;
use super::encryption::Encryption;
use super::mismatch::Mismatch;
use super::object::{FoundObject, ProvenObject, same_etag};

/// What was promised: at create, or with the acknowledge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Always declared, by default from the extension.
    pub content_type: String,
    /// Bytes.
    pub size: Option<u64>,
    /// Of the whole object; of one in parts it may be composite.
    pub checksum: Option<Checksum>,
}

/// How much was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProofLevel {
    /// The store, which is known to check them, returned the declared checksum.
    Checksum,
    /// The size is the declared one.
    Size,
    /// An object written by this upload's URL is there.
    Existence,
}

impl ProofLevel {
    /// Every level.
    pub const ALL: [Self; 3] = [Self::Checksum, Self::Size, Self::Existence];

    /// The name, as it stands in JSON and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checksum => "checksum",
            Self::Size => "size",
            Self::Existence => "existence",
        }
    }
}

/// The outcome of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the promised object.
    Proven(ProvenObject, ProofLevel),
    /// Something else stands there: its metadata does not name this upload.
    ForeignObject,
    /// This upload's URL wrote it, and it is larger than it may be: `found` bytes over `limit`.
    TooLarge {
        /// Bytes of the largest object that may stand there.
        limit: u64,
        /// Bytes of the object.
        found: u64,
    },
    /// This upload's URL wrote it, but it is not what was declared. Never empty.
    Mismatch(Vec<Mismatch>),
}

/// The largest object that may stand there, in bytes. It holds whatever was declared or claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimit(pub u64);

impl SizeLimit {
    /// For an upload whose size was declared at create, and held to the limits of that time: a
    /// limit that is lowered later does not take back what was promised. Other bytes than the
    /// declared number are a mismatch in any case.
    pub const UNLIMITED: Self = Self(u64::MAX);
}

/// Compares what the store says with what upload `id` promised.
///
/// `etag` is the one that the client saw when it uploaded, where it says so; `encryption` what its
/// URL asked the store for.
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
