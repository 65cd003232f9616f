//! Rows and the allowances of the upload tokens that they are created with.
//!
//! The rows of the counts are locked, the new uploads written, and the written ones counted, all in
//! one transaction, that of the tenants' quotas too: however many callers come at once, on however
//! many replicas, no more is created than was allowed. Tokens are locked before tenants by every
//! transaction, so that none waits in a circle.
//!
//! Only an upload that is written counts: a refusal costs nothing, and a repetition under an
//! idempotency key writes nothing. Nothing is given back afterwards, or a token would be good for
//! any number of uploads, one after the other.

use diesel::QueryResult;
use diesel_async::AsyncConnection as _;

use super::quota;
use crate::domain::bounds::{Allowance, TokenAllowances, smaller_limit};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::Connection;
use crate::store::token_uses::{self, TokenUsage};

/// What is left of allowances; `None` where it is not limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    uploads: Option<u64>,
    bytes: Option<u64>,
}

impl Left {
    const UNLIMITED: Self = Self {
        uploads: None,
        bytes: None,
    };

    /// What is left of one allowance after its use.
    fn of(allowance: &Allowance, used: TokenUsage) -> Self {
        let left = |most: Option<u64>, used| most.map(|most| most.saturating_sub(used));
        Self {
            uploads: left(allowance.uploads, used.uploads),
            bytes: left(allowance.bytes, used.bytes),
        }
    }

    /// The smaller of both.
    fn min(self, other: Self) -> Self {
        Self {
            uploads: smaller_limit(self.uploads, other.uploads),
            bytes: smaller_limit(self.bytes, other.bytes),
        }
    }

    /// What is left after an upload, where it fits.
    fn after(self, upload: &Upload) -> Result<Self, Refusal> {
        let uploads = match self.uploads {
            Some(0) => return Err(spent("The upload token has no uploads left.".to_owned())),
            uploads => uploads.map(|left| left - 1),
        };
        let bytes = match (self.bytes, counted_bytes(upload)) {
            (Some(left), Some(size)) if size <= left => Some(left - size),
            (Some(left), _) => {
                return Err(spent(format!("The upload token has {left} bytes left.")));
            }
            (None, _) => None,
        };
        Ok(Self { uploads, bytes })
    }
}

/// The bytes that an upload counts against a token: its declared size, or else, for an Uppy client, the
/// largest size that it may have.
fn counted_bytes(upload: &Upload) -> Option<u64> {
    let most = upload.max_size.filter(|_| upload.by_uppy);
    upload.declared.size.or(most)
}

fn spent(detail: String) -> Refusal {
    Refusal::new(Code::TokenSpent, detail)
}

/// Writes rows as [`quota::insert`] does, as far as the allowances reach; without allowances, all
/// of them. Call it inside a transaction.
pub(super) async fn insert(
    connection: &mut Connection,
    rows: &[Upload],
    allowances: Option<&TokenAllowances>,
) -> QueryResult<Vec<Option<Refusal>>> {
    match allowances {
        None => quota::insert(connection, rows).await,
        Some(allowances) => {
            connection
                .transaction(async |connection| {
                    insert_counted(connection, rows, allowances.as_slice()).await
                })
                .await
        }
    }
}

async fn insert_counted(
    connection: &mut Connection,
    rows: &[Upload],
    allowances: &[Allowance],
) -> QueryResult<Vec<Option<Refusal>>> {
    let used = token_uses::lock_usage(connection, allowances).await?;
    let mut left = Left::UNLIMITED;
    for allowance in allowances {
        let used = used.get(&allowance.token).copied().unwrap_or_default();
        left = left.min(Left::of(allowance, used));
    }
    let mut refusals: Vec<(usize, Option<Refusal>)> = Vec::with_capacity(rows.len());
    let mut written = TokenUsage::default();
    let mut open: Vec<Placed<'_>> = rows.iter().enumerate().collect();
    // A row that is refused for another reason leaves its share to the rows behind it.
    while !open.is_empty() {
        let (fitting, over) = split(left, open);
        let (places, new): (Vec<_>, Vec<Upload>) = (fitting.into_iter())
            .map(|(place, row)| (place, row.clone()))
            .unzip();
        let of_quota = quota::insert(connection, &new).await?;
        let some_refused = of_quota.iter().any(Option::is_some);
        for ((place, row), refusal) in places.into_iter().zip(&new).zip(of_quota) {
            if refusal.is_none() {
                left = left.after(row).unwrap_or(left);
                written.uploads += 1;
                written.bytes += counted_bytes(row).unwrap_or_default();
            }
            refusals.push((place, refusal));
        }
        open = match some_refused {
            true => over
                .into_iter()
                .map(|(place, row, _)| (place, row))
                .collect(),
            false => {
                refusals.extend(over.into_iter().map(|(place, _, why)| (place, Some(why))));
                Vec::new()
            }
        };
    }
    if written.uploads > 0 {
        token_uses::add_usage(connection, allowances, written).await?;
    }
    refusals.sort_by_key(|(place, _)| *place);
    Ok(refusals.into_iter().map(|(_, refusal)| refusal).collect())
}

/// A row and its place.
type Placed<'a> = (usize, &'a Upload);
/// A row that does not fit, and why.
type Over<'a> = (usize, &'a Upload, Refusal);

/// The rows that fit into what is left, in their order, and those that do not.
fn split<'a>(left: Left, rows: Vec<Placed<'a>>) -> (Vec<Placed<'a>>, Vec<Over<'a>>) {
    let (mut fitting, mut over) = (Vec::new(), Vec::new());
    let mut left = left;
    for (place, row) in rows {
        match left.after(row) {
            Ok(after) => {
                left = after;
                fitting.push((place, row));
            }
            Err(why) => over.push((place, row, why)),
        }
    }
    (fitting, over)
}
