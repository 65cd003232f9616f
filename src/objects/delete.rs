//! Deleting exactly the object that was looked at.

use std::io;
use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::operation::delete_object::DeleteObjectError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::timeout::TimeoutConfig;

use super::short_lived::ShortLived;
use super::store::{ObjectStore, StoreError, failed, status};
use crate::domain::abilities::{Ability, Support};
use crate::domain::object::FoundObject;
use crate::lifecycle::backoff::Backoff;

/// How long after its signing the store accepts a DELETE.
pub const DELETE_EXPIRES: Duration = Duration::from_secs(60);
/// Attempts at a DELETE that the store answers with 500 or 503.
const ATTEMPTS: u32 = 3;
/// The back-off between them.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));

/// What the store compares before it deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteIf {
    /// The ETag (`If-Match`): nothing that was written since is removed.
    SameEtag,
    /// Nothing: any object at the key is removed.
    Any,
}

/// What became of a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Nothing of the object that was looked at stands there any more.
    Gone,
    /// Another object took its place meanwhile; that one was left alone.
    Replaced,
    /// The store does not seem to support `If-Match` on deletes. Nothing was deleted.
    ConditionUnsupported,
}

/// A delete whose outcome is unknown, or that the store did not carry out.
#[derive(Debug)]
pub struct DeleteError {
    /// Why.
    pub error: StoreError,
    /// Whether the request may still reach the store, for [`DELETE_EXPIRES`] from now.
    pub may_arrive: bool,
}

impl ObjectStore {
    /// What the store can compare before it deletes an object of this bucket.
    pub fn delete_if(&self) -> DeleteIf {
        match self.abilities.current().support(Ability::DeleteIfMatch) {
            Support::No => DeleteIf::Any,
            Support::Unknown | Support::Yes | Support::Unquoted => DeleteIf::SameEtag,
        }
    }

    /// Remembers that the store does not support `If-Match` on deletes in this bucket, whatever the
    /// settings say. Warns the first time.
    pub fn record_unconditional_deletes(&self) {
        self.record_refusal(Ability::DeleteIfMatch);
    }

    /// Removes `found` from `key`; with [`DeleteIf::SameEtag`] nothing that was written there since.
    /// Without it there is a gap of one round trip, in which a write that replaces the object would
    /// be removed in its stead.
    ///
    /// In a versioned bucket the object is hidden by a delete marker, not destroyed; removing its
    /// very version would bring the one before it back to light.
    ///
    /// A request is repeated only after the store has answered the one before.
    pub async fn delete(
        &self,
        key: &str,
        found: &FoundObject,
        delete_if: DeleteIf,
    ) -> Result<Deletion, DeleteError> {
        let mut attempt = 1;
        loop {
            let error = match self.send_delete(key, found, delete_if).await {
                Ok(()) => return Ok(Deletion::Gone),
                Err(error) => error,
            };
            match status(&error) {
                Some(404) => return Ok(Deletion::Gone),
                Some(409 | 412) => return Ok(Deletion::Replaced),
                Some(400 | 405 | 501) if delete_if == DeleteIf::SameEtag => {
                    return Ok(Deletion::ConditionUnsupported);
                }
                Some(500 | 503) if is_answer(&error) && attempt < ATTEMPTS => {
                    tokio::time::sleep(BACKOFF.delay(attempt)).await;
                    attempt += 1;
                }
                _ => {
                    let may_arrive = may_arrive(&error);
                    let error = failed("DeleteObject", error);
                    return Err(DeleteError { error, may_arrive });
                }
            }
        }
    }

    async fn send_delete(
        &self,
        key: &str,
        found: &FoundObject,
        delete_if: DeleteIf,
    ) -> Result<(), SdkError<DeleteObjectError, Response>> {
        let if_match = (delete_if == DeleteIf::SameEtag).then(|| found.etag.clone());
        // An attempt that got no answer may still reach the store, so there is only one, and it may
        // take as long as all attempts of another operation together.
        let usual = self.client.config().timeout_config();
        let total = usual.and_then(TimeoutConfig::operation_timeout);
        let mut timeouts = TimeoutConfig::builder();
        timeouts
            .set_connect_timeout(usual.and_then(TimeoutConfig::connect_timeout))
            .set_operation_attempt_timeout(total)
            .set_operation_timeout(total);
        let once = Builder::new()
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.build());
        let call = (self.client.delete_object())
            .bucket(self.bucket())
            .key(key)
            .set_if_match(if_match)
            .customize()
            .config_override(once)
            .interceptor(ShortLived(DELETE_EXPIRES))
            .send();
        self.timed("DeleteObject", call).await.map(drop)
    }
}

/// Whether S3 itself has answered. A 5xx without an error code may come from a proxy that has
/// forwarded the request.
fn is_answer(error: &SdkError<DeleteObjectError, Response>) -> bool {
    match status(error) {
        Some(500..) => error.code().is_some(),
        Some(_) => true,
        None => false,
    }
}

fn may_arrive(error: &SdkError<DeleteObjectError, Response>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::DispatchFailure(failure) => {
            !(failure.as_connector_error()).is_some_and(|error| never_connected(error))
        }
        error => !is_answer(error),
    }
}

fn never_connected(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        matches!(
            kind,
            Some(
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::AddrNotAvailable
            )
        )
    })
}
