//! Runs all checks of one bucket: the common one, or a tenant's.

use futures::join;

use super::context::CheckContext;
use super::time_limit::run_limited;
use super::verdict::{CheckResult, State, Verdict};
use super::with_probe::with_probe;
use super::{
    bucket, checksums, conditional_writes, cors, lifecycle, multipart, public_access, rights,
    signatures, versioning,
};

/// The checks that need a bucket that responds, in the order of [`run`].
const DEPENDENT_CHECKS: [&str; 9] = [
    "rights",
    "signatures",
    "conditional-writes",
    "checksums",
    "multipart",
    "cors",
    "versioning",
    "lifecycle",
    "public-access",
];

/// Checks whether the bucket responds, and then runs the other checks concurrently.
pub(super) async fn run(context: &CheckContext, fix: bool) -> Vec<CheckResult> {
    let bucket = run_limited("bucket", context, bucket::check_bucket(context)).await;
    let responds = bucket.state != State::Failed;
    let mut results = vec![bucket];
    if !responds {
        results.extend(DEPENDENT_CHECKS.map(|check| {
            let why = "the bucket does not respond";
            CheckResult::new(check, Verdict::unknown(why, "see the check `bucket`"))
        }));
        return results;
    }
    let rest = join!(
        run_limited("rights", context, rights::check_rights(context)),
        with_probe("signatures", context, async |probe| {
            signatures::check_signatures(probe).await
        }),
        with_probe("conditional-writes", context, async |probe| {
            conditional_writes::check_conditional_writes(context.settings.s3.switches, probe).await
        }),
        with_probe("checksums", context, async |probe| {
            checksums::check_checksums(context.settings.s3.switches, probe).await
        }),
        with_probe("multipart", context, async |probe| {
            multipart::check_multipart(context, probe).await
        }),
        with_probe("cors", context, async |probe| {
            cors::check_cors(context, probe, fix).await
        }),
        run_limited("versioning", context, versioning::check_versioning(context)),
        run_limited("lifecycle", context, lifecycle::check_lifecycle(context)),
        run_limited(
            "public-access",
            context,
            public_access::check_public_access(context)
        ),
    );
    let (a, b, c, d, e, f, g, h, i) = rest;
    results.extend([a, b, c, d, e, f, g, h, i]);
    results
}
