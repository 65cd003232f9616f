//! `public-access`: is the bucket closed to the world? Whoever writes into it past the broker is
//! seen (`drifted`), not refused.

use super::patient::Patient;
use super::probing::unsaid;
use super::verdict::Verdict;

pub(super) async fn check(patient: &Patient) -> Verdict {
    let fix = "turn on all four switches of Block public access at the bucket";
    if let Ok(true) = patient.store.has_public_policy().await {
        return Verdict::failed("the bucket's policy lets everybody in", fix);
    }
    match patient.store.public_access_block().await {
        Ok(block) => match block.off().as_slice() {
            [] => Verdict::ok("blocked at the bucket"),
            off => Verdict::warning(
                format!(
                    "not blocked at the bucket ({}); the account may do it, which it does not tell",
                    off.join(", ")
                ),
                fix,
            ),
        },
        Err(error) => unsaid(&error, "s3:GetBucketPublicAccessBlock"),
    }
}
