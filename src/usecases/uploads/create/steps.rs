//! The steps of a create, from drafts to rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt as _};
use uuid::Uuid;

use super::idempotency::{Reservation, Reserved};
use super::validate::Draft;
use crate::domain::bounds::TokenAllowances;
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::session::Urls;

/// Multipart uploads of one batch that are begun at S3 at once.
const MAX_BEGUN_AT_ONCE: usize = 16;

/// What is to be written.
pub(super) struct Request {
    pub(super) drafts: Vec<Checked>,
    pub(super) reservation: Option<Reservation>,
    pub(super) tenant: String,
    pub(super) allowances: Option<Arc<TokenAllowances>>,
    pub(super) now: DateTime<Utc>,
}

/// An entry that could be read: its draft, or what is wrong with it.
pub(super) type Checked = Option<Result<Draft, Refusal>>;

/// What became of an entry before its row was written.
pub(super) enum Entry {
    /// It could not be read.
    Unread,
    Refused(Box<Refusal>),
    /// An earlier request made this upload.
    Earlier(Uuid),
    /// Its row is written next.
    Presigned(Urls),
}

/// The entries of a request, and what became of the row of each [`Entry::Presigned`], in order.
pub(super) struct Written {
    pub(super) entries: Vec<Entry>,
    pub(super) rows: Vec<Result<Reserved>>,
}

/// A row and its place in the request.
type Placed = (usize, Upload);

impl Request {
    /// Whether the request is one row that is written in one statement, with nothing to roll back.
    pub(super) fn is_one_statement(&self) -> bool {
        self.reservation.is_none() && self.drafts.len() == 1 && !self.drafts.iter().any(in_parts)
    }
}

fn in_parts(draft: &Checked) -> bool {
    matches!(draft, Some(Ok(draft)) if draft.cut.is_some())
}

impl Broker {
    /// Carries out a request up to its rows.
    pub(super) async fn write(self: &Arc<Self>, mut request: Request) -> Result<Written> {
        let earlier = match &request.reservation {
            Some(reservation) if self.any_asks_store(&request.drafts).await? => {
                self.find_earlier(&request.tenant, reservation, request.now)
                    .await?
            }
            _ => BTreeMap::new(),
        };
        self.refuse_early(&mut request, &earlier).await?;
        let (entries, rows) = self.presign_all(request.drafts, &earlier).await?;
        let begun = multipart_of(&rows);
        let reservation = request.reservation.as_ref();
        let written = self.insert_all(rows, reservation, request.allowances).await;
        self.roll_back_all(&begun, &written).await;
        Ok(Written {
            entries,
            rows: written?,
        })
    }

    /// Whether any draft needs more than a signature: for uploads that an earlier request made, the
    /// store is asked for nothing.
    async fn any_asks_store(&self, drafts: &[Checked]) -> Result<bool> {
        for draft in drafts.iter().flatten().flatten() {
            if draft.cut.is_some() || self.must_read_key(&draft.upload, false).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Refuses the drafts that would be refused when their rows are written, where a multipart
    /// upload would be begun at S3 before that.
    async fn refuse_early(
        &self,
        request: &mut Request,
        earlier: &BTreeMap<usize, Uuid>,
    ) -> Result<()> {
        let is_new = |(place, draft): &(usize, &mut Checked)| {
            !earlier.contains_key(place) && matches!(draft, Some(Ok(_)))
        };
        let new: Vec<(usize, &mut Checked)> = (request.drafts.iter_mut().enumerate())
            .filter(is_new)
            .collect();
        if !new.iter().any(|(_, draft)| in_parts(draft)) {
            return Ok(());
        }
        let rows = new.iter().filter_map(|(_, draft)| match draft {
            Some(Ok(draft)) => Some(draft.upload.clone()),
            _ => None,
        });
        let rows: Vec<Upload> = rows.collect();
        let refusals = self
            .find_refusals(&rows, request.allowances.as_deref())
            .await?;
        for ((_, draft), refusal) in new.into_iter().zip(refusals) {
            if let Some(refusal) = refusal {
                *draft = Some(Err(refusal));
            }
        }
        Ok(())
    }

    /// Signs the URLs of every draft that was neither refused nor made earlier. Where S3 fails at
    /// one of them, it is asked for no more of them, and none is begun.
    async fn presign_all(
        &self,
        drafts: Vec<Checked>,
        earlier: &BTreeMap<usize, Uuid>,
    ) -> Result<(Vec<Entry>, Vec<Placed>)> {
        let stopped = AtomicBool::new(false);
        let presigned = drafts.into_iter().enumerate();
        let presigned = presigned.map(async |(place, draft)| match draft {
            Some(Ok(_)) if earlier.contains_key(&place) => None,
            Some(Ok(_)) if stopped.load(Ordering::Relaxed) => None,
            Some(Ok(draft)) => {
                let presigned = self.presign(draft).await;
                let failed = !matches!(presigned, Ok(_) | Err(Error::Refused(_)));
                stopped.fetch_or(failed, Ordering::Relaxed);
                Some(presigned)
            }
            Some(Err(refusal)) => Some(Err(refusal.into())),
            None => None,
        });
        let presigned: Vec<_> = (stream::iter(presigned).buffered(MAX_BEGUN_AT_ONCE))
            .collect()
            .await;
        let mut entries = Vec::with_capacity(presigned.len());
        let (mut rows, mut fault) = (Vec::new(), None);
        for (place, presigned) in presigned.into_iter().enumerate() {
            entries.push(match presigned {
                None => (earlier.get(&place)).map_or(Entry::Unread, |id| Entry::Earlier(*id)),
                Some(Ok(presigned)) => {
                    rows.push((place, presigned.upload));
                    Entry::Presigned(presigned.urls)
                }
                Some(Err(Error::Refused(refusal))) => Entry::Refused(refusal),
                Some(Err(error)) => {
                    fault = fault.or(Some(error));
                    Entry::Unread
                }
            });
        }
        let Some(fault) = fault else {
            return Ok((entries, rows));
        };
        self.abort_all(rows.iter().map(|(_, row)| row)).await;
        Err(fault)
    }

    /// Writes rows of one tenant, each with its place in the request; the results are in their
    /// order.
    pub(in crate::usecases) async fn insert_all(
        self: &Arc<Self>,
        rows: Vec<Placed>,
        reservation: Option<&Reservation>,
        allowances: Option<Arc<TokenAllowances>>,
    ) -> Result<Vec<Result<Reserved>>> {
        if let Some(reservation) = reservation {
            return self
                .insert_reserved(reservation, rows, allowances.as_deref())
                .await;
        }
        let mut rows: Vec<Upload> = rows.into_iter().map(|(_, row)| row).collect();
        let written = match (rows.len(), rows.pop()) {
            (1, Some(row)) => vec![self.insert_one(row, allowances).await],
            (_, last) => {
                rows.extend(last);
                self.insert_many(rows, allowances.as_deref()).await
            }
        };
        let written = written.into_iter();
        Ok(written
            .map(|row| Ok(Reserved::Written(Box::new(row?))))
            .collect())
    }

    /// Aborts at S3 what was begun for rows that were certainly not written.
    async fn roll_back_all(&self, begun: &[Placed], written: &Result<Vec<Result<Reserved>>>) {
        let may_exist = |at: usize| match written {
            Ok(rows) => match rows.get(at) {
                Some(Ok(Reserved::Written(_))) => true,
                Some(Err(error)) => error.may_have_written(),
                Some(Ok(Reserved::Earlier(_))) | None => false,
            },
            Err(error) => error.may_have_written(),
        };
        let begun = begun.iter().filter(|(at, _)| !may_exist(*at));
        self.abort_all(begun.map(|(_, row)| row)).await;
    }

    async fn abort_all(&self, rows: impl Iterator<Item = &Upload>) {
        stream::iter(rows)
            .for_each_concurrent(MAX_BEGUN_AT_ONCE, |row| self.abort(row))
            .await;
    }
}

/// The rows that were begun at S3, each with its place among `rows`.
fn multipart_of(rows: &[Placed]) -> Vec<Placed> {
    let rows = rows.iter().map(|(_, row)| row).enumerate();
    rows.filter(|(_, row)| row.multipart.is_some())
        .map(|(at, row)| (at, row.clone()))
        .collect()
}
