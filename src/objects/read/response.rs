//! The response to a GET of a range: whether it has the requested bytes of the requested object.

use std::ops::Range;

use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_smithy_runtime_api::http::Response;

use super::error::ReadError;
use super::object::ReadObject;
use crate::domain::object::same_etag;
use crate::objects::store::{Answer, StoreError, status};

const OPERATION: &str = "GetObject";

/// The value of `Range`. `None` for an empty range, which the header cannot express.
pub(super) fn range_header(range: &Range<u64>) -> Option<String> {
    let last = range
        .end
        .checked_sub(1)
        .filter(|last| *last >= range.start)?;
    Some(format!("bytes={}-{last}", range.start))
}

/// Interprets an error that says something about the object. `None` if it does not.
pub(super) fn refusal(error: &SdkError<GetObjectError, Response>) -> Option<ReadError> {
    match (error.code(), status(error)) {
        // The bucket is missing, not the object.
        (Some("NoSuchBucket"), _) => None,
        (_, Some(404)) => Some(ReadError::Missing),
        // 416: the object is too short for the range.
        (_, Some(412 | 416)) => Some(ReadError::Changed),
        _ => None,
    }
}

/// Checks the head of a response, because a store may ignore `If-Match` or `Range`.
///
/// # Errors
/// The response is that of another object or another range.
pub(super) fn check(
    output: &GetObjectOutput,
    object: &ReadObject,
    range: &Range<u64>,
) -> Result<(), ReadError> {
    let etag = output.e_tag.as_deref();
    if etag.is_some_and(|etag| !same_etag(etag, &object.etag)) {
        return Err(ReadError::Changed);
    }
    let length = range.end.saturating_sub(range.start);
    let answered = match output.content_range.as_deref() {
        Some(header) => {
            ContentRange::parse(header).ok_or_else(|| unreadable("its Content-Range is invalid"))?
        }
        // Without the header the response is the whole object.
        None => {
            let total = output
                .content_length
                .and_then(|total| total.try_into().ok());
            ContentRange {
                start: 0,
                end: total.unwrap_or(object.size),
                total,
            }
        }
    };
    if answered.total.is_some_and(|total| total != object.size) {
        return Err(ReadError::Changed);
    }
    match (answered.start, answered.end) == (range.start, range.start.saturating_add(length)) {
        true => Ok(()),
        false => Err(unreadable("it is not the requested range")),
    }
}

/// The header `Content-Range: bytes start-last/total`.
struct ContentRange {
    start: u64,
    end: u64,
    total: Option<u64>,
}

impl ContentRange {
    fn parse(header: &str) -> Option<Self> {
        let (range, total) = header.strip_prefix("bytes ")?.split_once('/')?;
        let (start, last) = range.split_once('-')?;
        let last: u64 = last.parse().ok()?;
        Some(Self {
            start: start.parse().ok()?,
            end: last.checked_add(1)?,
            // `*` if the store does not know it.
            total: total.parse().ok(),
        })
    }
}

/// The error for a response that breaks off. The same request may succeed.
pub(super) fn broken(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ReadError {
    let cause = cause.into();
    ReadError::Store(StoreError::Failed {
        operation: OPERATION,
        answer: None,
        cause,
    })
}

/// The error for a response with more bytes than requested.
pub(super) fn too_long() -> ReadError {
    unreadable("it has more bytes than requested")
}

fn unreadable(reason: &'static str) -> ReadError {
    ReadError::Store(StoreError::Unreadable {
        operation: OPERATION,
        answer: Answer {
            status: 200,
            code: String::new(),
        },
        cause: reason.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = "\"abc\"";

    fn object(size: u64) -> ReadObject {
        ReadObject {
            key: "key".to_owned(),
            etag: OBJECT.to_owned(),
            version_id: None,
            size,
        }
    }

    fn answer(etag: &str, range: Option<&str>, length: i64) -> GetObjectOutput {
        GetObjectOutput::builder()
            .e_tag(etag)
            .set_content_range(range.map(str::to_owned))
            .content_length(length)
            .build()
    }

    #[test]
    fn check_accepts_only_the_requested_range_of_the_object() {
        let check = |output: &GetObjectOutput| check(output, &object(10), &(4..8));
        assert!(check(&answer(OBJECT, Some("bytes 4-7/10"), 4)).is_ok());
        assert!(check(&answer("abc", Some("bytes 4-7/*"), 4)).is_ok());
        for output in [
            answer("\"other\"", Some("bytes 4-7/10"), 4),
            answer(OBJECT, Some("bytes 4-7/11"), 4),
            answer(OBJECT, None, 11),
        ] {
            assert!(
                matches!(check(&output), Err(ReadError::Changed)),
                "{output:?}"
            );
        }
        for output in [
            answer(OBJECT, Some("bytes 4-8/10"), 5),
            answer(OBJECT, Some("bytes 3-7/10"), 5),
            answer(OBJECT, Some("bytes 7-4/10"), 4),
            answer(OBJECT, Some("4-7/10"), 4),
            // The range is ignored.
            answer(OBJECT, None, 10),
        ] {
            let error = check(&output).unwrap_err();
            assert!(
                matches!(error, ReadError::Store(_)) && !error.is_temporary(),
                "{output:?}"
            );
        }
    }

    #[test]
    fn whole_object_needs_no_content_range() {
        assert!(check(&answer(OBJECT, None, 10), &object(10), &(0..10)).is_ok());
        assert!(check(&answer(OBJECT, None, 0), &object(0), &(0..0)).is_ok());
        assert!(check(&answer(OBJECT, None, 1), &object(0), &(0..0)).is_err());
        assert_eq!(range_header(&(0..0)), None);
        assert_eq!(range_header(&(4..8)).as_deref(), Some("bytes=4-7"));
    }
}
