//! Copies inside the bucket: the bytes do not leave the store.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::types::MetadataDirective;
use aws_smithy_runtime_api::http::Response;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::abilities::{Ability, Support};
use crate::domain::encryption::Encryption;
use crate::domain::object::UPLOAD_ID_METADATA;
use crate::objects::multipart::patient;
use crate::objects::sign::{Precondition, PutObject};
use crate::objects::store::{Answer, ObjectAttribute, ObjectStore, StoreError, failed, status};

mod part;

pub use part::CopyPart;

/// What `x-amz-copy-source` takes as it is ("CopyObject", S3 API reference: URL-encoded).
const SOURCE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The version of an object that is copied.
#[derive(Clone, Copy, Debug)]
pub struct CopySource<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its ETag, with its quotes: the store refuses where another object took its place.
    pub etag: &'a str,
}

/// A copy of a whole object in one call: 5 GiB at most.
#[derive(Clone, Copy, Debug)]
pub struct CopyObject<'a> {
    /// What is copied.
    pub source: CopySource<'a>,
    /// The object to be. Its size and checksum are those of the source; its tags are copied by the
    /// store.
    pub object: &'a PutObject<'a>,
    /// User metadata beside the upload's id.
    pub metadata: &'a BTreeMap<String, String>,
    /// How long the call may take with all its attempts.
    pub timeout: Duration,
}

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The copy is there.
    Done,
    /// Nothing was copied: the source is gone or another one, or something stands at the target
    /// that may not be replaced. After a lost answer that may be the copy itself: HEAD says which.
    PreconditionFailed,
    /// Another write of the key was under way.
    Conflict,
    /// The source is archived: it has to be restored first.
    Archived,
    /// There is no such multipart upload, or no longer. Only of parts.
    NoSuchUpload,
}

impl ObjectStore {
    /// Copies an object.
    ///
    /// # Errors
    /// The store does not answer, or does not take the storage class.
    pub async fn copy(&self, copy: &CopyObject<'_>) -> Result<Copied, StoreError> {
        let known = self.abilities.current();
        let precondition = match copy.object.precondition {
            Precondition::Absent if known.support(Ability::PutIfNoneMatch) == Support::No => {
                Precondition::None
            }
            Precondition::Matches(etag) => match known.support(Ability::PutIfMatch) {
                Support::No => Precondition::None,
                Support::Unquoted => Precondition::Matches(etag.trim_matches('"')),
                Support::Yes | Support::Unknown => Precondition::Matches(etag),
            },
            precondition => precondition,
        };
        match self.copy_if(copy, precondition).await {
            // Some stores know preconditions of a PUT and not of a copy.
            Err(error) if precondition != Precondition::None && is_unknown_to(&error) => {
                let copied = self.copy_if(copy, Precondition::None).await;
                copied.or_else(|error| outcome("CopyObject", error, copy.object))
            }
            copied => copied.or_else(|error| outcome("CopyObject", error, copy.object)),
        }
    }

    async fn copy_if(
        &self,
        copy: &CopyObject<'_>,
        precondition: Precondition<'_>,
    ) -> Result<Copied, CopyError> {
        let object = copy.object;
        let (if_match, if_none_match) = match precondition {
            Precondition::Absent => (None, Some("*".to_owned())),
            Precondition::Matches(etag) => (Some(etag.to_owned()), None),
            Precondition::None => (None, None),
        };
        let own = |text: Option<&str>| text.map(str::to_owned);
        let mut metadata: HashMap<_, _> = copy.metadata.clone().into_iter().collect();
        metadata.insert(UPLOAD_ID_METADATA.to_owned(), object.upload_id.to_owned());
        let call = (self.client.copy_object())
            .bucket(self.bucket())
            .key(object.key)
            .copy_source(self.source(copy.source.key))
            .copy_source_if_match(copy.source.etag)
            .set_if_match(if_match)
            .set_if_none_match(if_none_match)
            .metadata_directive(MetadataDirective::Replace)
            .set_metadata(Some(metadata))
            .content_type(object.content_type)
            .set_cache_control(own(object.cache_control))
            .set_content_disposition(own(object.content_disposition))
            .set_content_encoding(own(object.content_encoding))
            .set_content_language(own(object.content_language))
            .set_storage_class(object.storage_class.map(Into::into))
            .set_server_side_encryption(object.encryption.map(|asked| asked.algorithm().into()))
            .set_ssekms_key_id(own(object.encryption.and_then(Encryption::key_id)))
            .set_bucket_key_enabled(object.encryption.and_then(Encryption::bucket_key))
            .customize()
            .config_override(patient(copy.timeout))
            .send();
        self.timed("CopyObject", call).await.map(|_| Copied::Done)
    }

    /// `bucket/key`, URL-encoded.
    fn source(&self, key: &str) -> String {
        format!("{}/{}", self.bucket(), utf8_percent_encode(key, SOURCE))
    }
}

type CopyError = SdkError<aws_sdk_s3::operation::copy_object::CopyObjectError, Response>;

/// Whether the store refuses a header that it does not know, and not the copy.
fn is_unknown_to(error: &CopyError) -> bool {
    status(error) == Some(501) || error.code() == Some("NotImplemented")
}

fn outcome(
    operation: &'static str,
    error: CopyError,
    object: &PutObject<'_>,
) -> Result<Copied, StoreError> {
    match refusal(error.code().unwrap_or_default(), status(&error)) {
        Some(copied) => Ok(copied),
        None if error.code() == Some("InvalidStorageClass") && object.storage_class.is_some() => {
            Err(StoreError::UnsupportedAttribute {
                attribute: ObjectAttribute::StorageClass,
                answer: Answer {
                    status: status(&error).unwrap_or_default(),
                    code: "InvalidStorageClass".to_owned(),
                },
            })
        }
        None => Err(failed(operation, error)),
    }
}

/// What an error means, where it is an answer and not a fault: by its code, else by its status. A
/// 200 may have an error in its body.
fn refusal(code: &str, status: Option<u16>) -> Option<Copied> {
    match (code, status) {
        ("NoSuchBucket", _) => None,
        ("NoSuchUpload", _) => Some(Copied::NoSuchUpload),
        ("InvalidObjectState", _) => Some(Copied::Archived),
        ("PreconditionFailed" | "NoSuchKey", _) | (_, Some(404 | 412)) => {
            Some(Copied::PreconditionFailed)
        }
        ("ConditionalRequestConflict" | "OperationAborted", _) => Some(Copied::Conflict),
        _ => None,
    }
}
