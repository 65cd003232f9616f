//! Create many: a batch of promises in one round trip to Postgres.
//!
//! What is refused of one entry is refused of that one alone. The rows are one statement, so that
//! a fault of Postgres leaves all of them or none.

use std::sync::Arc;

use super::broker::Broker;
use super::create::{self, NewUpload, promise};
use super::create_many_once::Written;
use super::create_once::{Created, hash};
use super::error::{Error, Result};
use super::present::{Session, SignedPut};
use super::read;
use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::domain::upload::Upload;

/// Entries of a batch at most.
pub const MOST: usize = 1000;

/// An entry that was looked at.
enum Draft {
    /// It could not be read.
    Unread,
    Refused(Box<Refusal>),
    /// Its row is on the way to Postgres.
    Promised(SignedPut),
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
    let mut drafts = Vec::with_capacity(asked.len());
    let mut rows = Vec::with_capacity(asked.len());
    for (position, new) in asked.into_iter().enumerate() {
        let Some(new) = new else {
            drafts.push(Draft::Unread);
            continue;
        };
        match promise(broker, principal, new).await {
            Ok((upload, put)) => {
                rows.push((position, upload));
                drafts.push(Draft::Promised(put));
            }
            Err(Error::Refused(refusal)) => drafts.push(Draft::Refused(refusal)),
            Err(fault) => return Err(fault),
        }
    }
    let this = Arc::clone(broker);
    let written = broker
        .to_end(async move {
            match claim {
                None => Ok(write(&this, rows).await),
                Some((key, hash)) => this.write_once(&key, hash, rows).await,
            }
        })
        .await?;
    answer(broker, principal, drafts, written).await
}

async fn write(broker: &Broker, rows: Vec<(usize, Upload)>) -> Vec<Result<Written>> {
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    let written = create::write(broker, rows).await.into_iter();
    written
        .map(|row| Ok(Written::New(Box::new(row?))))
        .collect()
}

/// Joins what was written, one for each promised draft, with its URL.
async fn answer(
    broker: &Broker,
    principal: &Principal,
    drafts: Vec<Draft>,
    mut written: Vec<Result<Written>>,
) -> Result<Vec<Option<Result<Created>>>> {
    let is_away = |row: &Result<Written>| matches!(row, Err(Error::Unavailable { .. }));
    if written.iter().all(is_away)
        && let Some(Err(fault)) = written.pop()
    {
        return Err(fault);
    }
    let mut written = written.into_iter();
    let mut answers = Vec::with_capacity(drafts.len());
    for draft in drafts {
        answers.push(match draft {
            Draft::Unread => None,
            Draft::Refused(refusal) => Some(Err(Error::Refused(refusal))),
            Draft::Promised(put) => Some(match written.next() {
                Some(Ok(Written::New(upload))) => {
                    let (upload, put) = (*upload, Some(put));
                    Ok(Created::New(Session { upload, put }))
                }
                Some(Ok(Written::Before(id))) => {
                    let session = read::read(broker, principal, id, true).await;
                    session.map(Created::Before)
                }
                Some(Err(error)) => Err(error),
                None => Err(Error::Internal("a row was lost on its way".into())),
            }),
        });
    }
    Ok(answers)
}
