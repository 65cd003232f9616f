//! ListParts and ListMultipartUploads.

use s3s::dto::{
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput,
    MultipartUpload, Part as Listed, StorageClass,
};
use s3s::{S3Response, S3Result, s3_error};
use uuid::Uuid;

use super::super::fields::fill_value;
use super::super::index::UploadsQuery;
use super::super::list::KeyEncoding;
use super::super::object::from_millis;
use super::super::store::{Store, blocking};
use super::checksum_method::ChecksumMethod;
use super::records::{Part, Upload, UploadKey};

/// The largest page that S3 returns.
const MAX_PAGE: i32 = 1000;

pub(in crate::dev::s3) async fn list_parts(
    store: &Store,
    input: ListPartsInput,
) -> S3Result<S3Response<ListPartsOutput>> {
    let upload_key = UploadKey::of(&input.bucket, &input.key, &input.upload_id)?;
    let (max, max_parts) = page_size(input.max_parts, "max-parts")?;
    let marker = input.part_number_marker.unwrap_or(0);
    if marker < 0 {
        return Err(s3_error!(
            InvalidArgument,
            "Argument part-number-marker must be an integer between 0 and 2147483647"
        ));
    }
    // No part follows a marker that is greater than every possible number.
    let after = u16::try_from(marker).unwrap_or(u16::MAX);
    let index = store.clone();
    let page = blocking(move || index.index().parts(&upload_key, after, max)).await?;
    let last = page.parts.last().map(|(number, _)| i32::from(*number));
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(marker),
        next_part_number_marker: last.filter(|_| page.more),
        max_parts: Some(max_parts),
        is_truncated: Some(page.more),
        storage_class: Some(storage_class(&page.upload)),
        checksum_algorithm: page
            .upload
            .checksum_method
            .map(ChecksumMethod::algorithm_name),
        checksum_type: page.upload.checksum_method.map(ChecksumMethod::kind),
        parts: Some(page.parts.iter().map(listed_part).collect()),
        ..ListPartsOutput::default()
    }))
}

fn listed_part((number, part): &(u16, Part)) -> Listed {
    let mut listed = Listed {
        part_number: Some(i32::from(*number)),
        e_tag: Some(part.e_tag()),
        size: i64::try_from(part.size).ok(),
        last_modified: Some(from_millis(part.modified_ms).into()),
        ..Listed::default()
    };
    fill_value!(listed, part.checksum);
    listed
}

/// Lists uploads by key, and the uploads of one key by age. Common prefixes are not implemented.
pub(in crate::dev::s3) async fn list_uploads(
    store: &Store,
    input: ListMultipartUploadsInput,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    if input
        .delimiter
        .as_ref()
        .is_some_and(|delimiter| !delimiter.is_empty())
    {
        return Err(s3_error!(
            NotImplemented,
            "A delimiter in a listing of uploads is not implemented"
        ));
    }
    let (max, max_uploads) = page_size(input.max_uploads, "max-uploads")?;
    let after = after(&input)?;
    let (index, bucket) = (store.clone(), input.bucket.clone());
    let prefix = input.prefix.clone().unwrap_or_default();
    let (uploads, more) = blocking(move || {
        index.index().uploads(&UploadsQuery {
            bucket: &bucket,
            prefix: &prefix,
            after: after.as_ref().map(|(key, id)| (key.as_str(), *id)),
            max,
        })
    })
    .await?;
    let encoding = KeyEncoding::requested(input.encoding_type.as_ref());
    let last = uploads
        .last()
        .map(|(upload_key, _)| upload_key)
        .filter(|_| more);
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: input.prefix.map(|prefix| encoding.encode(&prefix)),
        key_marker: input.key_marker.map(|key| encoding.encode(&key)),
        upload_id_marker: input.upload_id_marker,
        next_key_marker: last.map(|upload_key| encoding.encode(&upload_key.key)),
        next_upload_id_marker: last.map(|upload_key| upload_key.id.simple().to_string()),
        max_uploads: Some(max_uploads),
        is_truncated: Some(more),
        encoding_type: input.encoding_type,
        uploads: Some(
            uploads
                .iter()
                .map(|row| listed_upload(row, &encoding))
                .collect(),
        ),
        ..ListMultipartUploadsOutput::default()
    }))
}

/// Reads the position after which to list. S3 ignores an upload id marker without a key marker.
fn after(input: &ListMultipartUploadsInput) -> S3Result<Option<(String, Option<Uuid>)>> {
    let Some(key) = input.key_marker.clone().filter(|key| !key.is_empty()) else {
        return Ok(None);
    };
    let id = input
        .upload_id_marker
        .as_deref()
        .filter(|id| !id.is_empty());
    let id = id.map(Uuid::try_parse).transpose();
    let id = id.map_err(|_| s3_error!(InvalidArgument, "Invalid uploadId marker"))?;
    Ok(Some((key, id)))
}

fn listed_upload(
    (upload_key, upload): &(UploadKey, Upload),
    encoding: &KeyEncoding,
) -> MultipartUpload {
    MultipartUpload {
        key: Some(encoding.encode(&upload_key.key)),
        upload_id: Some(upload_key.id.simple().to_string()),
        initiated: Some(from_millis(upload.initiated_ms).into()),
        storage_class: Some(storage_class(upload)),
        checksum_algorithm: upload.checksum_method.map(ChecksumMethod::algorithm_name),
        checksum_type: upload.checksum_method.map(ChecksumMethod::kind),
        ..MultipartUpload::default()
    }
}

fn storage_class(upload: &Upload) -> StorageClass {
    let class = upload.attributes.storage_class.clone();
    StorageClass::from(class.unwrap_or_else(|| StorageClass::STANDARD.to_owned()))
}

fn page_size(requested: Option<i32>, name: &str) -> S3Result<(usize, i32)> {
    let shown = requested.unwrap_or(MAX_PAGE).min(MAX_PAGE);
    let max = usize::try_from(shown).map_err(|_| {
        s3_error!(
            InvalidArgument,
            "Argument {name} must be an integer between 0 and 2147483647"
        )
    })?;
    Ok((max, shown))
}
