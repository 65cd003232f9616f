//! Checks the buckets of tenants in the same way as the common bucket.
//!
//! They are in the same store, so the checks of the store itself are not repeated. If Postgres
//! cannot list them, they are not checked; the check `postgres` says why.

use futures::StreamExt as _;
use futures::stream;

use super::bucket_checks;
use super::context::CheckContext;
use super::time_limit::{TIME_LIMIT, timed_out};
use super::verdict::{CheckResult, Verdict};
use crate::store::{Connection, tenants};

/// How many tenant buckets are checked.
const MAX_BUCKETS: usize = 20;
/// How many buckets are checked at a time; each needs a dozen requests.
const CONCURRENT_BUCKETS: usize = 4;

/// The names of the buckets, or why they are unknown.
pub(super) type Found = Result<Vec<String>, Verdict>;

/// Reads the names from Postgres.
pub(super) async fn find(connection: &mut Connection) -> Found {
    let asked = tokio::time::timeout(TIME_LIMIT, tenants::buckets(connection)).await;
    let fix = "see the log of Postgres";
    match asked {
        Ok(Ok(names)) => Ok(names),
        Ok(Err(error)) => Err(Verdict::error(&error, fix)),
        Err(_) => Err(timed_out()),
    }
}

/// Runs the bucket checks for each of them, in the order of their names.
pub(super) async fn check_all(context: &CheckContext, found: Found, fix: bool) -> Vec<CheckResult> {
    let mut names = match found {
        Ok(names) => names,
        Err(verdict) => return vec![CheckResult::new("tenant-buckets", verdict)],
    };
    // A tenant may use the common bucket as its own.
    names.retain(|name| *name != context.settings.s3.bucket);
    let rest = names.split_off(names.len().min(MAX_BUCKETS));
    let checked = stream::iter(names).map(|name| async move {
        let context = context.at(&name).await;
        let results = bucket_checks::run(&context, fix).await.into_iter();
        results.map(|result| result.of(&name)).collect::<Vec<_>>()
    });
    let mut results = checked.buffered(CONCURRENT_BUCKETS).concat().await;
    if let Some(first) = rest.first() {
        let why = format!("{} more buckets of tenants were not checked", rest.len());
        let fix = format!("run the doctor with BROKER_S3_BUCKET={first} and the other buckets");
        results.push(CheckResult::new(
            "tenant-buckets",
            Verdict::unknown(why, fix),
        ));
    }
    results
}
