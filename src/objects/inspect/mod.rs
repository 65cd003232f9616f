//! The configuration of a bucket, as the store reports it.
//!
//! This is only for `doctor`. No other operation of the broker needs these calls, and the role of a
//! broker does not need the rights for them. A store that lacks such a call, or denies it to this
//! role, gives [`StoreError::Refused`], which says nothing about the bucket. Only [`set_cors`]
//! changes anything.
//!
//! [`StoreError::Refused`]: crate::objects::StoreError::Refused
//! [`set_cors`]: crate::objects::ObjectStore::set_cors

mod bucket;
mod cors;
mod error;
mod lifecycle;
mod public;
mod versioning;

pub use bucket::BucketStatus;
pub use cors::CorsRule;
pub use lifecycle::AbortRule;
pub use public::PublicAccessBlock;
pub use versioning::Versioning;
