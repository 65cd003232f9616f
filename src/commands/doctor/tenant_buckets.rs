//! The buckets that tenants have of their own: each is looked at as the common one is.
//!
//! They are of the same store, so that what is of the store is not looked at again. Where Postgres
//! cannot tell them, there is nothing to look at; its own check says why.

use futures::StreamExt as _;
use futures::stream;

use super::examine::{BOUND, a_bucket};
use super::patient::Patient;
use super::verdict::{Line, Verdict};
use crate::store::{Connection, tenants};

/// How many are looked at.
const MOST: usize = 20;
/// How many at once: each has a dozen calls under way.
const AT_ONCE: usize = 4;

/// Their names, or why they cannot be told.
pub(super) type Found = Result<Vec<String>, Verdict>;

/// Asks Postgres for them.
pub(super) async fn find(connection: &mut Connection) -> Found {
    let asked = tokio::time::timeout(BOUND, tenants::buckets(connection)).await;
    let fix = "see Postgres' own log";
    match asked {
        Ok(Ok(names)) => Ok(names),
        Ok(Err(error)) => Err(Verdict::fault(&error, fix)),
        Err(_) => Err(super::examine::too_long()),
    }
}

/// The checks of a bucket for each of them, by name.
pub(super) async fn all(patient: &Patient, found: Found, fix: bool) -> Vec<Line> {
    let mut names = match found {
        Ok(names) => names,
        Err(verdict) => return vec![Line::new("tenant-buckets", verdict)],
    };
    // A tenant may name the common one for its own.
    names.retain(|name| *name != patient.settings.s3.bucket);
    let rest = names.split_off(names.len().min(MOST));
    let looked = stream::iter(names).map(|name| async move {
        let patient = patient.at(&name).await;
        let lines = a_bucket(&patient, fix).await.into_iter();
        lines.map(|line| line.of(&name)).collect::<Vec<_>>()
    });
    let mut lines = looked.buffered(AT_ONCE).concat().await;
    if let Some(first) = rest.first() {
        let why = format!("{} more buckets of tenants were not looked at", rest.len());
        let fix = format!("run the doctor with BROKER_S3_BUCKET={first}, and so on");
        lines.push(Line::new("tenant-buckets", Verdict::unknown(why, fix)));
    }
    lines
}
