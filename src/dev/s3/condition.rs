//! Preconditions of writes (checked inside the transaction of the index) and of reads.

use hyper::HeaderMap;
use hyper::header::{IF_MATCH, IF_NONE_MATCH};
use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Error, S3Result, s3_error};

use super::errors::{StoreError, precondition_failed};
use super::object::Object;

/// The condition that the present object must fulfil for a write or delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    Always,
    /// `If-None-Match: *`.
    Absent,
    /// `If-Match: *`, for deletes.
    Exists,
    /// `If-Match: "etag"`.
    Etag(String),
}

impl Condition {
    /// Reads the condition of a write. S3 supports `If-None-Match` only with `*`, and `If-Match` only with an
    /// ETag.
    pub(super) fn of_write(
        if_match: Option<&ETagCondition>,
        if_none_match: Option<&ETagCondition>,
    ) -> S3Result<Self> {
        match (if_match, if_none_match) {
            (None, None) => Ok(Self::Always),
            (None, Some(ETagCondition::Any)) => Ok(Self::Absent),
            (Some(ETagCondition::ETag(etag)), None) => Ok(Self::Etag(etag.value().to_owned())),
            _ => Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented"
            )),
        }
    }

    /// Reads the condition of an operation whose headers s3s does not parse (CopyObject).
    pub(super) fn of_headers(headers: &HeaderMap) -> S3Result<Self> {
        let read = |name| -> S3Result<Option<ETagCondition>> {
            let parse = |value: &hyper::header::HeaderValue| {
                ETagCondition::parse_http_header(value.as_bytes())
                    .map_err(|_| s3_error!(InvalidArgument, "not an ETag condition"))
            };
            headers.get(name).map(parse).transpose()
        };
        Self::of_write(read(IF_MATCH)?.as_ref(), read(IF_NONE_MATCH)?.as_ref())
    }

    /// Reads the condition of a delete: `If-Match` with an ETag or `*`.
    pub(super) fn of_delete(if_match: Option<&ETagCondition>) -> Self {
        match if_match {
            None => Self::Always,
            Some(ETagCondition::Any) => Self::Exists,
            Some(ETagCondition::ETag(etag)) => Self::Etag(etag.value().to_owned()),
        }
    }

    /// # Errors
    /// [`StoreError::Precondition`], or [`StoreError::NoSuchKey`] if an object must exist and does not: then
    /// S3 returns 404 instead of 412.
    pub(super) fn check(&self, present: Option<&Object>) -> Result<(), StoreError> {
        match (self, present) {
            (Self::Always, _) | (Self::Absent, None) | (Self::Exists, Some(_)) => Ok(()),
            (Self::Absent, Some(_)) => Err(StoreError::Precondition),
            (Self::Exists | Self::Etag(_), None) => Err(StoreError::NoSuchKey),
            (Self::Etag(wanted), Some(object)) if *wanted == object.etag => Ok(()),
            (Self::Etag(_), Some(_)) => Err(StoreError::Precondition),
        }
    }
}

/// The four conditional headers of a read, or of the source of a copy (RFC 9110, section 13).
pub(super) struct ReadConditions<'a> {
    pub if_match: Option<&'a ETagCondition>,
    pub if_none_match: Option<&'a ETagCondition>,
    pub if_modified_since: Option<&'a Timestamp>,
    pub if_unmodified_since: Option<&'a Timestamp>,
}

impl ReadConditions<'_> {
    /// # Errors
    /// 412, or `unchanged` if the client already has this object.
    pub(super) fn check(&self, object: &Object, unchanged: fn() -> S3Error) -> S3Result<()> {
        let etag = object.e_tag();
        let modified = object.modified_second();
        match (self.if_match, self.if_unmodified_since) {
            (Some(wanted), _) if !matches(wanted, &etag) => return Err(precondition_failed()),
            (None, Some(since)) if modified > *since => return Err(precondition_failed()),
            _ => {}
        }
        match (self.if_none_match, self.if_modified_since) {
            (Some(known), _) if matches(known, &etag) => Err(unchanged()),
            (None, Some(since)) if modified <= *since => Err(unchanged()),
            _ => Ok(()),
        }
    }
}

fn matches(condition: &ETagCondition, etag: &ETag) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.weak_cmp(etag),
    }
}

/// Returns the error for status 304.
pub(super) fn not_modified() -> S3Error {
    s3_error!(NotModified, "Not Modified")
}
