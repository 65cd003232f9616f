//! CreateMultipartUpload and AbortMultipartUpload.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CreateMultipartUploadInput,
    CreateMultipartUploadOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use uuid::Uuid;

use super::super::declared;
use super::super::object::{About, now, to_millis};
use super::super::store::{Store, blocking};
use super::{Place, Sum, Upload};

pub(in crate::dev::s3) async fn create(
    store: &Store,
    req: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let sum = Sum::named(
        req.input.checksum_algorithm.as_ref(),
        req.input.checksum_type.as_ref(),
    )?;
    let put = declared::as_put(req.input);
    declared::refuse_unsupported(&put)?;
    let upload = Upload {
        initiated_ms: to_millis(now()),
        sum,
        about: About::of_put(&put)?,
    };
    let place = Place {
        bucket: put.bucket,
        key: put.key,
        id: Uuid::now_v7(),
    };
    let mut output = CreateMultipartUploadOutput {
        bucket: Some(place.bucket.clone()),
        key: Some(place.key.clone()),
        upload_id: Some(place.id.simple().to_string()),
        checksum_algorithm: sum.map(Sum::algorithm_name),
        checksum_type: sum.map(Sum::kind),
        ..CreateMultipartUploadOutput::default()
    };
    output.server_side_encryption = put.server_side_encryption;
    let store = store.clone();
    blocking(move || store.index().create_upload(&place, &upload)).await?;
    Ok(S3Response::new(output))
}

/// 204. A part that is on its way is refused when it arrives.
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
    let place = Place::of(&input.bucket, &input.key, &input.upload_id)?;
    let store = store.clone();
    blocking(move || {
        let orphans = store.index().abort_upload(&place)?;
        store.remove_bodies(&orphans);
        Ok(())
    })
    .await?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}
