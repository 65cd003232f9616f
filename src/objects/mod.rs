//! Everything that speaks S3.
//!
//! [`sign`] makes URLs and asks nobody. [`ObjectStore`] asks the store: HEAD, list, delete. Every
//! call is bounded in time and tried again by the SDK a few times; what fails after that is a
//! [`StoreError`], and the caller decides what stays as it was.

pub mod client;
pub mod credentials;
mod delete;
pub mod endpoint;
mod head;
mod list;
pub mod multipart;
pub mod sign;
mod store;

pub use delete::Deletion;
pub use list::{ListedObject, Listing, ListingPage};
pub use store::{Carried, ObjectStore, StoreError};
