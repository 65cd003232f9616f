//! DeleteObject and DeleteObjects.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETagCondition, Error as DeleteError, ObjectIdentifier,
};
use s3s::{S3Error, S3Response, S3Result, s3_error};

use super::condition::Condition;
use super::errors::only_null_version;
use super::store::{Store, blocking};

/// The largest number of keys in a DeleteObjects.
const MAX_KEYS: usize = 1000;

/// Responds with 204, even if the object does not exist; with 412 or 404 if `If-Match` does not hold.
pub(super) async fn delete_object(
    store: &Store,
    input: DeleteObjectInput,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    only_null_version(input.version_id.as_deref())?;
    let condition = Condition::of_delete(input.if_match.as_ref());
    let store = store.clone();
    blocking(move || store.remove(&input.bucket, &input.key, &condition)).await?;
    Ok(S3Response::new(DeleteObjectOutput::default()))
}

/// Deletes each key separately: a failure does not affect the other keys.
pub(super) async fn delete_objects(
    store: &Store,
    input: DeleteObjectsInput,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    if input.delete.objects.is_empty() || input.delete.objects.len() > MAX_KEYS {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed"
        ));
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    let store = store.clone();
    let output = blocking(move || {
        store.index().check_bucket(&input.bucket)?;
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in input.delete.objects {
            match remove_one(&store, &input.bucket, &object) {
                Ok(()) => deleted.push(DeletedObject {
                    key: Some(object.key),
                    ..DeletedObject::default()
                }),
                Err(error) => errors.push(DeleteError {
                    code: Some(error.code().as_str().to_owned()),
                    key: Some(object.key),
                    message: error.message().map(str::to_owned),
                    version_id: object.version_id,
                }),
            }
        }
        let deleted = Some(deleted).filter(|_| !quiet);
        Ok(DeleteObjectsOutput {
            deleted,
            errors: Some(errors),
            request_charged: None,
        })
    })
    .await?;
    Ok(S3Response::new(output))
}

fn remove_one(store: &Store, bucket: &str, object: &ObjectIdentifier) -> Result<(), S3Error> {
    only_null_version(object.version_id.as_deref())?;
    let wanted = object.e_tag.clone().map(ETagCondition::ETag);
    store.remove(bucket, &object.key, &Condition::of_delete(wanted.as_ref()))?;
    Ok(())
}
