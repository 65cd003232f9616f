//! `public-access`: is public access to the bucket blocked? Objects that are written without the
//! broker are detected (`drifted`), but cannot be prevented.

use super::context::CheckContext;
use super::verdict::Verdict;
use super::with_probe::configuration_unreadable;

pub(super) async fn check_public_access(context: &CheckContext) -> Verdict {
    let fix = "turn on all four settings of Block Public Access for the bucket";
    if let Ok(true) = context.store.has_public_policy().await {
        return Verdict::failed("the bucket policy allows public access", fix);
    }
    match context.store.public_access_block().await {
        Ok(block) => match block.off().as_slice() {
            [] => Verdict::ok("public access is blocked by the bucket"),
            off => Verdict::warning(
                format!(
                    "not blocked by the bucket ({}); the account may block it, which cannot be checked here",
                    off.join(", ")
                ),
                fix,
            ),
        },
        Err(error) => configuration_unreadable(&error, "s3:GetBucketPublicAccessBlock"),
    }
}
