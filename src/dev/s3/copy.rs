//! CopyObject: a new record, and a second name (hard link) for the same bytes.

use std::fs::File;

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, MetadataDirective,
    ServerSideEncryption, TaggingDirective,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::checksum::{self, Algorithm};
use super::condition::{Condition, ReadConditions};
use super::declared::remove_aws_chunked;
use super::errors::{StoreError, only_null_version, precondition_failed};
use super::events::EventName;
use super::fields::fill_checksum;
use super::object::{Attributes, Object, now, to_millis};
use super::store::{Store, blocking};

pub(super) async fn copy_object(
    store: &Store,
    req: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let condition = Condition::of_headers(&req.headers)?;
    let input = req.input;
    let (from_bucket, from_key) = source(&input.copy_source)?;
    let (index, bucket, key) = (store.clone(), from_bucket.clone(), from_key.clone());
    let (original, file) = blocking(move || index.open_body(&bucket, &key)).await?;
    let conditions = ReadConditions {
        if_match: input.copy_source_if_match.as_ref(),
        if_none_match: input.copy_source_if_none_match.as_ref(),
        if_modified_since: input.copy_source_if_modified_since.as_ref(),
        if_unmodified_since: input.copy_source_if_unmodified_since.as_ref(),
    };
    // A copy never returns 304: every condition that does not hold fails with 412.
    conditions.check(&original, precondition_failed)?;
    reject_foreign_encryption(&input)?;
    let attributes = copied_attributes(&input, &original)?;
    if from_bucket == input.bucket && from_key == input.key && attributes == original.attributes {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."
        ));
    }
    let algorithm = input
        .checksum_algorithm
        .and_then(|algorithm| Algorithm::named(algorithm.as_str()));
    let store = store.clone();
    let object = blocking(move || {
        let copy = Copy {
            original,
            file,
            attributes,
            algorithm,
        };
        copy.commit(&store, &input.bucket, &input.key, &condition)
    })
    .await?;
    let mut result = CopyObjectResult {
        e_tag: Some(object.e_tag()),
        last_modified: Some(object.last_modified()),
        ..CopyObjectResult::default()
    };
    fill_checksum!(result, object.checksum);
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        ..CopyObjectOutput::default()
    }))
}

struct Copy {
    original: Object,
    /// The body of the original. It is open, so that it can be read even if the original is replaced in
    /// the meantime.
    file: File,
    attributes: Attributes,
    /// The algorithm of a new checksum; otherwise the checksum of the original is copied.
    algorithm: Option<Algorithm>,
}

impl Copy {
    fn commit(
        mut self,
        store: &Store,
        bucket: &str,
        key: &str,
        condition: &Condition,
    ) -> Result<Object, StoreError> {
        let known = &self.original.checksum;
        let algorithm = self.algorithm.unwrap_or(known.algorithm);
        let checksum = if algorithm == known.algorithm && !known.is_composite() {
            known.clone()
        } else {
            checksum::of_file(&mut self.file, algorithm)?
        };
        // The copy has the ETag of a single PUT, even if the original is a multipart object.
        let etag = match self.original.is_multipart() {
            true => hex::encode(checksum::md5_of_file(&mut self.file)?),
            false => self.original.etag.clone(),
        };
        let mut draft = store
            .bodies()
            .draft_copy(self.original.body, &mut self.file)?;
        draft.sync()?;
        let object = Object {
            body: draft.id(),
            modified_ms: to_millis(now()),
            etag,
            checksum,
            attributes: self.attributes,
            ..self.original
        };
        store.commit(
            bucket,
            key,
            object,
            draft,
            condition,
            EventName::CreatedCopy,
        )
    }
}

pub(super) fn source(source: &CopySource) -> Result<(String, String), S3Error> {
    match source {
        CopySource::Bucket {
            bucket,
            key,
            version_id,
        } => {
            only_null_version(version_id.as_deref())?;
            Ok((bucket.to_string(), key.to_string()))
        }
        _ => Err(s3_error!(
            NotImplemented,
            "Only a bucket can be the source of a copy"
        )),
    }
}

/// Returns the attributes of the copy. `REPLACE` uses those of the request, `COPY` (the default) those of
/// the original. The storage class and the encryption are always those of the request.
fn copied_attributes(input: &CopyObjectInput, original: &Object) -> S3Result<Attributes> {
    let replace = input
        .metadata_directive
        .as_ref()
        .is_some_and(|d| d.as_str() == MetadataDirective::REPLACE);
    let retag = input
        .tagging_directive
        .as_ref()
        .is_some_and(|d| d.as_str() == TaggingDirective::REPLACE);
    let mut attributes = if replace {
        requested_attributes(input)
    } else {
        original.attributes.clone()
    };
    attributes.storage_class = input
        .storage_class
        .as_ref()
        .map(|class| class.as_str().to_owned());
    attributes.server_side_encryption = input
        .server_side_encryption
        .as_ref()
        .map(|kind| kind.as_str().to_owned());
    attributes.tagging = if retag {
        input.tagging.clone()
    } else {
        original.attributes.tagging.clone()
    };
    attributes.check()?;
    Ok(attributes)
}

/// Rejects encryption with a key that is not managed by the store, as PutObject does.
fn reject_foreign_encryption(input: &CopyObjectInput) -> S3Result<()> {
    let encryption = input.server_side_encryption.as_ref();
    let is_foreign = encryption.is_some_and(|kind| kind.as_str() != ServerSideEncryption::AES256);
    if is_foreign || input.ssekms_key_id.is_some() || input.bucket_key_enabled.is_some() {
        return Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented"
        ));
    }
    Ok(())
}

fn requested_attributes(input: &CopyObjectInput) -> Attributes {
    Attributes {
        content_type: input.content_type.clone(),
        content_encoding: input
            .content_encoding
            .as_deref()
            .and_then(remove_aws_chunked),
        content_disposition: input.content_disposition.clone(),
        content_language: input.content_language.clone(),
        cache_control: input.cache_control.clone(),
        expires: input.expires.clone(),
        storage_class: None,
        tagging: None,
        metadata: input
            .metadata
            .clone()
            .unwrap_or_default()
            .into_iter()
            .collect(),
        server_side_encryption: None,
    }
}
