//! UploadPart.

use s3s::dto::{UploadPartInput, UploadPartOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::super::checksum::Algorithm;
use super::super::commit::persist_if_indexed;
use super::super::declared;
use super::super::declared_checksum::DeclaredChecksum;
use super::super::fields::{declared_checksums, fill_value};
use super::super::object::{now, to_millis};
use super::super::receive::{ReceivedBody, receive};
use super::super::store::{Store, blocking};
use super::records::{Part, Upload, UploadKey};

/// The largest part number (S3 user guide, "Amazon S3 multipart upload limits").
const MAX_PART_NUMBER: u16 = 10_000;

pub(in crate::dev::s3) async fn upload_part(
    store: &Store,
    mut req: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let number = part_number(req.input.part_number)?;
    let declared_checksum = DeclaredChecksum::of(declared_checksums!(req.input), &req.headers)?;
    let md5 = declared::md5(req.input.content_md5.as_deref())?;
    if req.input.sse_customer_algorithm.is_some() {
        return Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented"
        ));
    }
    let size = declared::size(req.input.content_length, req.input.body.as_ref())?;
    let upload_key = UploadKey::of(&req.input.bucket, &req.input.key, &req.input.upload_id)?;
    let upload = find_upload(store, &upload_key).await?;
    let algorithm = algorithm(&upload, declared_checksum.algorithm())?;

    let received = receive(store, req.input.body.take(), size, algorithm).await?;
    let trailers = req.trailing_headers.and_then(|trailers| trailers.take());
    declared_checksum.check(&received.checksum, trailers.as_ref())?;
    received.check_md5(md5)?;

    let part = store_part(store, upload_key, number, received).await?;
    let mut output = UploadPartOutput {
        e_tag: Some(part.e_tag()),
        ..UploadPartOutput::default()
    };
    fill_value!(output, part.checksum);
    Ok(S3Response::new(output))
}

pub(super) fn part_number(number: i32) -> S3Result<u16> {
    let valid = u16::try_from(number)
        .ok()
        .filter(|number| (1..=MAX_PART_NUMBER).contains(number));
    valid.ok_or_else(|| {
        s3_error!(
            InvalidArgument,
            "Part number must be an integer between 1 and 10000, inclusive"
        )
    })
}

/// Returns the algorithm for the checksum of the part. An upload without an algorithm allows any. An
/// upload with a composite checksum requires that the client declares the checksum of each part; an
/// upload with a checksum of the full object does not.
fn algorithm(upload: &Upload, chosen: Option<Algorithm>) -> S3Result<Algorithm> {
    let Some(method) = upload.checksum_method else {
        return Ok(chosen.unwrap_or_default());
    };
    match chosen {
        Some(chosen) if chosen == method.algorithm => Ok(chosen),
        None if !method.composite => Ok(method.algorithm),
        _ => Err(s3_error!(
            InvalidRequest,
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            method.algorithm.name().to_ascii_lowercase(),
            chosen.map_or("null".to_owned(), |chosen| chosen
                .name()
                .to_ascii_lowercase())
        )),
    }
}

/// Reads the record of an upload before the bytes are received. The transaction checks again that the
/// upload exists.
pub(super) async fn find_upload(store: &Store, upload_key: &UploadKey) -> S3Result<Upload> {
    let (store, upload_key) = (store.clone(), upload_key.clone());
    blocking(move || store.index().upload(&upload_key)).await
}

/// Adds a received part to the index, and removes the body of the part that it replaces.
pub(super) async fn store_part(
    store: &Store,
    upload_key: UploadKey,
    number: u16,
    received: ReceivedBody,
) -> S3Result<Part> {
    let part = Part {
        body: received.draft.id(),
        size: received.size,
        md5: received.md5,
        modified_ms: to_millis(now()),
        checksum: received.checksum,
    };
    let store = store.clone();
    blocking(move || {
        let put = store.index().put_part(&upload_key, number, &part);
        let replaced = persist_if_indexed(received.draft, put)?;
        store.remove_bodies(replaced.as_slice());
        Ok(part)
    })
    .await
}
