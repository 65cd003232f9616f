//! Access to S3 and S3-compatible stores.
//!
//! [`sign`] creates URLs without any request. [`ObjectStore`] sends requests to the store: HEAD,
//! list, copy, delete. Every call has a timeout and is retried by the SDK a few times; a call that
//! fails after that returns a [`StoreError`], and the caller decides what to do. [`inspect`] and
//! [`probe`] are for `doctor`: how the bucket is configured, and what the store supports.

mod abilities;
mod buckets;
pub mod client;
mod copy;
pub mod credentials;
mod delete;
pub mod endpoint;
mod head;
pub mod inspect;
mod list;
pub mod multipart;
pub mod probe;
pub mod read;
mod short_lived;
pub mod sign;
mod store;
mod timeout;
pub mod trust;
pub mod write;

pub use abilities::KnownAbilities;
pub use buckets::{Bucket, Buckets, Settings as BucketSettings};
pub use copy::{Copied, CopyObject, CopyPart, CopySource};
pub use delete::{DELETE_EXPIRES, DeleteError, DeleteIf, Deletion};
pub use list::{ListedFolder, ListedObject, Listing, ListingPage};
pub use store::{Answer, ObjectAttribute, ObjectStore, StoreError};
