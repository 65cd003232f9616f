//! CopyObject: a copy of a whole object in one call.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::types::MetadataDirective;
use aws_smithy_runtime_api::http::Response;

use super::outcome::Copied;
use super::source::CopySource;
use crate::domain::abilities::{Ability, Support};
use crate::domain::encryption::Encryption;
use crate::domain::object::UPLOAD_ID_METADATA;
use crate::objects::sign::{Precondition, PutObject};
use crate::objects::store::{Answer, ObjectAttribute, ObjectStore, StoreError, failed, status};
use crate::objects::timeout::with_timeout;

/// The parameters of a copy of a whole object, of at most 5 GiB.
#[derive(Clone, Copy, Debug)]
pub struct CopyObject<'a> {
    /// The object that is copied.
    pub source: CopySource<'a>,
    /// The new object. Its size and checksum are those of the source, and the store copies the tags.
    pub object: &'a PutObject<'a>,
    /// User metadata in addition to the upload id.
    pub metadata: &'a BTreeMap<String, String>,
    /// How long the call may take, with all its attempts.
    pub timeout: Duration,
}

impl ObjectStore {
    /// Copies an object.
    ///
    /// # Errors
    /// The store does not answer, or does not support the storage class.
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
            // Some stores support preconditions of a PUT, but not of a copy.
            Err(error) if precondition != Precondition::None && is_unsupported(&error) => {
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
            .copy_source(copy.source.header(self.bucket()))
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
            .config_override(with_timeout(copy.timeout))
            .send();
        self.timed("CopyObject", call).await.map(|_| Copied::Done)
    }
}

type CopyError = SdkError<aws_sdk_s3::operation::copy_object::CopyObjectError, Response>;

/// Whether the store refuses a header that it does not support, and not the copy itself.
fn is_unsupported(error: &CopyError) -> bool {
    status(error) == Some(501) || error.code() == Some("NotImplemented")
}

fn outcome(
    operation: &'static str,
    error: CopyError,
    object: &PutObject<'_>,
) -> Result<Copied, StoreError> {
    match Copied::from_error(error.code().unwrap_or_default(), status(&error)) {
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
