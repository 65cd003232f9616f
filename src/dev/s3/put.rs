//! PutObject, and PostObject, which ends the same.

use hyper::Method;
use s3s::dto::{PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::condition::Condition;
use super::declared;
use super::events::EventName;
use super::fields::{declared_checksums, fill_checksum};
use super::object::{About, Object, now, to_millis};
use super::promise::Promise;
use super::receive::{Arrived, receive};
use super::store::{Store, blocking};

pub(super) async fn put_object(
    store: &Store,
    mut req: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let event = if req.method == Method::POST {
        EventName::CreatedPost
    } else {
        EventName::CreatedPut
    };
    refuse_file_name(&req)?;
    let promise = Promise::of(declared_checksums!(req.input), &req.headers)?;
    let md5 = declared::md5(req.input.content_md5.as_deref())?;
    let condition = Condition::of_write(
        req.input.if_match.as_ref(),
        req.input.if_none_match.as_ref(),
    )?;
    let about = About::of_put(&req.input)?;
    declared::refuse_unsupported(&req.input)?;
    let size = declared::size(req.input.content_length, req.input.body.as_ref())?;
    let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
    refuse_early(store, &bucket, &key, &condition).await?;

    let algorithm = promise.algorithm().unwrap_or_default();
    let arrived = receive(store, req.input.body.take(), size, algorithm).await?;
    let trailers = req.trailing_headers.and_then(|trailers| trailers.take());
    promise.check(&arrived.checksum, trailers.as_ref())?;
    arrived.check_md5(md5)?;

    let object = store_arrived(store, bucket, key, arrived, about, condition, event).await?;
    let mut output = PutObjectOutput {
        e_tag: Some(object.e_tag()),
        ..PutObjectOutput::default()
    };
    output.server_side_encryption = req.input.server_side_encryption;
    fill_checksum!(output, object.checksum);
    Ok(S3Response::new(output))
}

/// S3 puts the name of a form's file in place of `${filename}`; s3s does not tell us that name.
fn refuse_file_name(req: &S3Request<PutObjectInput>) -> S3Result<()> {
    if req.method == Method::POST && req.input.key.contains("${filename}") {
        return Err(s3_error!(
            NotImplemented,
            "${{filename}} in a form's key is not implemented"
        ));
    }
    Ok(())
}

async fn store_arrived(
    store: &Store,
    bucket: String,
    key: String,
    arrived: Arrived,
    about: About,
    condition: Condition,
    event: EventName,
) -> S3Result<Object> {
    let object = Object {
        body: arrived.draft.id(),
        size: arrived.size,
        etag: hex::encode(arrived.md5),
        modified_ms: to_millis(now()),
        checksum: arrived.checksum,
        about,
    };
    let store = store.clone();
    blocking(move || store.commit(&bucket, &key, object, arrived.draft, &condition, event)).await
}

/// A PUT that can only fail is refused before its bytes are sent; the transaction decides again.
pub(super) async fn refuse_early(
    store: &Store,
    bucket: &str,
    key: &str,
    condition: &Condition,
) -> S3Result<()> {
    let (store, bucket, key, condition) = (
        store.clone(),
        bucket.to_owned(),
        key.to_owned(),
        condition.clone(),
    );
    blocking(move || condition.check(store.index().find(&bucket, &key)?.as_ref())).await
}
