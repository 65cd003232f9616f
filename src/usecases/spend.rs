//! Spend: uploads that are counted against upload tokens.
//!
//! The rows of the counts are held, the new uploads written, and what was written is counted, all
//! in one transaction, that of their tenants' quotas too: however many callers come at once, on
//! however many replicas, what fits is what was allowed. Only an upload that is written counts:
//! what is refused costs nothing, and a repetition under an idempotency key writes nothing. Nothing
//! is given back afterwards, or a token would be good for any number of uploads, one after the
//! other.

use std::sync::Arc;

use diesel_async::AsyncConnection as _;
use futures::stream::{self, StreamExt as _};

use super::broker::Broker;
use super::error::Result;
use super::group::{Group, Grouped};
use super::new_rows::{NewRow, insert_all, write_on_lane};
use crate::domain::bounds::{Allowance, Purse, least};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::Connection;
use crate::store::token_uses::{self, Used};

/// Purses that are written against at once.
const AT_ONCE: usize = 4;

/// A row that is counted. Those of one token are written together: however many come at once,
/// they do not each keep a connection waiting for the count. Rows that nobody counts never wait for
/// them.
pub struct CountedRow(Upload, Arc<Purse>);

impl Grouped for CountedRow {
    type Answer = Result<Upload>;

    const NAME: &'static str = "create-counted";

    fn group(broker: &Broker) -> &Group<Self> {
        &broker.counted
    }

    async fn write(broker: &Broker, rows: Vec<Self>) -> Vec<Result<Upload>> {
        let written = by_purse(rows)
            .into_iter()
            .map(async |(purse, places, rows)| {
                let tenant = rows
                    .first()
                    .map(|row| row.tenant.clone())
                    .unwrap_or_default();
                let answers = write_on_lane(broker, &tenant, rows, Some(&purse)).await;
                places.into_iter().zip(answers).collect::<Vec<_>>()
            });
        let written = stream::iter(written).buffer_unordered(AT_ONCE);
        let answers = written.collect::<Vec<_>>().await;
        let mut answers: Vec<_> = answers.into_iter().flatten().collect();
        answers.sort_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

impl Broker {
    /// Writes one row together with what others write at this moment.
    pub(super) async fn write_row(
        self: &Arc<Self>,
        row: Upload,
        purse: Option<Arc<Purse>>,
    ) -> Result<Result<Upload>> {
        match purse {
            None => self.together(NewRow::of(row)).await,
            Some(purse) => self.together(CountedRow(row, purse)).await,
        }
    }
}

/// A purse, and the rows that are counted against it: their places, and they themselves.
type OfPurse = (Arc<Purse>, Vec<usize>, Vec<Upload>);

fn by_purse(rows: Vec<CountedRow>) -> Vec<OfPurse> {
    let mut purses: Vec<OfPurse> = Vec::new();
    for (place, CountedRow(row, purse)) in rows.into_iter().enumerate() {
        match purses.iter_mut().find(|(other, ..)| *other == purse) {
            Some((_, places, rows)) => {
                places.push(place);
                rows.push(row);
            }
            None => purses.push((purse, vec![place], vec![row])),
        }
    }
    purses
}

/// What tokens have left; `None` where it is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    uploads: Option<u64>,
    bytes: Option<u64>,
}

impl Left {
    /// What an allowance leaves after its use.
    fn of(allowance: &Allowance, used: Used) -> Self {
        let left = |most: Option<u64>, used| most.map(|most| most.saturating_sub(used));
        Self {
            uploads: left(allowance.uploads, used.uploads),
            bytes: left(allowance.bytes, used.bytes),
        }
    }

    /// What is left of both.
    fn and(self, other: Self) -> Self {
        Self {
            uploads: least(self.uploads, other.uploads),
            bytes: least(self.bytes, other.bytes),
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
pub(super) async fn insert(
    connection: &mut Connection,
    rows: &[Upload],
    purse: &Purse,
) -> diesel::QueryResult<Vec<Option<Refusal>>> {
    connection
        .transaction(async |connection| {
            let used = token_uses::hold(connection, purse.allowances()).await?;
            let mut left = Left {
                uploads: None,
                bytes: None,
            };
            for allowance in purse.allowances() {
                let used = used.get(&allowance.token).copied().unwrap_or_default();
                left = left.and(Left::of(allowance, used));
            }
            let mut answers: Vec<(usize, Option<Refusal>)> = Vec::with_capacity(rows.len());
            let mut written = Used::default();
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
                token_uses::count(connection, purse.allowances(), written).await?;
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
