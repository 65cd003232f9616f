//! CopyObject: a new record and a second name for the same bytes.

use std::fs::File;

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, MetadataDirective,
    ServerSideEncryption, TaggingDirective,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::checksum::{self, Algorithm};
use super::condition::{Condition, ReadConditions};
use super::declared::without_aws_chunked;
use super::errors::{Fault, only_null_version, precondition_failed};
use super::events::EventName;
use super::fields::fill_checksum;
use super::object::{About, Object, now, to_millis};
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
    // A copy has no 304: its conditions all fail with 412.
    conditions.check(&original, precondition_failed)?;
    refuse_keys(&input)?;
    let about = about_copy(&input, &original)?;
    if from_bucket == input.bucket && from_key == input.key && about == original.about {
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
            about,
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
    /// Its body. Open, so that it can be read even when the original is replaced meanwhile.
    file: File,
    about: About,
    /// To hash with anew; else the original's checksum goes along.
    algorithm: Option<Algorithm>,
}

impl Copy {
    fn commit(
        mut self,
        store: &Store,
        bucket: &str,
        key: &str,
        condition: &Condition,
    ) -> Result<Object, Fault> {
        let known = &self.original.checksum;
        let algorithm = self.algorithm.unwrap_or(known.algorithm);
        let checksum = if algorithm == known.algorithm && !known.is_composite() {
            known.clone()
        } else {
            checksum::of_file(&mut self.file, algorithm)?
        };
        // The copy is one object in one piece, however the original came.
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
            about: self.about,
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

/// `REPLACE` takes what the request says, `COPY` (the default) what the original has. The storage
/// class and the encryption are always the request's.
fn about_copy(input: &CopyObjectInput, original: &Object) -> S3Result<About> {
    let replace = input
        .metadata_directive
        .as_ref()
        .is_some_and(|d| d.as_str() == MetadataDirective::REPLACE);
    let retag = input
        .tagging_directive
        .as_ref()
        .is_some_and(|d| d.as_str() == TaggingDirective::REPLACE);
    let mut about = if replace {
        replaced(input)
    } else {
        original.about.clone()
    };
    about.storage_class = input
        .storage_class
        .as_ref()
        .map(|class| class.as_str().to_owned());
    about.server_side_encryption = input
        .server_side_encryption
        .as_ref()
        .map(|kind| kind.as_str().to_owned());
    about.tagging = if retag {
        input.tagging.clone()
    } else {
        original.about.tagging.clone()
    };
    about.check()?;
    Ok(about)
}

/// As of a PUT: no key that is not the store's own.
fn refuse_keys(input: &CopyObjectInput) -> S3Result<()> {
    let encryption = input.server_side_encryption.as_ref();
    let foreign = encryption.is_some_and(|kind| kind.as_str() != ServerSideEncryption::AES256);
    if foreign || input.ssekms_key_id.is_some() || input.bucket_key_enabled.is_some() {
        return Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented"
        ));
    }
    Ok(())
}

fn replaced(input: &CopyObjectInput) -> About {
    About {
        content_type: input.content_type.clone(),
        content_encoding: input
            .content_encoding
            .as_deref()
            .and_then(without_aws_chunked),
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
