//! Preconditions: of writes (decided inside the index's transaction) and of reads.

use hyper::HeaderMap;
use hyper::header::{IF_MATCH, IF_NONE_MATCH};
use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Error, S3Result, s3_error};

use super::errors::{Fault, precondition_failed};
use super::object::Object;

/// What must hold of the present object for a write or delete to happen.
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
    /// Of a write. S3 knows `If-None-Match` with `*` only, and `If-Match` with an ETag only.
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

    /// Of a write whose headers s3s does not read (CopyObject).
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

    /// Of a delete: `If-Match` with an ETag or `*`.
    pub(super) fn of_delete(if_match: Option<&ETagCondition>) -> Self {
        match if_match {
            None => Self::Always,
            Some(ETagCondition::Any) => Self::Exists,
            Some(ETagCondition::ETag(etag)) => Self::Etag(etag.value().to_owned()),
        }
    }

    /// # Errors
    /// [`Fault::Precondition`], or [`Fault::NoSuchKey`] when an object must be there and is not:
    /// S3 answers 404 then, not 412.
    pub(super) fn check(&self, present: Option<&Object>) -> Result<(), Fault> {
        match (self, present) {
            (Self::Always, _) | (Self::Absent, None) | (Self::Exists, Some(_)) => Ok(()),
            (Self::Absent, Some(_)) => Err(Fault::Precondition),
            (Self::Exists | Self::Etag(_), None) => Err(Fault::NoSuchKey),
            (Self::Etag(wanted), Some(object)) if *wanted == object.etag => Ok(()),
            (Self::Etag(_), Some(_)) => Err(Fault::Precondition),
        }
    }
}

/// The four conditional headers of a read, or of a copy's source (RFC 9110, section 13).
pub(super) struct ReadConditions<'a> {
    pub if_match: Option<&'a ETagCondition>,
    pub if_none_match: Option<&'a ETagCondition>,
    pub if_modified_since: Option<&'a Timestamp>,
    pub if_unmodified_since: Option<&'a Timestamp>,
}

impl ReadConditions<'_> {
    /// # Errors
    /// 412, or `unchanged` when the client already has this object.
    pub(super) fn check(&self, object: &Object, unchanged: fn() -> S3Error) -> S3Result<()> {
        let etag = object.e_tag();
        let modified = object.modified_second();
        match (self.if_match, self.if_unmodified_since) {
            (Some(wanted), _) if !names(wanted, &etag) => return Err(precondition_failed()),
            (None, Some(since)) if modified > *since => return Err(precondition_failed()),
            _ => {}
        }
        match (self.if_none_match, self.if_modified_since) {
            (Some(known), _) if names(known, &etag) => Err(unchanged()),
            (None, Some(since)) if modified <= *since => Err(unchanged()),
            _ => Ok(()),
        }
    }
}

fn names(condition: &ETagCondition, etag: &ETag) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.weak_cmp(etag),
    }
}

/// 304.
pub(super) fn not_modified() -> S3Error {
    s3_error!(NotModified, "Not Modified")
}
