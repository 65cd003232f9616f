//! What the bucket says of itself: where it is, and how it is configured.
//!
//! For the doctor. No verb of the broker needs these calls, and no role of a broker the rights to
//! them: a store that does not have one, or keeps it from this role, is [`StoreError::Refused`],
//! which says nothing about the bucket. Only [`set_cors`] changes anything.
//!
//! [`set_cors`]: crate::objects::ObjectStore::set_cors

mod bucket;
mod cors;
mod lifecycle;
mod public;
mod versioning;

pub use bucket::BucketStatus;
pub use cors::CorsRule;
pub use lifecycle::AbortRule;
pub use public::PublicAccessBlock;
pub use versioning::Versioning;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;

use super::store::{StoreError, answer, failed};

/// Tells a store that will not say from one that does not answer. Stores that do not know a
/// sub-resource also answer 200 with a document of another kind.
fn unsaid<E>(operation: &'static str, error: SdkError<E, Response>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer(&error) {
        // Some have no such call and answer it with a fault.
        Some(answer) if answer.status != 503 => StoreError::Refused {
            operation,
            answer,
            cause: Box::new(error),
        },
        _ => failed(operation, error),
    }
}
