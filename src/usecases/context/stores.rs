//! The object stores: buckets, and the credentials that URLs are signed with.

use crate::objects::Buckets;
use crate::objects::credentials::CredentialsCache;

/// The buckets and the credentials for them.
pub struct Stores {
    /// The common bucket, and those of tenants.
    pub buckets: Buckets,
    /// What URLs are signed with.
    pub credentials: CredentialsCache,
}
