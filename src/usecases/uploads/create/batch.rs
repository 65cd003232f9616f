//! Create many: a batch of promises in one round trip to Postgres.
//!
//! What is refused of one entry is refused of that one alone. The rows are one statement, so that
//! a fault of Postgres leaves all of them or none.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::stream::{self, StreamExt as _};
use uuid::Uuid;

use crate::domain::bounds::TokenAllowances;
use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;
use crate::usecases::broker::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::create::NewUpload;
use crate::usecases::uploads::create::batch_once::Written;
use crate::usecases::uploads::create::insert::write_on_lane;
use crate::usecases::uploads::create::once::{Created, hash, untold};
use crate::usecases::uploads::create::validate::Draft;
use crate::usecases::uploads::read;
use crate::usecases::uploads::session::{Session, Urls};

/// Entries of a batch at most.
pub const MOST: usize = 1000;

/// Uploads in parts that are begun at S3 at once.
const AT_ONCE: usize = 16;

/// An entry that was looked at.
enum Entry {
    /// It could not be read.
    Unread,
    Refused(Box<Refusal>),
    /// The key made it before.
    Before(Uuid),
    /// Its row is on the way to Postgres.
    Promised(Urls),
}

/// Makes an upload session of each entry, or says why not, in their order; nothing of an entry
/// that could not be read.
///
/// Fails as a whole where nothing can be written now, and where `key` came with another batch.
pub async fn create_many(
    broker: &Arc<Broker>,
    principal: &Principal,
    asked: Vec<Option<NewUpload>>,
    key: Option<&str>,
) -> Result<Vec<Option<Result<Created>>>> {
    let claim = match key {
        Some(key) => Some((key.to_owned(), hash(&asked)?)),
        None => None,
    };
    let now = broker.clock.now();
    let drafts = (asked.into_iter()).map(|new| Some(broker.declare(principal, new?, now)));
    let (this, drafts): (_, Vec<_>) = (Arc::clone(broker), drafts.collect());
    let tenant = principal.tenant.clone();
    let allowances = principal.bounds.token_allowances.clone();
    let (entries, written) = broker
        .to_end(async move {
            let made = match &claim {
                Some((key, hash)) if this.any_asks_store(&drafts).await? => {
                    this.made_before(&tenant, key, *hash, now).await?
                }
                _ => BTreeMap::new(),
            };
            let allowances = allowances.as_deref();
            let drafts = this.hold_back(drafts, &made, allowances).await?;
            let (entries, rows) = this.promise_all(drafts, &made).await?;
            let written = match claim {
                None => write(&this, rows, allowances).await,
                Some((key, hash)) => write_once(&this, &key, hash, rows, allowances).await?,
            };
            Ok((entries, written))
        })
        .await
        .map_err(|error| untold(principal, error))?;
    answer(broker, principal, entries, written).await
}

/// A row and its place in the batch.
type Placed = (usize, Upload);

/// An entry that could be read, with what is wrong in it.
type Looked = Option<Result<Draft, Refusal>>;

fn is_in_parts(draft: &Looked) -> bool {
    matches!(draft, Some(Ok(draft)) if draft.cut.is_some())
}

impl Broker {
    /// Refuses the drafts that would be refused when their rows are written, where anything would be
    /// begun at S3 before that.
    async fn hold_back(
        &self,
        mut drafts: Vec<Looked>,
        made: &BTreeMap<usize, Uuid>,
        allowances: Option<&TokenAllowances>,
    ) -> Result<Vec<Looked>> {
        let is_new = |(place, draft): &(usize, &mut Looked)| {
            !made.contains_key(place) && matches!(draft, Some(Ok(_)))
        };
        let new: Vec<(usize, &mut Looked)> = drafts.iter_mut().enumerate().filter(is_new).collect();
        if !new.iter().any(|(_, draft)| is_in_parts(draft)) {
            return Ok(drafts);
        }
        let rows = new.iter().filter_map(|(_, draft)| match draft {
            Some(Ok(draft)) => Some(draft.upload.clone()),
            _ => None,
        });
        let rows: Vec<Upload> = rows.collect();
        let refusals = self.rehearse(&rows, allowances).await?;
        for ((_, draft), refusal) in new.into_iter().zip(refusals) {
            if let Some(refusal) = refusal {
                *draft = Some(Err(refusal));
            }
        }
        Ok(drafts)
    }

    /// Whether the promise of any draft needs more than a signature: the store is asked for
    /// nothing that was made before.
    async fn any_asks_store(&self, drafts: &[Looked]) -> Result<bool> {
        for draft in drafts.iter().flatten().flatten() {
            if draft.cut.is_some() || self.must_check_vacancy(&draft.upload, false).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Signs the URLs of every draft that was not refused, and was not `made` before. Where one of
    /// them cannot be begun at S3, none is, and S3 is asked for no more of them.
    async fn promise_all(
        &self,
        drafts: Vec<Looked>,
        made: &BTreeMap<usize, Uuid>,
    ) -> Result<(Vec<Entry>, Vec<Placed>)> {
        let stopped = AtomicBool::new(false);
        let promised = drafts.into_iter().enumerate();
        let promised = promised.map(async |(place, draft)| match draft {
            Some(Ok(_)) if made.contains_key(&place) => None,
            Some(Ok(_)) if stopped.load(Ordering::Relaxed) => None,
            Some(Ok(draft)) => {
                let promise = self.promise(draft).await;
                let failed = !matches!(promise, Ok(_) | Err(Error::Refused(_)));
                stopped.fetch_or(failed, Ordering::Relaxed);
                Some(promise)
            }
            Some(Err(refusal)) => Some(Err(refusal.into())),
            None => None,
        });
        let promised: Vec<_> = stream::iter(promised).buffered(AT_ONCE).collect().await;
        let mut entries = Vec::with_capacity(promised.len());
        let (mut rows, mut fault) = (Vec::new(), None);
        for (place, promise) in promised.into_iter().enumerate() {
            entries.push(match promise {
                None => made
                    .get(&place)
                    .map_or(Entry::Unread, |id| Entry::Before(*id)),
                Some(Ok(promise)) => {
                    rows.push((place, promise.upload));
                    Entry::Promised(promise.urls)
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

    /// Frees the parts of uploads whose rows were not written.
    async fn abort_all(&self, rows: impl Iterator<Item = &Upload>) {
        stream::iter(rows)
            .for_each_concurrent(AT_ONCE, |row| self.abort(row))
            .await;
    }
}

async fn write(
    broker: &Broker,
    rows: Vec<Placed>,
    allowances: Option<&TokenAllowances>,
) -> Vec<Result<Written>> {
    let begun = in_parts(&rows);
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    let written = write_on_lane(broker, rows, allowances).await;
    let refused: HashSet<usize> = (written.iter().enumerate())
        .filter(|(_, row)| row.as_ref().is_err_and(|error| !error.may_have_written()))
        .map(|(at, _)| at)
        .collect();
    let begun = begun.iter().filter(|(at, _)| refused.contains(at));
    broker.abort_all(begun.map(|(_, row)| row)).await;
    (written.into_iter())
        .map(|row| Ok(Written::New(Box::new(row?))))
        .collect()
}

async fn write_once(
    broker: &Broker,
    key: &str,
    hash: [u8; 32],
    rows: Vec<Placed>,
    allowances: Option<&TokenAllowances>,
) -> Result<Vec<Result<Written>>> {
    let begun = in_parts(&rows);
    let written = broker.write_once(key, hash, rows, allowances).await;
    let is_new = |at: usize| match &written {
        Ok(written) => matches!(written.get(at), Some(Ok(Written::New(_)))),
        // They may have been written all the same.
        Err(error) => error.may_have_written(),
    };
    let begun = begun.iter().filter(|(at, _)| !is_new(*at));
    broker.abort_all(begun.map(|(_, row)| row)).await;
    written
}

/// Those that were begun at S3, with their places among the rows.
fn in_parts(rows: &[Placed]) -> Vec<Placed> {
    let rows = rows.iter().map(|(_, row)| row).enumerate();
    rows.filter(|(_, row)| row.multipart.is_some())
        .map(|(at, row)| (at, row.clone()))
        .collect()
}

/// Joins what was written, one for each promised draft, with its URL.
async fn answer(
    broker: &Broker,
    principal: &Principal,
    entries: Vec<Entry>,
    mut written: Vec<Result<Written>>,
) -> Result<Vec<Option<Result<Created>>>> {
    let is_away = |row: &Result<Written>| {
        matches!(row, Err(Error::Unavailable { .. } | Error::Overloaded(_)))
    };
    if written.iter().all(is_away)
        && let Some(Err(fault)) = written.pop()
    {
        return Err(fault);
    }
    let mut earlier = earlier(broker, principal, &entries, &written).await?;
    let mut before = |id| {
        let session = earlier.remove(&id);
        let session = session.unwrap_or_else(|| Err(Refusal::no_upload(id).into()));
        session.map(Created::Before)
    };
    let mut written = written.into_iter();
    let mut answers = Vec::with_capacity(entries.len());
    for entry in entries {
        answers.push(match entry {
            Entry::Unread => None,
            Entry::Refused(refusal) => Some(Err(Error::Refused(refusal))),
            Entry::Before(id) => Some(before(id)),
            Entry::Promised(urls) => Some(match written.next() {
                Some(Ok(Written::New(upload))) => {
                    let (upload, urls) = (*upload, Some(urls));
                    Ok(Created::New(Session { upload, urls }))
                }
                Some(Ok(Written::Before(id))) => before(id),
                Some(Err(error)) => Err(error),
                None => Err(Error::Internal("a row was lost on its way".into())),
            }),
        });
    }
    Ok(answers)
}

/// The sessions that the key made before, all of them read at once.
async fn earlier(
    broker: &Broker,
    principal: &Principal,
    entries: &[Entry],
    written: &[Result<Written>],
) -> Result<HashMap<Uuid, Result<Session>>> {
    let known = entries.iter().filter_map(|entry| match entry {
        Entry::Before(id) => Some(*id),
        _ => None,
    });
    let found = written.iter().filter_map(|written| match written {
        Ok(Written::Before(id)) => Some(*id),
        _ => None,
    });
    let ids: Vec<Uuid> = known.chain(found).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sessions = read::read_many(broker, principal, &ids, true).await?;
    Ok(ids.into_iter().zip(sessions).collect())
}
