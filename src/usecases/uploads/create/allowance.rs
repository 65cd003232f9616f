//! Spend: uploads that are counted against upload tokens.
//!
//! The rows of the counts are held, the new uploads written, and what was written is counted, all
//! in one transaction, that of their tenants' quotas too: however many callers come at once, on
//! however many replicas, what fits is what was allowed. Only an upload that is written counts:
//! what is refused costs nothing, and a repetition under an idempotency key writes nothing. Nothing
//! is given back afterwards, or a token would be good for any number of uploads, one after the
//! other.

use std::sync::Arc;
use std::time::Duration;

use diesel_async::AsyncConnection as _;

use crate::domain::bounds::{Allowance, TokenAllowances, smaller_limit};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::Connection;
use crate::store::token_uses::{self, TokenUsage};
use crate::usecases::batching::{Group, Grouped, ONE_BY_ONE};
use crate::usecases::broker::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::create::insert::{insert_all, write_on_lane};

/// A row that is counted. Those of one token are written together: however many come at once,
/// they do not each keep a connection waiting for the count. Rows that nobody counts never wait for
/// them.
pub struct CountedRow(Upload, Arc<TokenAllowances>);

impl Grouped for CountedRow {
    type Answer = Result<Upload>;

    const NAME: &'static str = "create-counted";
    const AT_ONCE: usize = ONE_BY_ONE.0;
    const PATIENCE: Duration = ONE_BY_ONE.1;

    fn group(&self, broker: &Broker) -> Arc<Group<Self>> {
        broker.counted.of(&self.1, Group::default)
    }

    async fn write(broker: &Broker, rows: Vec<Self>) -> Vec<Result<Upload>> {
        // All of one token, and so of one tenant.
        let allowances = rows.first().map(|row| Arc::clone(&row.1));
        let rows: Vec<Upload> = rows.into_iter().map(|row| row.0).collect();
        write_on_lane(broker, rows, allowances.as_deref()).await
    }
}

impl Broker {
    /// Writes one row together with what others write at this moment.
    pub(in crate::usecases) async fn write_row(
        self: &Arc<Self>,
        row: Upload,
        allowances: Option<Arc<TokenAllowances>>,
    ) -> Result<Upload> {
        match allowances {
            None => self.write_new(row).await,
            Some(allowances) => self.together(CountedRow(row, allowances)).await?,
        }
    }
}

/// What tokens have left; `None` where it is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    uploads: Option<u64>,
    bytes: Option<u64>,
}

impl Left {
    /// What an allowance leaves after its use.
    fn of(allowance: &Allowance, used: TokenUsage) -> Self {
        let left = |most: Option<u64>, used| most.map(|most| most.saturating_sub(used));
        Self {
            uploads: left(allowance.uploads, used.uploads),
            bytes: left(allowance.bytes, used.bytes),
        }
    }

    /// What is left of both.
    fn and(self, other: Self) -> Self {
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
        let bytes = match (self.bytes, upload.declared.size) {
            (Some(left), Some(size)) if size <= left => Some(left - size),
            (Some(left), _) => {
                return Err(spent(format!("The upload token has {left} bytes left.")));
            }
            (None, _) => None,
        };
        Ok(Self { uploads, bytes })
    }
}

fn spent(detail: String) -> Refusal {
    Refusal::new(Code::TokenSpent, detail)
}

/// Writes rows as [`insert_all`] does, as far as the purse allows.
pub(in crate::usecases) async fn insert(
    connection: &mut Connection,
    rows: &[Upload],
    allowances: &TokenAllowances,
) -> diesel::QueryResult<Vec<Option<Refusal>>> {
    connection
        .transaction(async |connection| {
            let used = token_uses::lock_usage(connection, allowances.as_slice()).await?;
            let mut left = Left {
                uploads: None,
                bytes: None,
            };
            for allowance in allowances.as_slice() {
                let used = used.get(&allowance.token).copied().unwrap_or_default();
                left = left.and(Left::of(allowance, used));
            }
            let mut answers: Vec<(usize, Option<Refusal>)> = Vec::with_capacity(rows.len());
            let mut written = TokenUsage::default();
            let mut open: Vec<(usize, &Upload)> = rows.iter().enumerate().collect();
            // What is refused for another reason leaves its share to those behind it.
            while !open.is_empty() {
                let (fitting, over) = share(left, open);
                let (places, new): (Vec<_>, Vec<Upload>) = (fitting.into_iter())
                    .map(|(place, row)| (place, row.clone()))
                    .unzip();
                let refusals = insert_all(connection, &new).await?;
                let some_refused = refusals.iter().any(Option::is_some);
                for ((place, row), refusal) in places.into_iter().zip(&new).zip(refusals) {
                    if refusal.is_none() {
                        left = left.after(row).unwrap_or(left);
                        written.uploads += 1;
                        written.bytes += row.declared.size.unwrap_or_default();
                    }
                    answers.push((place, refusal));
                }
                open = match some_refused {
                    true => over
                        .into_iter()
                        .map(|(place, row, _)| (place, row))
                        .collect(),
                    false => {
                        answers.extend(over.into_iter().map(|(at, _, why)| (at, Some(why))));
                        Vec::new()
                    }
                };
            }
            if written.uploads > 0 {
                token_uses::add_usage(connection, allowances.as_slice(), written).await?;
            }
            answers.sort_by_key(|(place, _)| *place);
            Ok(answers.into_iter().map(|(_, refusal)| refusal).collect())
        })
        .await
}

/// A row and its place.
type Placed<'a> = (usize, &'a Upload);
/// One that does not fit, and why.
type Over<'a> = (usize, &'a Upload, Refusal);

/// The rows that fit into what is left, in their order, and those that do not, and why.
fn share<'a>(left: Left, rows: Vec<Placed<'a>>) -> (Vec<Placed<'a>>, Vec<Over<'a>>) {
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
