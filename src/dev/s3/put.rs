//! PutObject, and PostObject, which s3s converts to a PutObject.

use hyper::header::{ETAG, HOST, HeaderValue, LOCATION};
use hyper::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::condition::Condition;
use super::declared;
use super::declared_checksum::DeclaredChecksum;
use super::events::EventName;
use super::fields::{declared_checksums, fill_checksum};
use super::object::{Attributes, Object, now, to_millis};
use super::receive::{ReceivedBody, receive};
use super::store::{Store, blocking};

/// The characters that are encoded in the keys of URLs.
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

pub(super) async fn put_object(
    store: &Store,
    mut req: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let event = if req.method == Method::POST {
        EventName::CreatedPost
    } else {
        EventName::CreatedPut
    };
    reject_file_name(&req)?;
    let declared_checksum = DeclaredChecksum::of(declared_checksums!(req.input), &req.headers)?;
    let md5 = declared::md5(req.input.content_md5.as_deref())?;
    let condition = Condition::of_write(
        req.input.if_match.as_ref(),
        req.input.if_none_match.as_ref(),
    )?;
    let attributes = Attributes::of_put(&req.input)?;
    declared::reject_unsupported(&req.input)?;
    let size = declared::size(req.input.content_length, req.input.body.as_ref())?;
    let (bucket, key) = (req.input.bucket.clone(), req.input.key.clone());
    check_early(store, &bucket, &key, &condition).await?;

    let algorithm = declared_checksum.algorithm().unwrap_or_default();
    let received = receive(store, req.input.body.take(), size, algorithm).await?;
    let trailers = req.trailing_headers.and_then(|trailers| trailers.take());
    declared_checksum.check(&received.checksum, trailers.as_ref())?;
    received.check_md5(md5)?;

    let location = (req.method == Method::POST).then(|| location(&req.headers, &bucket, &key));
    let object = store_received(store, bucket, key, received, attributes, condition, event).await?;
    let etag = format!("\"{}\"", object.etag);
    let mut output = PutObjectOutput {
        e_tag: Some(object.e_tag()),
        ..PutObjectOutput::default()
    };
    output.server_side_encryption = req.input.server_side_encryption;
    fill_checksum!(output, object.checksum);
    let mut response = S3Response::new(output);
    if let Some(location) = location {
        // s3s writes them into the body only, and a page reads the headers.
        for (name, value) in [(LOCATION, location), (ETAG, etag)] {
            let value = HeaderValue::from_str(&value);
            response
                .headers
                .extend(value.ok().map(|value| (name, value)));
        }
    }
    Ok(response)
}

/// The address of the object that a form has created.
fn location(headers: &HeaderMap, bucket: &str, key: &str) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or_default();
    let key = utf8_percent_encode(key, KEY);
    format!("http://{host}/{bucket}/{key}")
}

/// Rejects a form whose key contains `${filename}`. S3 replaces it with the name of the file, which s3s
/// does not provide.
fn reject_file_name(req: &S3Request<PutObjectInput>) -> S3Result<()> {
    if req.method == Method::POST && req.input.key.contains("${filename}") {
        return Err(s3_error!(
            NotImplemented,
            "${{filename}} in a form's key is not implemented"
        ));
    }
    Ok(())
}

async fn store_received(
    store: &Store,
    bucket: String,
    key: String,
    received: ReceivedBody,
    attributes: Attributes,
    condition: Condition,
    event: EventName,
) -> S3Result<Object> {
    let object = Object {
        body: received.draft.id(),
        size: received.size,
        etag: hex::encode(received.md5),
        modified_ms: to_millis(now()),
        checksum: received.checksum,
        attributes,
    };
    let store = store.clone();
    blocking(move || store.commit(&bucket, &key, object, received.draft, &condition, event)).await
}

/// Checks the precondition before the bytes are received, so that a write that must fail does so early.
/// The transaction checks it again.
pub(super) async fn check_early(
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
