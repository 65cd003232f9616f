//! `versioning`: what happens to an object that is overwritten or deleted?

use super::context::CheckContext;
use super::verdict::Verdict;
use super::with_probe::configuration_unreadable;
use crate::objects::inspect::Versioning;

pub(super) async fn check_versioning(context: &CheckContext) -> Verdict {
    match context.store.versioning().await {
        Ok(Versioning::Off) => Verdict::ok("off: overwritten and deleted objects are lost"),
        Ok(Versioning::On) => Verdict::ok(
            "on: overwritten and deleted objects are kept as old versions, and are charged for until \
             a lifecycle rule (NoncurrentVersionExpiration) deletes them",
        ),
        Ok(Versioning::Suspended) => Verdict::warning(
            "suspended: overwritten and deleted objects are lost; old versions are kept",
            "enable versioning again, or delete the old versions with a lifecycle rule",
        ),
        Err(error) => configuration_unreadable(&error, "s3:GetBucketVersioning"),
    }
}
