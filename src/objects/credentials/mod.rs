//! The AWS credentials that URLs are signed with.
//!
//! The broker signs URLs itself, so it needs a cache that knows when the credentials expire: a URL
//! must not promise to live longer. The calls of the SDK to S3 are signed with the same credentials,
//! by [`CachedProvider`].
//!
//! [`CredentialsCache`] documents what happens if no credentials are available.

mod cache;
mod sdk;
mod set;

pub use self::cache::{CredentialsCache, Error};
pub use self::sdk::CachedProvider;
pub use self::set::Credentials;
