//! Everything that speaks S3.
//!
//! [`sign`] makes URLs and asks nobody. [`ObjectStore`] asks the store: HEAD, list, copy, delete. Every
//! call is bounded in time and tried again by the SDK a few times; what fails after that is a
//! [`StoreError`], and the caller decides what stays as it was. [`inspect`] and [`probe`] are the
//! doctor's: how the bucket is set up, and what it does with what is signed.

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
mod short_lived;
pub mod sign;
mod store;
pub mod trust;

pub use abilities::KnownAbilities;
pub use buckets::{Bucket, Buckets, Settings as BucketSettings};
pub use copy::{Copied, CopyObject, CopyPart, CopySource};
pub use delete::{DELETE_EXPIRES, DeleteError, DeleteIf, Deletion};
pub use list::{ListedFolder, ListedObject, Listing, ListingPage};
pub use store::{Answer, ObjectAttribute, ObjectStore, StoreError};
