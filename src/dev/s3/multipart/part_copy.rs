//! UploadPartCopy: creates a part from an existing object, or from a range of it.

use s3s::dto::{CopyPartResult, UploadPartCopyInput, UploadPartCopyOutput};
use s3s::{S3Response, S3Result, s3_error};

use super::super::condition::ReadConditions;
use super::super::copy::source;
use super::super::errors::precondition_failed;
use super::super::fields::fill_value;
use super::super::object::from_millis;
use super::super::receive::receive_range;
use super::super::store::{Store, blocking};
use super::part::{find_upload, part_number, store_part};
use super::records::UploadKey;

pub(in crate::dev::s3) async fn upload_part_copy(
    store: &Store,
    input: UploadPartCopyInput,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let number = part_number(input.part_number)?;
    if input.copy_source_sse_customer_algorithm.is_some() || input.sse_customer_algorithm.is_some()
    {
        return Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented"
        ));
    }
    let upload_key = UploadKey::of(&input.bucket, &input.key, &input.upload_id)?;
    let upload = find_upload(store, &upload_key).await?;
    let (bucket, key) = source(&input.copy_source)?;
    let index = store.clone();
    let (original, mut body) = blocking(move || index.open_body(&bucket, &key)).await?;
    let conditions = ReadConditions {
        if_match: input.copy_source_if_match.as_ref(),
        if_none_match: input.copy_source_if_none_match.as_ref(),
        if_modified_since: input.copy_source_if_modified_since.as_ref(),
        if_unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
    };
    conditions.check(&original, precondition_failed)?;
    let range = match input.copy_source_range.as_deref() {
        None => (0, original.size),
        Some(text) => parse_range(text, original.size)?,
    };
    // S3 computes the checksum itself, with any algorithm of the upload.
    let algorithm = upload
        .checksum_method
        .map(|method| method.algorithm)
        .unwrap_or_default();
    let bodies = store.clone();
    let received = blocking(move || receive_range(&bodies, &mut body, range, algorithm)).await?;
    let part = store_part(store, upload_key, number, received).await?;
    let mut result = CopyPartResult {
        e_tag: Some(part.e_tag()),
        last_modified: Some(from_millis(part.modified_ms).into()),
        ..CopyPartResult::default()
    };
    fill_value!(result, part.checksum);
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        ..UploadPartCopyOutput::default()
    }))
}

/// Parses `bytes=first-last` to an offset and a size. Both ends must lie within the object
/// ("UploadPartCopy", S3 API reference).
fn parse_range(text: &str, size: u64) -> S3Result<(u64, u64)> {
    let ends = text
        .strip_prefix("bytes=")
        .and_then(|ends| ends.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let Some((first, last)) = ends else {
        return Err(s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
        ));
    };
    match u64::checked_sub(last, first) {
        Some(rest) if last < size => Ok((first, rest + 1)),
        _ => Err(s3_error!(
            InvalidArgument,
            "Range specified is not valid for source object of size: {size}"
        )),
    }
}
