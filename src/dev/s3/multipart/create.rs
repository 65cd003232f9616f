//! CreateMultipartUpload and AbortMultipartUpload.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CreateMultipartUploadInput,
    CreateMultipartUploadOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use uuid::Uuid;

use super::super::declared;
use super::super::object::{Attributes, now, to_millis};
use super::super::store::{Store, blocking};
use super::checksum_method::ChecksumMethod;
use super::records::{Upload, UploadKey};

pub(in crate::dev::s3) async fn create(
    store: &Store,
    req: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let method = ChecksumMethod::from_headers(
        req.input.checksum_algorithm.as_ref(),
        req.input.checksum_type.as_ref(),
    )?;
    let put = declared::as_put(req.input);
    declared::reject_unsupported(&put)?;
    let upload = Upload {
        initiated_ms: to_millis(now()),
        checksum_method: method,
        attributes: Attributes::of_put(&put)?,
    };
    let upload_key = UploadKey {
        bucket: put.bucket,
        key: put.key,
        id: Uuid::now_v7(),
    };
    let mut output = CreateMultipartUploadOutput {
        bucket: Some(upload_key.bucket.clone()),
        key: Some(upload_key.key.clone()),
        upload_id: Some(upload_key.id.simple().to_string()),
        checksum_algorithm: method.map(ChecksumMethod::algorithm_name),
        checksum_type: method.map(ChecksumMethod::kind),
        ..CreateMultipartUploadOutput::default()
    };
    output.server_side_encryption = put.server_side_encryption;
    let store = store.clone();
    blocking(move || store.index().create_upload(&upload_key, &upload)).await?;
    Ok(S3Response::new(output))
}

/// Aborts an upload; the response is 204. A part that is being received at this moment is refused when
/// all its bytes have arrived.
pub(in crate::dev::s3) async fn abort(
    store: &Store,
    input: AbortMultipartUploadInput,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    if input.if_match_initiated_time.is_some() {
        return Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented"
        ));
    }
    let upload_key = UploadKey::of(&input.bucket, &input.key, &input.upload_id)?;
    let store = store.clone();
    blocking(move || {
        let orphans = store.index().abort_upload(&upload_key)?;
        store.remove_bodies(&orphans);
        Ok(())
    })
    .await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}
