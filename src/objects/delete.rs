//! Deletes exactly the object that was checked before.

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

/// How long the store accepts a DELETE request after it was signed.
pub const DELETE_EXPIRES: Duration = Duration::from_secs(60);
/// How often a DELETE request is sent if the store answers 500 or 503.
const ATTEMPTS: u32 = 3;
/// The back-off between them.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));

/// The condition of a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteIf {
    /// The ETag must be the same (`If-Match`), so that an object that was written since is not
    /// deleted.
    SameEtag,
    /// No condition: any object at the key is deleted.
    Any,
}

/// The outcome of a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The object that was checked does not exist any more.
    Gone,
    /// Another object has replaced it meanwhile, and was not deleted.
    Replaced,
    /// The store does not seem to support `If-Match` on deletes. Nothing was deleted.
    ConditionUnsupported,
}

/// A delete that failed, or whose outcome is unknown.
#[derive(Debug)]
pub struct DeleteError {
    /// The error of the request.
    pub error: StoreError,
    /// Whether the request may still reach the store, within [`DELETE_EXPIRES`] from now.
    pub may_arrive: bool,
}

impl ObjectStore {
    /// The strictest condition that the store supports for deletes in this bucket.
    pub fn delete_if(&self) -> DeleteIf {
        match self.abilities.current().support(Ability::DeleteIfMatch) {
            Support::No => DeleteIf::Any,
            Support::Unknown | Support::Yes | Support::Unquoted => DeleteIf::SameEtag,
        }
    }

    /// Records that the store does not support `If-Match` on deletes in this bucket, which
    /// overrides the settings. Logs a warning the first time.
    pub fn record_unconditional_deletes(&self) {
        self.record_refusal(Ability::DeleteIfMatch);
    }

    /// Deletes `found` from `key`. With [`DeleteIf::SameEtag`] an object that was written there
    /// since is not deleted. Without it there is a race of one round trip, in which an object that
    /// replaces `found` would be deleted instead.
    ///
    /// In a versioned bucket the object is hidden by a delete marker and not destroyed; deleting
    /// its version would make the previous version visible again.
    ///
    /// A request is only repeated after the store has answered the previous one.
    ///
    /// # Errors
    /// The store does not answer, or refuses the request.
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
        // A request without an answer may still reach the store. So the SDK makes only one attempt,
        // which may take as long as all attempts of another operation together.
        let config = self.client.config().timeout_config();
        let total = config.and_then(TimeoutConfig::operation_timeout);
        let mut timeouts = TimeoutConfig::builder();
        timeouts
            .set_connect_timeout(config.and_then(TimeoutConfig::connect_timeout))
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

/// Whether S3 itself has answered. A status 5xx without an error code may come from a proxy that
/// has forwarded the request.
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
