//! `versioning`: what becomes of a dataset that is overwritten or deleted?

use super::patient::Patient;
use super::probing::unsaid;
use super::verdict::Verdict;
use crate::objects::inspect::Versioning;

pub(super) async fn check(patient: &Patient) -> Verdict {
    match patient.store.versioning().await {
        Ok(Versioning::Off) => Verdict::ok("off: what is overwritten or deleted is gone"),
        Ok(Versioning::On) => Verdict::ok(
            "on: what is overwritten or deleted stays as an old version, and is charged for until \
             a lifecycle rule (NoncurrentVersionExpiration) ends it",
        ),
        Ok(Versioning::Suspended) => Verdict::warning(
            "suspended: what is overwritten or deleted now is gone; old versions stay",
            "enable it again, or expire the old versions by a lifecycle rule",
        ),
        Err(error) => unsaid(&error, "s3:GetBucketVersioning"),
    }
}
